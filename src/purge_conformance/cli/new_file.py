"""A file that a command writes where the user says."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

import click

from purge_conformance.errors import BadSetting
from purge_conformance.evidence import files

NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def require_writable(path: Path, *inputs: Path) -> None:
    """Require that a file can be written, and that it replaces no file of a run and none that the command reads.

    Args:
        path: the file, which is replaced if it exists.
        inputs: the files, and the folders, that the command reads.

    Raises:
        BadSetting: it cannot be written, or it would replace one of these.
    """
    from purge_conformance.engine.run_folder import NAMES

    if path.name in NAMES or (path.exists() and any(path.samefile(each) for each in inputs)):
        raise BadSetting(f"--out {path} would replace a file of a run. Give another FILE.")
    if path.exists() and not path.is_file():
        raise BadSetting(f"--out {path} is a device or a pipe. Give the name of a FILE.")
    try:
        files.require_creatable(path)
    except OSError as error:
        raise BadSetting(f"--out {path} cannot be written: {error.strerror}. Give another FILE.") from None


def rewrite_file(path: Path, text: str) -> None:
    """Write a file of the user again, with its mode and its line ends; a symbolic link stays one.

    Args:
        path: of the file, which exists.
        text: its lines end with a line feed.
    """
    real = path.resolve()
    mode, ends = real.stat().st_mode, b"\r\n" in real.read_bytes()
    files.write_text(real, text.replace("\n", "\r\n") if ends else text)
    with suppress(PermissionError):  # a file system without modes
        real.chmod(S_IMODE(mode))


def write_file(path: Path, text: str) -> None:
    """Write a whole private file, in a folder that is created if needed."""
    files.create_folder(path.parent)
    files.write_text(path, text)
