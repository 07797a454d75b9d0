"""Whether a configuration file that is found in the current folder, and that no flag names, may run commands."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
COMMAND_SOURCE = re.compile("(^|:)command:")  # `command:LINE`, also as the secret of a login


def find_distrust(file: IO[str], path: Path) -> str:
    """Return why others may have written an open configuration file; empty if only its user can.

    Args:
        file: the open file, which is looked at itself: another one may have its name by now.
        path: its name, relative to the current folder.
    """
    about, user = os.fstat(file.fileno()), os.geteuid()
    if about.st_uid != user:
        return "it belongs to another user"
    if about.st_mode & WRITABLE_BY_OTHERS:
        return "others may write to it"
    for folder in dict.fromkeys((path.absolute().parent, path.resolve().parent)):
        about = folder.stat()
        if about.st_uid not in {user, 0}:
            return f"the folder {folder} belongs to another user"
        if about.st_mode & WRITABLE_BY_OTHERS:
            return f"others may write to the folder {folder}"
    return ""


def require_no_command(path: Path, file_values: Mapping[str, object], values: Mapping[str, object], why: str) -> None:
    """Require that no value of an untrusted file, as far as it is in effect, runs a command.

    Args:
        path: the file.
        file_values: option name -> value in the file.
        values: the same, merged with all other sources.
        why: why the file is not trusted.

    Raises:
        BadSetting: a value runs a command; the message names the option.
    """
    names = sorted({name for name, _ in _commands(file_values) & _commands(values)})
    if names:
        raise BadSetting(
            f"{path} was found in the current folder and runs a command ({', '.join(names)}), but {why}. "
            f"If you trust it, name it: --config {path} (pytest: --conformance-config). "
            f"Or let only yourself write to it and to its folder: chmod go-w {path} ."
        )


def _commands(values: Mapping[str, object]) -> set[tuple[str, str]]:
    """Return the name and the text of each value that runs a command: `hook`, or `tokens.ROLE`."""
    return {pair for name, value in values.items() for pair in _commands_of(name, value)}


def _commands_of(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from _commands_of(f"{name}.{member}", inner)
    elif isinstance(value, str) and COMMAND_SOURCE.search(value):
        yield name, value
