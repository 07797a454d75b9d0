"""Reads a secret from an environment variable, a file or the output of a command."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from purge_conformance.client.auth.token import SCHEME, Token, build_token, strip_scheme
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.redaction import Redactor, variable

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 64 * 1024
COMMAND_TIMEOUT_S = 30.0  # the longest run of a command
SOURCE_FORMS = "env:NAME, file:PATH or command:LINE"
KINDS = ("env", "file", "command")
VARIABLE = re.compile(r"[A-Z][A-Z_]{1,30}(_[A-Z0-9]{1,10}){0,4}")  # no secret that a user could have pasted


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where to read one secret.

    Attributes:
        what: the secret in words, for example "token of admin".
        kind: `env`, `file` or `command`.
        name: the variable, the path or the command line. Only what is a usual name of a variable is shown, because
            users paste secrets here by mistake.
        environ: environment variables.
        redactor: learns the secret as soon as it is read.
    """

    what: str
    kind: str
    name: str = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    def read(self) -> str:
        """Return the secret, without white space around it.

        Raises:
            BadSetting: it is empty, or cannot be read.
        """
        match self.kind:
            case "env":
                shown = f" {self.name}" if VARIABLE.fullmatch(self.name) else ""
                text = self.environ.get(self.name, "")
                missing = f"environment variable{shown} is not set, or empty. Set it"
            case "file":
                text, missing = _read_file(self.what, Path(self.name)), "file is empty. Write the secret into it"
            case _:
                text = _run_command(self.what, self.name, self.environ)
                missing = "command printed nothing. Run it in a shell to see why"
        if not text.strip():
            raise BadSetting(f"The {self.what} is missing: its {missing}.")
        self.learn(text)
        return text.strip()

    def learn(self, text: str) -> None:
        """Let the redactor learn the secret."""
        kind, role = re.split(" of | ", self.what)[:2]
        self.redactor.add_secret(f"{variable(role)}_{variable(kind)}", SCHEME.sub("", text).strip(), self.what)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """The source of a role's token that is stored somewhere; each renewal reads the file or runs the command again."""

    role: str
    secret: SecretSource

    @property
    def is_renewable(self) -> bool:
        """Whether the stored token may change; an environment variable of this process does not."""
        return self.secret.kind != "env"

    def fetch(self) -> Token:
        """Return the token that is stored now."""
        return build_token(strip_scheme(self.secret.read(), self.role))


def parse_secret_source(what: str, text: str, environ: Mapping[str, str], redactor: Redactor) -> SecretSource:
    """Parse a source such as `env:NAME`; `what` is in words what it has, for example "token of admin".

    Raises:
        BadSetting: the text has another form; the message does not quote it.
    """
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name:
        raise BadSetting(f"The source of the {what} is not valid. Give one of: {SOURCE_FORMS}.")
    source = SecretSource(what, kind, name, environ, redactor)
    if kind == "env":
        source.learn(environ.get(name, ""))  # known before the login of another role is sent
    return source


def _read_file(what: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadSetting(
            f"The file with the {what} cannot be read: {reason}. Give a readable one: file:PATH."
        ) from None


def _run_command(what: str, line: str, environ: Mapping[str, str]) -> str:
    """Return what a command prints; it runs without a shell, and its error output is discarded."""
    next_step = "Run it in a shell to see why."
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
        reason = error.strerror if isinstance(error, OSError) else "the command line cannot be parsed"
        raise BadSetting(f"The command for the {what} cannot be run: {reason}. {next_step}") from None
    output, code = _read_output(process)
    if len(output) > MAX_BYTES:
        raise BadSetting(f"The command for the {what} printed more than {MAX_BYTES} bytes. {next_step}")
    if code < 0:
        raise BadSetting(f"The command for the {what} did not finish within {COMMAND_TIMEOUT_S:g} s. {next_step}")
    if code:
        raise BadSetting(f"The command for the {what} failed with exit code {code}. {next_step}")
    return output.decode("utf-8", "replace")


def _read_output(process: subprocess.Popen[bytes]) -> tuple[bytes, int]:
    """Return at most `MAX_BYTES` + 1 bytes of output and the exit code, which is negative if the command was killed."""
    timer = Timer(COMMAND_TIMEOUT_S, _kill, [process])
    timer.start()
    with process:
        try:
            output = process.stdout.read(MAX_BYTES + 1) if process.stdout else b""
            if len(output) > MAX_BYTES:
                _kill(process)
            return output, process.wait()
        except BaseException:  # an interrupt: leaving the block waits for the command
            _kill(process)
            raise
        finally:
            timer.cancel()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and its children, which may hold the pipe open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
