"""Commands whose output streams are full, closed or have no reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from meta.support.paths import CONFORMANCE
from meta.support.running_command import ADMIN, PROGRAM
from purge_conformance.engine import reference_process
from purge_conformance.report import REPORT_NAMES
from purge_conformance.report.model import EXIT_CODES, Verdict

READ_ONLY = ("--profile=observe-only", "--select=LIST-01")
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


def _start(server: tuple[str, dict[str, str]], out: Path, *more: str, **streams: Any) -> subprocess.Popen[str]:  # noqa: ANN401
    url, tokens = server
    command = [PROGRAM, "run", url, ADMIN, "--verbose", "--out", str(out), *more]
    return subprocess.Popen(command, env=os.environ | {"ADMIN_SECRET": tokens["admin"]}, text=True, **streams)


def _read(process: subprocess.Popen[str], lines: int) -> str:
    """Read a few lines of its output, then close that; return its errors."""
    assert process.stdout
    assert process.stderr
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    return process.stderr.read()


def _require_reports(out: Path) -> None:
    assert {path.name for path in out.iterdir()} >= {"evidence.jsonl", *REPORT_NAMES}


def test_run_without_reader(tmp_path: Path) -> None:
    """A run whose reader goes away, as with `| head -1`, ends as any other: apps deleted, reports written."""
    pipe = subprocess.PIPE
    with reference_process.server() as server:
        with _start(server, tmp_path / "out", stdout=pipe, stderr=pipe) as process:
            errors = _read(process, 1)
        headers = {"Authorization": f"bearer {server[1]['admin']}"}
        for name in ("apps", "spaces", "organizations"):
            assert requests.get(f"{server[0]}/v3/{name}", headers=headers, timeout=30).json()["resources"] == []
    report = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert process.returncode == EXIT_CODES[Verdict(report["verdict"])]
    assert errors == f"{WARNING} (Broken pipe); the command goes on without it.\n"
    assert report["purges"] > 0
    _require_reports(tmp_path / "out")


@pytest.mark.parametrize("lines", [0, 3])
def test_reading_run_without_reader(lines: int, reference_server: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """The moment at which the reader goes away makes no difference."""
    pipe = subprocess.PIPE
    with _start(reference_server, tmp_path / "out", *READ_ONLY, stdout=pipe, stderr=pipe) as process:
        errors = _read(process, lines)
    assert (process.returncode, errors.count(WARNING), errors.count("\n")) == (0, 1, 1)
    _require_reports(tmp_path / "out")


@pytest.mark.parametrize("both", [True, False])
def test_run_on_full_device(reference_server: tuple[str, dict[str, str]], tmp_path: Path, *, both: bool) -> None:
    """A run that can print nothing still has the exit code of its verdict and writes its reports."""
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        _start(
            *(reference_server, tmp_path / "out", *READ_ONLY),
            stdout=full,
            stderr=full if both else subprocess.DEVNULL,
        ) as process,
    ):
        assert process.wait(60) == 0
    _require_reports(tmp_path / "out")


def test_plain_pytest_without_reader(reference_server: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """Plain pytest whose reader goes away before the run is announced still judges, and exits by the verdict."""
    url, tokens = reference_server
    done = subprocess.run(
        [
            *("bash", "-o", "pipefail", "-c", '"$@" | true', "bash", sys.executable, "-m", "pytest"),
            *(str(CONFORMANCE), f"--target={url}", ADMIN, f"--conformance-out={tmp_path / 'out'}"),
            *("-q", "--conformance-profile=observe-only", "--conformance-select=LIST-01"),
        ],
        env=os.environ | {"ADMIN_SECRET": tokens["admin"]},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    _require_reports(tmp_path / "out")
