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

from purge_conformance.client.auth.token import Token, build_token, strip_scheme
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 64 * 1024
COMMAND_TIMEOUT_S = 30.0  # seconds that a command may take
SOURCE_FORMS = "env:NAME, file:PATH or command:LINE"
KINDS = ("env", "file", "command")


@dataclass(frozen=True, slots=True)
class SecretSource:
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
                text, missing = _read_file(self.what, Path(self.name)), "file is empty"
            case _:
                text, missing = _run_command(self.what, self.name, self.environ), "command printed nothing"
        if not text.strip():
            raise BadSetting(f"The {self.what} is missing: the {missing}. Put it there.")
        return text.strip()


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token that stands somewhere; a file is read again and a command run again for another one."""

    role: str
    secret: SecretSource

    @property
    def is_renewable(self) -> bool:
        """An environment does not change."""
        return self.secret.kind != "env"

    def fetch(self) -> Token:
        """Return the token that stands there now."""
        return build_token(strip_scheme(self.secret.read(), self.role))


def parse_secret_source(what: str, text: str, environ: Mapping[str, str]) -> SecretSource:
    """Return the place that a text names.

    Raises:
        BadSetting: it names none; the text is not shown.
    """
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name:
        raise BadSetting(f"The {what} wants {SOURCE_FORMS} as its source; it got something else.")
    return SecretSource(what, kind, name, environ)


def _read_file(what: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadSetting(f"The {what} cannot be read from its file: {reason}. Name a readable file.") from None


def _run_command(what: str, line: str, environ: Mapping[str, str]) -> str:
    """Return what a command prints; no shell reads the line, and what it says besides is not shown."""
    next_step = "Try the command by hand."
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
        raise BadSetting(f"The command for the {what} cannot be run: {reason}. {next_step}") from None
    output, code = _read_output(process)
    if len(output) > MAX_BYTES:
        raise BadSetting(f"The command for the {what} printed more than {MAX_BYTES} bytes. {next_step}")
    if code < 0:
        raise BadSetting(f"The command for the {what} did not end within {COMMAND_TIMEOUT_S:g} s. {next_step}")
    if code:
        raise BadSetting(f"The command for the {what} ended with {code}. {next_step}")
    return output.decode("utf-8", "replace")


def _read_output(process: subprocess.Popen[bytes]) -> tuple[bytes, int]:
    """Return what it prints, a little more than the most at the most, and its exit code; negative if it was killed."""
    timer = Timer(COMMAND_TIMEOUT_S, _kill, [process])
    timer.start()
    with process:
        try:
            output = process.stdout.read(MAX_BYTES + 1) if process.stdout else b""
            if len(output) > MAX_BYTES:
                _kill(process)
            return output, process.wait()
        except BaseException:  # an interrupt: leaving the block would wait for the command
            _kill(process)
            raise
        finally:
            timer.cancel()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started, which may hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
