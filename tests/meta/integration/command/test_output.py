"""The output of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.command import FullRun
    from meta.support.stub import StubServer


def test_purge_budget_is_printed_first(full_run: FullRun) -> None:
    """The purge budget and the effect of a purge are printed before the first purge."""
    lines = full_run.stdout.splitlines()
    assert "at most 40 purges, each destroys all app usage events" in lines[0]
    assert min(n for n, line in enumerate(lines) if "POST /v3/app_usage_events/actions" in line) > 0


def test_piped_output_is_plain(full_run: FullRun) -> None:
    """Output that is not a terminal is plain lines without colours or carriage returns."""
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", full_run.stdout) == []


def test_verbose_shows_each_request(full_run: FullRun) -> None:
    """With --verbose each request is a line."""
    requests = re.findall(r"^ +(\d+) \S+ [A-Z]+ /\S* -> \d+$", full_run.stdout, re.MULTILINE)
    assert len(requests) == full_run.report["requests"]


def test_last_lines_show_verdict(full_run: FullRun) -> None:
    """The last lines are the verdict and the path of the reports."""
    *_, verdict, reports = full_run.stdout.splitlines()
    assert verdict.startswith("Verdict: conformant.")
    assert str(full_run.folder / "report.html") in reports


def test_quiet_prints_only_verdict(stub_server: StubServer, tmp_path: Path) -> None:
    """With --quiet nothing is printed before the end."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 404)
    result = invoke("run", stub_server.url, ADMIN, "--quiet", "--select=ROUTE-01", "--out", str(tmp_path / "out"))
    assert (result.exit_code, "collecting" in result.output, "at most" in result.output) == (3, False, False)
    assert "Verdict: inconclusive" in result.output
