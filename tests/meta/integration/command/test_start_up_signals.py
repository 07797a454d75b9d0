"""A signal before a command has begun its work, and while it waits: one sentence and exit code 3."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from meta.support.command import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MESSAGE = "Error: Interrupted. The command did not finish; run it again.\n"


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("click", ("list",)),  # before any command is known
        ("yaml", ("doctor", "http://127.0.0.1:1")),
        ("requests", ("run", "http://127.0.0.1:1", "--token=admin=env:HOME")),
    ],
)
def test_signal_during_import(number: int, module: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A signal while a module is imported ends the command with one sentence and no traceback."""
    (tmp_path / f"{module}.py").write_text(f"import signal\nsignal.raise_signal({number:d})\n", encoding="utf-8")
    result = run_command(*arguments, folder=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (result.code, result.stdout, result.stderr) == (3, "", MESSAGE)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", ["run", "doctor", "plan", "archive", "cleanup"])
def test_signal_during_login(name: str, number: int, stub_server: StubServer, tmp_path: Path) -> None:
    """A signal while a token source is asked ends the command before any request with a token."""
    script = f"import os, signal; os.kill(os.getppid(), {number:d}); signal.pause()"
    source = f"--token=admin=command:{sys.executable} -c '{script}'"
    out = ("--out", tmp_path / "out") if name in {"run", "archive"} else ()
    result = run_command(name, stub_server.url, source, *out, folder=tmp_path)
    assert (result.code, result.stdout, result.stderr) == (3, "", MESSAGE)
    assert {line.split(" ")[1] for line, _ in stub_server.received} <= {"/"}
    assert not any("Authorization" in headers for _, headers in stub_server.received)
    assert list(tmp_path.iterdir()) == []


def test_ignored_signal_during_login(tmp_path: Path) -> None:
    """SIGHUP under nohup does not end a command."""
    script = f'import os; os.kill(os.getppid(), {signal.SIGHUP:d}); print("token")'
    source = f"--token=admin=command:{sys.executable} -c '{script}'"
    result = run_command(
        *("plan", "http://127.0.0.1:1", source),
        folder=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert (result.code, "no response to GET /" in result.stdout) == (3, True), result.stderr
