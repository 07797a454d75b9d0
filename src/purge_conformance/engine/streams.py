"""Standard output and standard error that may go away: what cannot be written is dropped, and a warning says so once.

A reader may close its end of a pipe, a disk may be full, a terminal may be closed. A run goes on without that stream,
deletes its apps and writes its reports.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

STDIN, STDOUT, STDERR = range(3)
NAMES = {STDOUT: "Standard output", STDERR: "Standard error"}


class TolerantStream:
    """A text stream whose first error is reported on standard error and after which all output is dropped."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream, which has a file descriptor."""
        self._stream = stream
        self._is_broken = False

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, or drop it; return its length."""
        try:
            return len(text) if self._is_broken else self._stream.write(text)
        except (OSError, ValueError) as error:
            self._drop(error)
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts, or drop them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        try:
            if not self._is_broken:
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        """Redirect the descriptor to the null device, write there what is buffered, and report the reason."""
        self._is_broken = True
        with suppress(OSError, ValueError):
            number = self._stream.fileno()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)
            self._stream.flush()
            _warn(number, str(getattr(error, "strerror", None) or error))


def tolerate_broken_streams() -> None:
    """Make `sys.stdout` and `sys.stderr` tolerant; the null device replaces a stream that is closed at the start.

    Otherwise the next file that is opened would get the number of the closed stream, and its output.
    """
    missing = [number for number in (STDIN, STDOUT, STDERR) if _open_if_closed(number)]
    sys.stdin = sys.stdin or open(STDIN, closefd=False, encoding="utf-8")  # noqa: SIM115 -- a descriptor
    sys.stdout, sys.stderr = (_tolerant(number, stream) for number, stream in enumerate((sys.stdout, sys.stderr), 1))
    if STDOUT in missing:
        _warn(STDOUT, "it is closed")


def _warn(number: int, reason: str) -> None:
    if number != STDERR:
        name = NAMES.get(number, "The output")
        sys.stderr.write(f"Warning: {name} cannot be written ({reason}); the command goes on without it.\n")
        sys.stderr.flush()


def _open_if_closed(number: int) -> bool:
    """Open the null device as this descriptor if it is closed, as the lowest number that is free."""
    try:
        os.fstat(number)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        return True
    return False


def _tolerant(number: int, stream: TextIO | None) -> TextIO:
    """Return the stream as a tolerant one, which also escapes what its encoding lacks."""
    text = stream or open(number, "w", closefd=False, encoding="utf-8")  # noqa: SIM115 -- a descriptor
    if isinstance(text, TextIOWrapper):
        text.reconfigure(errors="backslashreplace")
    return cast("TextIO", TolerantStream(text))
