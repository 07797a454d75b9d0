"""Commands whose output streams are full, closed or have no reader."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.running_command import ADMIN, PROGRAM, SECRET, accept_everything

if TYPE_CHECKING:
    from meta.support.stub import StubServer

WARNING = "Warning: Standard output cannot be written"


def run_in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run the program with the redirections of a shell."""
    command = ["bash", "-o", "pipefail", "-c", f'"$0" {line}', PROGRAM]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("list > /dev/full", 0, "No space left on device"),
        ("list >&-", 0, "it is closed"),
        ("list | true", 0, "Broken pipe"),
        ("--help > /dev/full", 0, "No space left on device"),
        ("list --select=NO-SUCH 2> /dev/full", 2, ""),
        ("list --select=NO-SUCH 2>&-", 2, ""),
        ("no-such-command >&- 2>&-", 2, ""),
        ("list <&- | tail -1", 0, ""),
    ],
)
def test_exit_code_is_kept(line: str, code: int, reason: str) -> None:
    """The exit code is that of the command, and standard error says in one line what was not printed."""
    done = run_in_shell(line)
    expected = f"{WARNING} ({reason}); the command goes on without it.\n" if reason else ""
    assert (done.returncode, done.stderr) == (code, expected)


def _run(stub_server: StubServer, out: Path, **streams: Any) -> subprocess.Popen[str]:  # noqa: ANN401 -- of Popen
    stub_server.answer = lambda handler: accept_everything(stub_server, handler)
    command = [PROGRAM, "run", stub_server.url, ADMIN, "--verbose", "--select=PURGE-0*", "--out", str(out)]
    return subprocess.Popen(command, env=os.environ | SECRET, text=True, **streams)


def _require_finished(stub_server: StubServer, out: Path) -> None:
    assert {path.name for path in out.iterdir()} >= {"report.json", "report.html", "junit.xml", "summary.md"}
    assert stub_server.received[-1][0].split(" ")[0] in {"DELETE", "GET"}
    assert any(line.startswith("DELETE /v3/") for line, _ in stub_server.received)


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_run_without_reader(lines: int, stub_server: StubServer, tmp_path: Path) -> None:
    """A run whose reader goes away, as with `| head -1`, ends as any other: apps deleted, reports written."""
    with _run(stub_server, tmp_path / "out", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        for _ in range(lines):
            process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors.count(WARNING), "Traceback" in errors) == (1, 1, False), errors
    _require_finished(stub_server, tmp_path / "out")


@pytest.mark.parametrize("both", [True, False])
def test_run_on_full_device(stub_server: StubServer, tmp_path: Path, *, both: bool) -> None:
    """A run that can print nothing still has the exit code of its verdict and writes its reports."""
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        _run(stub_server, tmp_path / "out", stdout=full, stderr=full if both else subprocess.DEVNULL) as process,
    ):
        assert process.wait(60) == 1
    _require_finished(stub_server, tmp_path / "out")
