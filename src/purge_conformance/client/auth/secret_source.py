"""Where a secret of the user's stands: in an environment variable, in a file, or in what a command prints."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from purge_conformance.client.auth.token import Token, bare, token
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 64 * 1024
PATIENCE = 30.0  # seconds that a command may take
FORMS = "env:NAME, file:PATH or command:LINE"
KINDS = ("env", "file", "command")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one secret stands.

    Attributes:
        what: in words, for example "token of admin".
        kind: `env`, `file` or `command`.
        name: of the variable, the file, or the line of the command; never shown: it may be a secret in the wrong place.
        environ: environment variables.
    """

    what: str
    kind: str
    name: str = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    def read(self) -> str:
        """Return the secret as it stands there, without white space around it.

        Raises:
            BadSetting: there is none.
        """
        match self.kind:
            case "env":
                text, missing = self.environ.get(self.name, ""), "environment variable is not set, or empty"
            case "file":
                text, missing = _of_file(self.what, Path(self.name)), "file is empty"
            case _:
                text, missing = _of_command(self.what, self.name, self.environ), "command printed nothing"
        if not text.strip():
            raise BadSetting(f"The {self.what} is missing: the {missing}. Put it there.")
        return text.strip()


@dataclass(frozen=True, slots=True)
class Given:
    """A token that stands somewhere; a file is read again and a command run again for another one."""

    role: str
    place: Place

    @property
    def is_renewable(self) -> bool:
        """An environment does not change."""
        return self.place.kind != "env"

    def fetch(self) -> Token:
        """Return the token that stands there now."""
        return token(bare(self.place.read(), self.role))


def place(what: str, text: str, environ: Mapping[str, str]) -> Place:
    """Return the place that a text names.

    Raises:
        BadSetting: it names none; the text is not shown.
    """
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name:
        raise BadSetting(f"The {what} wants {FORMS} as its source; it got something else.")
    return Place(what, kind, name, environ)


def _of_file(what: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadSetting(f"The {what} cannot be read from its file: {reason}. Name a readable file.") from None


def _of_command(what: str, line: str, environ: Mapping[str, str]) -> str:
    """Return what a command prints; no shell reads the line, and what it says besides is not shown."""
    cure = "Try the command by hand."
    try:
        words = shlex.split(line)
        process = subprocess.Popen(  # noqa: S603 -- the user's own command
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the line cannot be read"
        raise BadSetting(f"The command for the {what} cannot be run: {reason}. {cure}") from None
    printed, code = _printed(process)
    if len(printed) > MOST_BYTES:
        raise BadSetting(f"The command for the {what} printed more than {MOST_BYTES} bytes. {cure}")
    if code < 0:
        raise BadSetting(f"The command for the {what} did not end within {PATIENCE:g} s. {cure}")
    if code:
        raise BadSetting(f"The command for the {what} ended with {code}. {cure}")
    return printed.decode("utf-8", "replace")


def _printed(process: subprocess.Popen[bytes]) -> tuple[bytes, int]:
    """Return what it prints, a little more than the most at the most, and its exit code; negative if it was killed."""
    timer = Timer(PATIENCE, _kill, [process])
    timer.start()
    with process:
        try:
            printed = process.stdout.read(MOST_BYTES + 1) if process.stdout else b""
            if len(printed) > MOST_BYTES:
                _kill(process)
            return printed, process.wait()
        except BaseException:  # an interrupt: leaving the block would wait for the command
            _kill(process)
            raise
        finally:
            timer.cancel()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started, which may hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
