"""The last lines on the terminal: complete, plain in a log, and with every text of a target escaped."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report import terminal as as_terminal
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Tally, roll_up

PASSED = Result(
    id="PURGE-01",
    level=Level.MUST,
    profile=Profile.CORE,
    group="Purge",
    statement="A purge answers 200.",
    quote="200 OK",
    source="the page",
    operation="purge",
    remedy="See the route.",
    conditional=False,
    outcome=Outcome.PASSED,
)


def failed_result(*findings: Finding, level: Level = Level.MUST) -> Result:
    """Return a failed result."""
    return replace(PASSED, id=f"{level}-9", level=level, outcome=Outcome.FAILED, cause=Cause.TARGET, findings=findings)


def run_of(*rows: Result) -> Run:
    """Return a run of these results."""
    return Run(
        suite="0.1.0",
        spec_version="1.0.0",
        spec={},
        target="http://t",
        settings={},
        started_at="2026-01-02T03:04:05.500Z",
        finished_at="2026-01-02T03:04:11.700Z",
        requests=212,
        purges=1,
        requirements=rows,
        coverage=(),
        timings=(),
        notes=(),
        verdict=roll_up(rows),
    )


def printed_lines(run: Run, **console: object) -> str:
    """Return the lines that a console of 40 columns prints of the run."""
    file = io.StringIO()
    as_terminal.show(run, Path("out"), Console(file=file, width=40, **console))  # type: ignore[arg-type]
    return file.getvalue()


def test_log_output_is_complete() -> None:
    """The log contains each failure, each open requirement with its next step, counts, the verdict and the reports."""
    idle = replace(PASSED, id="AUTH-1", outcome=Outcome.NOT_EXERCISED, cause=Cause.AUTHENTICATION, reason="No token.")
    should = failed_result(Finding("b", "c"), level=Level.SHOULD)
    finding = Finding("nothing is left", "3 of 12 are left", 3, "curl -H 'A:  $B' http://t/v3")
    assert printed_lines(run_of(PASSED, idle, should, failed_result(finding))).splitlines() == [
        "FAILED MUST-9 (MUST): A purge answers 200.",
        "  expected nothing is left",
        "  got      3 of 12 are left",
        "  again    curl -H 'A:  $B' http://t/v3",
        "  blame    target",
        "  remedy   See the route.",
        "",
        "FAILED SHOULD-9 (SHOULD): A purge answers 200.",
        "  expected b",
        "  got      c",
        "  blame    target",
        "  remedy   See the route.",
        "",
        "NOT EXERCISED AUTH-1 (MUST): A purge answers 200.",
        "  because  No token.",
        "  cure     Give a valid token of that role with --token ROLE=SOURCE, then run again.",
        "",
        "4 requirements: 2 failed, 1 not exercised, 1 passed",
        "212 requests, 1 purge, 6.2 s, against http://t",
        "Verdict: non-conformant. 1 of 3 MUST requirements failed.",
        "Reports: out/report.html, and beside it report.json, junit.xml, summary.md",
    ]


def test_conformant_run_is_short() -> None:
    """A conformant run prints four lines; a conditional requirement without its condition is only counted."""
    idle = replace(PASSED, conditional=True, outcome=Outcome.NOT_EXERCISED, cause=Cause.TARGET, reason="No 503 came.")
    assert printed_lines(run_of(PASSED, idle)).splitlines()[:3] == [
        "2 requirements: 1 not exercised, 1 passed",
        "212 requests, 1 purge, 6.2 s, against http://t",
        "Verdict: conformant. 1 of 2 MUST requirements passed; for the others there was no occasion.",
    ]


def test_lines_have_colour_on_a_terminal() -> None:
    """Colours are printed on a terminal only."""
    run = run_of(PASSED)
    assert "\x1b[" in printed_lines(run, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed_lines(run)


def test_target_text_is_escaped() -> None:
    """Text of a target controls neither the terminal nor a CI system."""
    text = "\x1b]0;x\x07\x9b2J\r\n::error::x\n##vso[task.complete]##teamcity[x]##[error]\u202e\ud800[bold red]"
    out = printed_lines(run_of(failed_result(Finding(text, text, 1, f"curl {text}"))))
    assert not set(out) & set("\x1b\x07\x9b\r\u202e\ud800")
    assert "##" not in out
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]
    assert "[bold red]" in out


def test_lines_are_bounded() -> None:
    """A huge text or a hundred findings are truncated; a line names the report."""
    many = failed_result(*(Finding("x" * 1_000_000, "y", n, "curl " + "z" * 9_000) for n in range(1, 101)))
    out = printed_lines(run_of(many))
    assert len(out) < 20_000
    assert "and      97 more of the kind" in out
    assert "see exchange 1 in report.html" in out


def test_lines_fit_any_encoding() -> None:
    """A console that cannot print a letter prints its escape."""
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    as_terminal.show(run_of(failed_result(Finding("größer", "…"))), None, console)
    assert rb"gr\xf6\xdfer" in raw.getvalue()


def test_lines_show_rates() -> None:
    """A failure has its rate and a trial that passed; a pass has the bound of its rate."""
    flaky = replace(failed_result(Finding("a", "b", 7, passing=3)), tally=Tally(40, 3, is_flaky=True))
    passed = replace(PASSED, tally=Tally(40))
    lines = printed_lines(replace(run_of(passed, flaky), settings={"repeat": 40})).splitlines()
    assert "  passed   another time: exchange 3" in lines
    assert "  rate     FLAKY: 3 of 40 failed, 7.5 %" in lines
    assert "  rate     0 of 40: below 7.2 % at 95 %: PURGE-01" in lines
    assert "0 of 40" not in printed_lines(run_of(passed))
