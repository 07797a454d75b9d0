"""Commands that print a secret."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.client.auth import secret_source as places
from purge_conformance.client.auth.secret_source import StoredToken, parse_secret_source
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's
PYTHON = f"{sys.executable} -c"


def token_source(text: str, **environ: str) -> StoredToken:
    """Return the source of an admin's token."""
    return StoredToken("admin", parse_secret_source("token of admin", text, environ, Redactor()))


@pytest.mark.parametrize("text", [TOKEN, f"bearer {TOKEN}", f" Bearer  {TOKEN}\n", f"{TOKEN}\r\n"])
def test_printed_token_has_no_scheme(text: str, tmp_path: Path) -> None:
    """A token is read from a command, without its scheme and white space."""
    (tmp_path / "token").write_text(text, encoding="utf-8")
    command = f"""command:{PYTHON} "import pathlib; print(pathlib.Path('{tmp_path}/token').read_text())" """
    assert token_source(command).fetch().value == TOKEN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("command:/no/such/command", "No such file"),
        ("command: ", "cannot be parsed"),
        ("command:false", "exit code 1"),
        ("command:true", "printed nothing"),
        ("command:yes", "more than"),
    ],
)
def test_command_without_token_is_rejected(text: str, words: str) -> None:
    """A command without a usable token is a bad setting that says why."""
    with pytest.raises(BadSetting, match=words):
        token_source(text, PATH="/usr/bin:/bin").fetch()


def test_command_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that exceeds the timeout is killed, with its child processes."""
    monkeypatch.setattr(places, "COMMAND_TIMEOUT_S", 0.2)
    with pytest.raises(BadSetting, match=r"did not finish within 0\.2 s"):
        token_source("command:sh -c 'sleep 60 & sleep 60'", PATH="/usr/bin:/bin").fetch()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT, which a shell ignores in background jobs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt ends the wait for a command, and the command too."""
    path, waiting, never = (tmp_path / name for name in ("pid", "waiting", "never"))
    for fifo in (waiting, never):
        os.mkfifo(fifo)

    class Announced(io.BufferedReader):
        def read(self, size: int | None = -1, /) -> bytes:
            waiting.write_text("now\n", encoding="utf-8")
            return super().read(size)

    class Announcing(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 -- those of Popen
            super().__init__(*arguments, **more)
            assert isinstance(self.stdout, io.BufferedReader)
            self.stdout = Announced(self.stdout.detach())

    monkeypatch.setattr(subprocess, "Popen", Announcing)
    script = f"echo $$ > {path}; read now < {waiting}; kill -INT $PPID; read forever < {never}"
    with pytest.raises(KeyboardInterrupt):
        token_source(f"command:sh -c '{script}'", PATH="/usr/bin:/bin").fetch()
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text(encoding="utf-8")), 0)


def test_command_uses_no_shell(tmp_path: Path) -> None:
    """A line is a command and its arguments: no shell expands it."""
    assert (
        token_source(f"command:echo $HOME;touch${tmp_path}/made", PATH="/usr/bin:/bin")
        .secret.read()
        .startswith("$HOME;touch")
    )
    assert not list(tmp_path.iterdir())


def test_token_in_place_of_command_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A token in the place of a command is not printed."""
    with pytest.raises(BadSetting) as caught:
        token_source(f"command:{TOKEN}").fetch()
    assert "c2VjcmV0" not in f"{caught.value} {capfd.readouterr()}"


def test_command_stderr_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """The standard error of a command may contain a secret, and is not printed."""
    with pytest.raises(BadSetting) as caught:
        token_source("command:sh -c 'echo a-secret >&2; exit 3'", PATH="/usr/bin:/bin").fetch()
    assert "a-secret" not in f"{caught.value} {capfd.readouterr()}"
    assert "exit code 3" in str(caught.value)
