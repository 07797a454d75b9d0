"""Reports that cannot be written: the others are, and the exit code says whether a program can read the result."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from meta.support.command import run_command
from meta.support.running_command import ADMIN, PROGRAM, SECRET, accept_everything
from purge_conformance.report import REPORT_NAMES

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import FullRun
    from meta.support.stub import StubServer


@pytest.mark.parametrize(
    ("name", "code", "word"), [("report.json", 3, "Error"), ("junit.xml", 3, "Error"), ("report.html", 0, "Warning")]
)
def test_exit_code_of_missing_report(name: str, code: int, word: str, full_run: FullRun, tmp_path: Path) -> None:
    """Without report.json or junit.xml the exit code is 3; in each case the verdict is printed."""
    out = tmp_path / "again"
    (out / name).mkdir(parents=True)
    result = run_command("judge", full_run.folder, "--out", out, folder=out)
    assert (result.code, result.stderr.count("\n")) == (code, 1)
    assert result.stderr.startswith(f"{word}: Not written to {out}: {name}: Is a directory. ")
    assert "Verdict: conformant" in result.stdout + result.stderr
    assert {path.name for path in out.iterdir() if path.is_file()} == {*REPORT_NAMES, "evidence.jsonl"} - {name}


def test_full_disk_while_judging(full_run: FullRun, tmp_path: Path) -> None:
    """A disk that takes no report leaves no half of one, and the message is one line."""
    out = tmp_path / "again"
    out.mkdir()
    shutil.copy(full_run.folder / "evidence.jsonl", out)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # has a file
    result = run_command(
        *("judge", full_run.folder, "--out", out),
        folder=out,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert (result.code, result.stderr.count("\n"), [path.name for path in out.iterdir()]) == (
        3,
        1,
        ["evidence.jsonl"],
    )
    assert "report.json, junit.xml, summary.md, report.html: File too large" in result.stderr


def test_run_with_missing_report(stub_server: StubServer, tmp_path: Path) -> None:
    """A run whose junit.xml cannot be written prints its verdict and ends with exit code 3."""
    out = tmp_path / "run"

    def obstruct(handler: BaseHTTPRequestHandler) -> None:
        (out / "junit.xml").mkdir(exist_ok=True)
        accept_everything(stub_server, handler)

    stub_server.answer = obstruct
    selection = ("--profile=observe-only", "--select=LIST-01")
    arguments = ("run", stub_server.url, ADMIN, *selection, "--out", out)
    result = run_command(*arguments, folder=out, env=os.environ | SECRET)
    assert (result.code, result.report["verdict"]) == (3, "non-conformant")
    assert "Verdict: non-conformant" in result.stdout
    assert result.stderr.startswith("Error: Not written to")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_while_judging(number: int, full_run: FullRun, tmp_path: Path) -> None:
    """A signal while the command waits for the judgments ends it with one sentence."""
    out = tmp_path / "again"
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, subprocess\n"
        "class Popen(subprocess.Popen):\n"
        "    def communicate(self, *arguments, **more):\n"
        f"        signal.raise_signal({number:d})\n"
        "        return super().communicate(*arguments, **more)\n"
        "subprocess.Popen = Popen\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [PROGRAM, "judge", str(full_run.folder), "--out", str(out)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    message = "Error: Interrupted. The command did not finish; run it again.\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", message)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_while_a_run_is_judged(number: int, stub_server: StubServer, tmp_path: Path) -> None:
    """After the last scenario a signal loses nothing: all reports are written, and the exit code is 3."""
    out = tmp_path / "out"
    stub_server.answer = lambda handler: accept_everything(stub_server, handler)
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, subprocess\n"
        "class Popen(subprocess.Popen):\n"
        "    def communicate(self, *arguments, **more):\n"
        f"        if {f'--conformance-out={out}'!r} in self.args:\n"
        f"            signal.raise_signal({number:d})\n"
        "        return super().communicate(*arguments, **more)\n"
        "subprocess.Popen = Popen\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [PROGRAM, "run", stub_server.url, ADMIN, "--quiet", "--max-requests=60", "--out", str(out)],
        env=os.environ | SECRET | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, {each.name for each in out.iterdir()} >= {*REPORT_NAMES}) == (3, True), done.stderr
    assert f"Error: Interrupted while judging ({signal.Signals(number).name})." in done.stderr
