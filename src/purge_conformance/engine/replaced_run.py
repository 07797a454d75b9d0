"""`--force`: a run in the folder of an earlier one, which is lost only once the new run has its evidence."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.engine.run_folder import exists, require_idle
from purge_conformance.errors import BadSetting, UsageError
from purge_conformance.evidence import files
from purge_conformance.evidence import jsonl as as_jsonl
from purge_conformance.report import REPORT_NAMES, formats
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REPLACED = tuple(dict.fromkeys((as_jsonl.FILE_NAME, *REPORT_NAMES, *formats.FILE_NAMES.values())))
ENDINGS = ("", ".json")  # of the two files of an archive


@contextmanager
def replaced_run(folder: Path, say: Callable[[str], None], warn: Callable[[str], None]) -> Iterator[None]:
    """Set aside the run that a folder holds while the block collects the evidence of a new one there.

    Evidence and reports of the earlier run are deleted once the block ends; its archive keeps another name in the
    folder. If the new run is refused, or leaves no evidence, the earlier one is put back. After any other error it
    stays in a folder of its own, which a warning names.

    Args:
        folder: of both runs; without an earlier run nothing happens.
        say: prints a line.
        warn: prints a warning.

    Raises:
        BadSetting: the earlier run has not ended, or cannot be set aside; it is then as it was.
    """
    require_idle(folder)
    earlier = _EarlierRun(folder)
    try:
        earlier.set_aside()
    except BaseException as error:
        earlier.put_back()
        if isinstance(error, OSError):
            place = error.filename or folder
            raise BadSetting(f"{place} cannot be replaced: {error.strerror}. Name another folder with --out.") from None
        raise
    if earlier.archive:
        say(f"The archive of the earlier run in this folder is now {earlier.archive}")
    try:
        yield
    except BaseException as error:
        if isinstance(error, UsageError) or not exists(folder / as_jsonl.FILE_NAME):
            earlier.put_back()
        if earlier.is_aside:
            warn(f"Evidence and reports of the earlier run in this folder are now in {earlier.place}")
        raise
    earlier.delete()


class _EarlierRun:
    """The run that a folder holds.

    Attributes:
        place: the folder in which its evidence and its reports are while they are aside.
        archive: the path of its archive; None: it has none, or it has its own name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moved: list[str] = []
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        names = (f"replaced-{now}{'' if n == 1 else f'-{n}'}" for n in count(1))
        self.place = next(folder / name for name in names if not exists(folder / name))
        self.archive: Path | None = None

    @property
    def is_aside(self) -> bool:
        """Whether a file of it is aside."""
        return bool(self._moved)

    def set_aside(self) -> None:
        """Move its evidence and its reports to a folder of their own, and give its archive another name.

        Raises:
            OSError: a file cannot be moved.
        """
        for name in (each for each in REPLACED if exists(self._folder / each)):
            files.create_folder(self.place)
            (self._folder / name).rename(self.place / name)
            self._moved.append(name)
        self.archive = _rename_archive(self._folder)

    def put_back(self) -> None:
        """Give all of its files their names again; those of a refused run are deleted, except for its archive.

        What cannot be put back stays where it is.
        """
        with suppress(OSError):
            if self.is_aside:
                (self._folder / as_jsonl.FILE_NAME).unlink(missing_ok=True)
            for name in self._moved[:]:
                (self.place / name).replace(self._folder / name)
                self._moved.remove(name)
            self.place.rmdir()
        with suppress(OSError):
            self._put_archive_back()

    def _put_archive_back(self) -> None:
        """Give the archive its name again; one of a refused run gets another name.

        Raises:
            OSError: they cannot be renamed.
        """
        if self.archive:
            _rename_archive(self._folder)
            for ending in (each for each in ENDINGS if exists(self._folder / f"{self.archive.name}{each}")):
                files.rename_new(
                    self._folder / f"{self.archive.name}{ending}", self._folder / f"{archive.FILE_NAME}{ending}"
                )
            self.archive = None

    def delete(self) -> None:
        """Delete what is aside; the archive stays."""
        with suppress(OSError):
            for name in self._moved:
                (self.place / name).unlink(missing_ok=True)
            self.place.rmdir()


def _rename_archive(folder: Path) -> Path | None:
    """Give the two files of an archive a name that is not used, and return the path of the first; None without any.

    Raises:
        OSError: they cannot be renamed.
    """
    endings = [ending for ending in ENDINGS if exists(folder / f"{archive.FILE_NAME}{ending}")]
    if not endings:
        return None
    stem, suffix = archive.FILE_NAME.split(".", 1)
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = (f"{stem}-{now}{'' if n == 1 else f'-{n}'}.{suffix}" for n in count(1))
    new = next(name for name in names if not any(exists(folder / f"{name}{ending}") for ending in ENDINGS))
    for ending in endings:
        files.rename_new(folder / f"{archive.FILE_NAME}{ending}", folder / f"{new}{ending}")
    return folder / new
