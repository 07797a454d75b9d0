"""The folder of a run: its own, and taken before the first request."""

from __future__ import annotations

import filecmp
import os
import shlex
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from purge_conformance.errors import BadSetting
from purge_conformance.evidence import files
from purge_conformance.evidence import jsonl as as_jsonl
from purge_conformance.report import REPORT_NAMES
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PARENT = Path("purge-conformance-report")  # of the folders that the user does not name
NAMES = (as_jsonl.FILE_NAME, archive.FILE_NAME, f"{archive.FILE_NAME}.json", *REPORT_NAMES)


class OwnFolder(NamedTuple):
    """The folder of a new run.

    Attributes:
        path: of the folder, which exists.
        created: the folders that were created for the run, the innermost first.
        is_default: whether it is a new one beside those of other runs, as the user named none for this run.
        replaces: whether it may hold an earlier run, which this one replaces.
    """

    path: Path
    created: tuple[Path, ...]
    is_default: bool = False
    replaces: bool = False


def create_default_folder(parent: Path = PARENT) -> Path:
    """Create a new folder in another one, named after the time; where a run has that name, with a number behind it.

    Raises:
        BadSetting: it cannot be created.
    """
    stem = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder, number = parent / stem, 1
    while True:
        try:
            files.create_new_folder(folder)
        except FileExistsError:
            number += 1
            folder = parent / f"{stem}-{number}"
        except OSError as error:
            raise BadSetting(f"{folder} cannot be created: {error.strerror}. Name a folder with --out.") from None
        else:
            return folder


@contextmanager
def own_folder(out: str | None, create_default: Callable[[], Path], *, force: bool = False) -> Iterator[OwnFolder]:
    """Give the folder of a new run; if the block fails, the folders that were created for it are removed.

    Args:
        out: the folder that the user named, or None.
        create_default: creates a new folder.
        force: whether it may hold another run, which the new one replaces.

    Raises:
        BadSetting: the folder holds another run, or cannot be created.
    """
    named = PARENT if out is None else Path(out)
    created = tuple(path for path in (named, *named.parents) if not exists(path))
    with removed_on_failure(created):
        folder = create_default() if out is None else take_folder(named, force=force)
        new = created if out is not None else (folder, *created)
        with removed_on_failure(new):
            yield OwnFolder(folder, new, is_default=out is None, replaces=force)


@contextmanager
def removed_on_failure(created: Iterable[Path]) -> Iterator[None]:
    """Remove these folders, the innermost first, if the block fails; one that is not empty stays."""
    try:
        yield
    except BaseException:
        for folder in created:
            with suppress(OSError):
                folder.rmdir()
        raise


def take_folder(folder: Path, *, force: bool = False) -> Path:
    """Create the folder that the user named, or require that it holds no other run unless `force`, and return it.

    Two runs that take the same empty folder at the same time get past this; only one of them then creates the journal.

    Raises:
        BadSetting: it holds another run, or cannot be created.
    """
    if exists(folder) and not folder.is_dir():
        raise BadSetting(f"{folder} is no folder. Name another folder with --out.")
    if not exists(folder) and os.path.islink(folder):  # noqa: PTH114 -- as in `exists`
        raise BadSetting(f"{folder} is a symbolic link to nothing. Create what it points to, or name another --out.")
    try:
        files.create_folder(folder)
    except OSError as error:
        raise BadSetting(f"{folder} cannot be created: {error.strerror}. Name another folder with --out.") from None
    require_idle(folder) if force else _require_unused(folder)
    return folder


def require_usable(folder: Path, *, is_shared: bool = False, force: bool = False) -> Path:
    """Require that a run could take this folder, or one in it, and return it; nothing is created.

    Args:
        folder: for a run, or for the folders of several runs.
        is_shared: whether it is for several.
        force: whether it may hold another run.

    Raises:
        BadSetting: it holds another run, is no folder, or could not be written.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if exists(path))
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        reason = "cannot be written" if place.is_dir() else "is no folder"
        raise BadSetting(f"{place} {reason}. Name another folder with --out.")
    if not is_shared:
        require_idle(folder) if force else _require_unused(folder)
    return folder


def exists(path: Path) -> bool:
    """Whether a path names something."""
    return os.path.exists(path)  # noqa: PTH110 -- false, and no error, for a name that is too long


def _require_unused(folder: Path) -> None:
    if found := next((name for name in NAMES if exists(folder / name)), None):
        raise BadSetting(
            f"{folder} holds {found} of another run. Name another folder with --out, or give --force, which replaces "
            f"its reports and its evidence and keeps its archive; the old run can be judged: "
            f"purge-conformance judge {shlex.quote(str(folder))} --out NEW"
        )


def require_idle(folder: Path) -> None:
    """Require that the run that a folder holds, if it holds one, has ended."""
    path = folder / as_jsonl.FILE_NAME
    with suppress(OSError), path.open("rb") as file:
        if not files.lock(file):
            raise BadSetting(f"A run is writing {path}. Wait until it has ended, or name another folder with --out.")


def keep_evidence(source: Path, folder: Path) -> None:
    """Copy the evidence of a run from its folder to that of its new reports, unless it is there.

    Raises:
        BadSetting: `folder` has the evidence of another run, or cannot be written.
    """
    original, copy = source / as_jsonl.FILE_NAME, folder / as_jsonl.FILE_NAME
    if exists(folder) and not folder.is_dir():
        raise BadSetting(f"{folder} is no folder. Name another folder with --out.")
    try:
        files.create_folder(folder)
        if not copy.exists():
            with original.open("rb") as readable, files.writing(copy, replace=False) as writable:
                shutil.copyfileobj(readable, writable)
    except FileExistsError:
        pass  # another command has just written it
    except OSError as error:
        raise BadSetting(f"{folder} cannot be written: {error.strerror}. Name another folder with --out.") from None
    if not filecmp.cmp(original, copy, shallow=False):
        raise BadSetting(f"{folder} has the evidence of another run than {source}. Name another folder with --out.")
