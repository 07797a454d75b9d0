"""The two files of an archive on the disk: private, whole, and read back before they get their names."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, cast

from isal import igzip, isal_zlib

from purge_conformance.errors import ArchiveFailed, BadSetting
from purge_conformance.evidence.files import write_text, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from hashlib import _Hash
    from pathlib import Path

    from purge_conformance.target.archive.events import ArchiveSummary

FILE_NAME = "archive.jsonl.gz"
# What reading a damaged file raises.
_UNREADABLE = (EOFError, gzip.BadGzipFile, cast("type[Exception]", isal_zlib.error))
BAD_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENAMETOOLONG}
CHUNK_BYTES = 1024 * 1024
GZIP = 31  # of zlib's window bits: the largest window, and the header of gzip
COMPRESSION = 1  # of isal's levels; the next one takes twice the time for 1 % less


@dataclass(frozen=True, slots=True)
class Content:
    """What a gzip file of lines holds: how many lines, and the SHA-256 of the uncompressed bytes."""

    lines: int
    sha256: str


def summary_path(path: Path) -> Path:
    """Return the path of the summary beside an archive."""
    return path.with_name(f"{path.name}.json")


def require_unused(path: Path) -> None:
    """Require that neither file of the archive exists.

    Raises:
        BadSetting: one does.
    """
    for each in (path, summary_path(path)):
        if os.path.lexists(each):
            raise _exists(each)


@contextmanager
def new_archive(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, which gets the name `path` when the block ends without an error.

    Raises:
        BadSetting: a file of that name exists, perhaps since a moment ago, or the folder does not.
        ArchiveFailed: the file could not be written.
    """
    try:
        with writing(path, replace=False) as file:
            yield file
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        if error.errno in BAD_PLACE:
            raise BadSetting(f"{path} cannot be written: {error.strerror}. Name another place with --out.") from None
        raise not_written(path, error) from None


def write_new_summary(path: Path, summary: ArchiveSummary) -> None:
    """Write the summary of a new archive; if that fails, the archive is deleted again.

    Raises:
        BadSetting: there is a file of that name, perhaps since a moment ago.
        ArchiveFailed: it could not be written.
    """
    try:
        write_text(summary_path(path), to_json(summary), replace=False)
    except OSError as error:
        path.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise _exists(summary_path(path)) from None
        raise not_written(path, error) from None


def write_lines(file: IO[bytes], parts: Iterable[bytes], digest: _Hash | None = None) -> str:
    """Append a gzip member with these lines, and return once it is on the disk.

    Each part is hashed and compressed in a thread of its own, while the next one is made.

    Args:
        file: to write to.
        parts: any number of lines each.
        digest: SHA-256 of the lines before; it gets these as well.

    Returns:
        The SHA-256 of all lines.
    """
    digest = digest or hashlib.sha256()
    compressor = isal_zlib.compressobj(COMPRESSION, wbits=GZIP)

    def write(part: bytes) -> None:
        digest.update(part)
        file.write(compressor.compress(part))

    _for_each(parts, write)
    file.write(compressor.flush())
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


def require_content(path: Path, expected: Content) -> _Hash:
    """Require that the file on the disk holds what was written; return the SHA-256 of its lines, to be continued.

    Raises:
        ArchiveFailed: it differs.
    """
    digest, problem = hashlib.sha256(), ""
    try:
        _for_each(_parts(path), digest.update)
    except _UNREADABLE as error:
        problem = f" ({type(error).__name__})"
    if problem or digest.hexdigest() != expected.sha256:
        raise ArchiveFailed(
            f"The archive {path} does not read back as written{problem}: got {_count_lines(path)} events, expected "
            f"{expected.lines}. Check the disk, or name another place with --out."
        )
    return digest


def _for_each(parts: Iterable[bytes], work: Callable[[bytes], None]) -> None:
    """Work on each part in a thread of its own, while the next one is made; at most two are in memory."""
    with ThreadPoolExecutor(1) as thread:
        pending: Future[None] | None = None
        for part in parts:
            if pending:
                pending.result()
            pending = thread.submit(work, part)
        if pending:
            pending.result()


def _parts(path: Path) -> Iterator[bytes]:
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call] # isal has types for its other modules
        while part := file.read(CHUNK_BYTES):
            yield part


def _count_lines(path: Path) -> int:
    lines = 0
    with suppress(*_UNREADABLE):
        for part in _parts(path):
            lines += part.count(b"\n")
    return lines


def to_json(summary: ArchiveSummary) -> str:
    """Return the text of a summary."""
    return json.dumps(asdict(summary), indent=2) + "\n"


def not_written(path: Path, error: OSError) -> ArchiveFailed:
    """Return the error for an archive that could not be written."""
    return ArchiveFailed(
        f"The archive {path} could not be written: {error.strerror or error}. "
        "Free disk space, or name another place with --out."
    )


def _exists(path: Path) -> BadSetting:
    if path.exists() and not path.is_file():
        return BadSetting(f"{path} is no regular file. Name a new file: --out FILE.")
    return BadSetting(f"{path} already exists and may be the only archive of its events. Name a new file: --out FILE.")
