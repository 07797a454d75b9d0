"""Places of secrets: what stands there is read, again when asked again, within bounds, and never told."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.auth import secret_source as places
from purge_conformance.client.auth.secret_source import StoredToken, parse_secret_source
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's
PYTHON = f"{sys.executable} -c"


def given(text: str, **environ: str) -> StoredToken:
    """Return the source of an admin's token that stands somewhere."""
    return StoredToken("admin", parse_secret_source("token of admin", text, environ))


@pytest.mark.parametrize("text", [TOKEN, f"bearer {TOKEN}", f" Bearer  {TOKEN}\n", f"{TOKEN}\r\n"])
def test_token_is_bare(text: str, tmp_path: Path) -> None:
    """A token is read from variable, file and command alike, without its scheme and white space."""
    (tmp_path / "token").write_text(text, encoding="utf-8")
    command = f"""command:{PYTHON} "import pathlib; print(pathlib.Path('{tmp_path}/token').read_text())" """
    found = [given("env:A", A=text), given(f"file:{tmp_path / 'token'}"), given(command)]
    assert {one.fetch().value for one in found} == {TOKEN}


def test_what_stands_there_is_read_again(tmp_path: Path) -> None:
    """A file and a command may give another token later, a variable does not."""
    path = tmp_path / "token"
    path.write_text("the-first", encoding="utf-8")
    source = given(f"file:{path}")
    first = source.fetch().value
    path.write_text("the-second", encoding="utf-8")
    assert (first, source.fetch().value) == ("the-first", "the-second")
    assert [given(text).is_renewable for text in ("env:A", f"file:{path}", "command:x")] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("env:NOTHING", "is not set"),
        ("env:SPACED", "white space"),
        ("file:/no/such/file", "No such file"),
        ("command:/no/such/command", "No such file"),
        ("command:'", "cannot be read"),
        ("command: ", "cannot be read"),
        ("command:false", "ended with 1"),
        ("command:true", "printed nothing"),
        ("command:yes", "more than"),
        ("vault:x", "env:NAME, file:PATH or command:LINE"),
        ("env:", "env:NAME, file:PATH or command:LINE"),
    ],
)
def test_what_is_no_token_is_refused(text: str, words: str) -> None:
    """What gives no usable token is a bad setting that says why."""
    with pytest.raises(BadSetting, match=words):
        given(text, SPACED="two words", PATH="/usr/bin:/bin").fetch()


def test_command_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not end is ended, with what it started."""
    monkeypatch.setattr(places, "COMMAND_TIMEOUT_S", 0.2)
    with pytest.raises(BadSetting, match=r"did not end within 0\.2 s"):
        given("command:sh -c 'sleep 60 & sleep 60'", PATH="/usr/bin:/bin").fetch()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Be open to SIGINT, which a shell has its background jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_a_command(tmp_path: Path) -> None:
    """Whoever is interrupted does not wait for a command, which is ended as well."""
    path = tmp_path / "pid"
    script = f"echo $$ > {path}; sleep 0.2; kill -INT $PPID; exec sleep 60"
    with pytest.raises(KeyboardInterrupt):
        given(f"command:sh -c '{script}'", PATH="/usr/bin:/bin").fetch()
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text(encoding="utf-8")), 0)


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    """A line is a command and its words: nothing in it is a shell's."""
    assert (
        given(f"command:echo $HOME;touch${tmp_path}/made", PATH="/usr/bin:/bin").secret.read().startswith("$HOME;touch")
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", [f"env:{TOKEN}", f"file:{TOKEN}", f"command:{TOKEN}", TOKEN, f"env:A {TOKEN}"])
def test_misplaced_token_is_not_told(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A token where its source belongs is not repeated; neither is what a command says beside it."""
    with pytest.raises(BadSetting) as caught:
        given(text, A=f"{TOKEN} {TOKEN}").fetch()
    assert "c2VjcmV0" not in f"{caught.value} {capfd.readouterr()}"


def test_errors_of_a_command_are_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    """What a command writes to its standard error may hold a secret, and is not shown."""
    with pytest.raises(BadSetting) as caught:
        given("command:sh -c 'echo a-secret >&2; exit 3'", PATH="/usr/bin:/bin").fetch()
    assert "a-secret" not in f"{caught.value} {capfd.readouterr()}"
    assert "ended with 3" in str(caught.value)
