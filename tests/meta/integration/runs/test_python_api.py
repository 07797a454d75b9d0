"""A run that a Python program starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from purge_conformance import load_report, run
from purge_conformance.report.model import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_run_from_python(tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """A run judges a reference server, returns its report, logs its lines, and prints nothing."""
    caplog.set_level(logging.INFO, "purge_conformance")
    report = run(out=tmp_path / "out", select="PURGE-01", examples=1, format=["sarif"])
    assert (report.verdict, report.exit_code) == (Verdict.PARTIAL, 0)
    assert report == load_report(tmp_path / "out")
    assert (tmp_path / "out" / "report.sarif").exists()
    assert "each destroys all app usage events" in caplog.messages[0]
    assert capfd.readouterr() == ("", "")
