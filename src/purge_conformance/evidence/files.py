"""Private files and folders: only their owner can read what a run writes, whatever the umask is.

A file appears complete under its name or not at all, and is on the disk when it does. Its temporary name is unique, so
that two commands never write the same one.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any, BinaryIO, TextIO

FILE_MODE, FOLDER_MODE = 0o600, 0o700
TEMPORARY_PREFIX, TEMPORARY_SUFFIX = ".purge-conformance-", ".part"  # what a killed process may leave
# How file systems say that they have no hard links.
NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
NO_FOLDER_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES}


def create_folder(folder: Path) -> None:
    """Create a folder and the missing ones above it, each private; one that exists stays as it is.

    Raises:
        OSError: it cannot be created, or a file has that name.
    """
    if not folder.is_dir():
        with suppress(FileExistsError):
            create_new_folder(folder)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def create_new_folder(folder: Path) -> None:
    """Create a private folder that no other command can have created, and the missing ones above it.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be created.
    """
    if folder.parent != folder:
        create_folder(folder.parent)
    folder.mkdir(FOLDER_MODE)
    _set_mode(folder, FOLDER_MODE)


def open_new(path: Path) -> TextIO:
    """Open a new private text file for writing, line by line.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be created.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    _set_mode(descriptor, FILE_MODE)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")


def write_text(path: Path, text: str, *, replace: bool = True) -> Path:
    """Write a whole private file and return its path; see `writing`."""
    with writing(path, replace=replace) as file:
        file.write(text.encode())
    return path


def lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed, and return whether no other process has it locked.

    A file system without locks counts as one on which no process has.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def rename_new(path: Path, new: Path) -> None:
    """Give a file another name in its folder, unless a file has that name; it has one of the two at each moment.

    Raises:
        FileExistsError: a file has that name.
        OSError: it cannot be renamed.
    """
    _link(path, new)
    path.unlink(missing_ok=True)
    _sync_folder(new.parent)


def require_creatable(path: Path) -> None:
    """Require that a file can be written, by creating it and the missing folders above it, and removing them again.

    A file that exists is opened, and stays as it is; a device or pipe is not.

    Raises:
        OSError: it cannot be written.
    """
    real = Path(os.path.realpath(path))
    if real.exists():
        if real.is_file() or real.is_dir():
            real.open("ab").close()
        return
    missing = [folder for folder in real.parents if not folder.exists()]
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        real.open("xb").close()
        real.unlink()
    finally:
        for folder in missing:
            with suppress(OSError):  # it could not be created, or another command has just put something there
                folder.rmdir()


@contextmanager
def writing(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Give a private file to write to, which gets the name `path` when the block ends without an error.

    It is then on the disk, and so is its name. After an error nothing of it remains.

    Args:
        path: in a folder that exists.
        replace: whether it replaces a file of that name.

    Raises:
        FileExistsError: a file of that name exists, and `replace` is false; or a device or a pipe has that name.
        OSError: the file could not be written.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FileExistsError(errno.EEXIST, "it is no regular file", str(path))
    descriptor, name = mkstemp(TEMPORARY_SUFFIX, TEMPORARY_PREFIX, path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        _set_mode(temporary, FILE_MODE)
        with temporary.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            _link(temporary, path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):  # an error of the block says more
            temporary.unlink(missing_ok=True)


def _set_mode(place: Path | int, mode: int) -> None:
    """Set the mode of what was just created: the umask may have removed more than others' rights."""
    with suppress(PermissionError):  # a file system without modes
        os.chmod(place, mode)  # noqa: PTH101 -- of a descriptor as well


def _link(temporary: Path, path: Path) -> None:
    """Give a file its name unless another one has it.

    Raises:
        FileExistsError: another one has it.
    """
    try:
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        open_new(path).close()  # reserves the name
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk, if its file system supports that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
