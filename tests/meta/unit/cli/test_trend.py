"""`trend`: the page that it writes, and what it names on the terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meta.support.invoke import invoke
from meta.support.reports import report, row, write_report

if TYPE_CHECKING:
    from pathlib import Path


def test_page_is_written(tmp_path: Path) -> None:
    """The page is in the folder by default, or where `--out` says; it replaces an older one."""
    write_report(tmp_path / "run", report(row("A-1")))
    for _ in range(2):
        result = invoke("trend", str(tmp_path))
        assert (result.exit_code, result.output) == (0, f"1 run: {tmp_path / 'trend.html'}\n")
    other = tmp_path / "sub" / "page.html"
    assert invoke("trend", str(tmp_path), f"--out={other}").exit_code == 0
    assert other.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_unreadable_reports_are_named(tmp_path: Path) -> None:
    """What is not shown is named on standard error, one line each; the page is written all the same."""
    write_report(tmp_path / "run", report(row("A-1")))
    write_report(tmp_path / "bad\x1b[2J", [])
    result = invoke("trend", str(tmp_path))
    assert result.exit_code == 0
    assert result.stderr.startswith(f"Warning: not shown: {tmp_path}/bad\\x1b[2J/report.json: got [] as `report`")
    assert result.stderr.count("\n") == 1


def test_usage_errors(tmp_path: Path) -> None:
    """A folder without reports, a file of a run or a pipe as the page, and a missing folder end with exit code 2."""
    empty = invoke("trend", str(tmp_path))
    assert (empty.exit_code, "Give a folder of runs." in empty.output) == (2, True)
    write_report(tmp_path, report(row("A-1")))
    before = (tmp_path / "report.json").read_bytes()
    assert invoke("trend", str(tmp_path), f"--out={tmp_path / 'report.json'}").exit_code == 2
    assert (tmp_path / "report.json").read_bytes() == before
    assert invoke("trend", str(tmp_path / "none")).exit_code == 2
    os.mkfifo(tmp_path / "pipe")
    pipe = invoke("trend", str(tmp_path), f"--out={tmp_path / 'pipe'}")
    assert (pipe.exit_code, "is a device or a pipe. Give the name of a FILE." in pipe.output) == (2, True)
    assert (tmp_path / "pipe").is_fifo()
