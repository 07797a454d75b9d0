"""The last lines on the terminal: complete, plain in a log, and with every text of a target escaped."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from meta.support.results import requirement
from meta.support.story import HEADER
from purge_conformance.catalogue.model import Level
from purge_conformance.cli.output import write_line
from purge_conformance.engine.next_steps import NO_RUN_CAN
from purge_conformance.evidence.records import Evidence
from purge_conformance.report import html as as_html
from purge_conformance.report import markdown as as_markdown
from purge_conformance.report import terminal as as_terminal
from purge_conformance.report.defect import Defect
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Tally, roll_up

STATEMENT = "A purge answers 200."
PASSED = Result(requirement(statement=STATEMENT), Outcome.PASSED)


def failed_result(*findings: Finding, level: Level = Level.MUST, identifier: str = "") -> Result:
    """Return a failed result."""
    one = requirement(identifier or f"{level}-9", level, statement=STATEMENT)
    return Result(one, Outcome.FAILED, Cause.TARGET, findings=findings)


def run_of(*rows: Result) -> Run:
    """Return a run of these results."""
    return Run(
        suite_version="0.1.0",
        spec_version="1.0.0",
        spec_digests={},
        target="http://t",
        settings={},
        started_at="2026-01-02T03:04:05.500Z",
        finished_at="2026-01-02T03:04:11.700Z",
        requests=212,
        purges=1,
        requirements=rows,
        statuses=(),
        timings=(),
        notes=(),
        verdict=roll_up(rows),
    )


def printed_lines(run: Run, **console: object) -> str:
    """Return the lines that a console of 40 columns prints of the run."""
    file = io.StringIO()
    as_terminal.show(run, Path("out"), Console(file=file, width=40, **console), write_line)  # type: ignore[arg-type]
    return file.getvalue()


def test_log_output_is_complete() -> None:
    """The log contains each failure, each open requirement with its next step, counts, the verdict and the reports."""
    idle = Result(
        requirement("AUTH-1", statement=STATEMENT),
        Outcome.NOT_EXERCISED,
        Cause.AUTHENTICATION,
        "No token.",
        "Give --token global_auditor=SOURCE.",
    )
    should = failed_result(Finding("b", "c"), level=Level.SHOULD)
    finding = Finding("nothing is left", "3 of 12 are left", 3, "curl -H 'A:  $B' http://t/v3")
    assert printed_lines(run_of(PASSED, idle, should, failed_result(finding))).splitlines() == [
        "2 defects, 2 requirements failed",
        "",
        "DEFECT 1 of 2, 1 requirement: MUST-9",
        "FAILED MUST-9 (MUST): A purge answers 200.",
        "  expected  nothing is left",
        "  got       3 of 12 are left",
        "  reproduce curl -H 'A:  $B' http://t/v3",
        "  cause     target",
        "  remedy    See the route.",
        "",
        "DEFECT 2 of 2, 1 requirement: SHOULD-9",
        "FAILED SHOULD-9 (SHOULD): A purge answers 200.",
        "  expected  b",
        "  got       c",
        "  cause     target",
        "  remedy    See the route.",
        "",
        "2 DEFECTS",
        "  1         MUST-9: expected nothing is left, got 3 of 12 are left",
        "  2         SHOULD-9: expected b, got c",
        "",
        "NEXT STEPS to judge 1 more requirement, which keeps the verdict open",
        "- Give --token global_auditor=SOURCE.",
        "    AUTH-1 (MUST): No token.",
        "",
        "4 requirements: 2 failed, 1 not exercised, 1 passed",
        "212 requests, 1 purge, 6.2 s, target http://t",
        "Verdict: non-conformant. 1 of 3 MUST requirements failed; 1 more could not be judged.",
        "Reports: out/report.html, report.json, junit.xml, summary.md",
    ]


def test_conformant_run_is_short() -> None:
    """A conformant run prints four lines; a conditional requirement without its condition is only counted."""
    nothing = "the other 1 had nothing to judge (for example, no 409 occurred)"
    conditional = requirement(conditional="a 503 occurs")
    idle = Result(conditional, Outcome.NOT_EXERCISED, Cause.TARGET, "No 503 occurred.")
    assert printed_lines(run_of(PASSED, idle)).splitlines()[:3] == [
        "2 requirements: 1 not exercised, 1 passed",
        "212 requests, 1 purge, 6.2 s, target http://t",
        f"Verdict: conformant. 1 of 2 MUST requirements passed; {nothing}.",
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


def test_difference_has_signs() -> None:
    """What differs has signs, for a reader without colours, where both sides say the same kind of thing."""
    findings = Finding("after scale: state STARTED", "after scale: state STOPPED", 1), Finding("an event", "none", 1)
    lines = printed_lines(run_of(failed_result(*findings))).splitlines()
    assert lines[4:9] == [
        "  expected  after scale: state STARTED",
        "  got       after scale: state STOPPED",
        "  differs   -STARTED +STOPPED",
        "  expected  an event",
        "  got       none",
    ]


def test_nothing_is_printed_twice() -> None:
    """What several findings expect, and what is known of an app, is printed once."""
    findings = (Finding("an event", got, 1, apps=("shop (g): STARTED",)) for got in ("none", "two"))
    lines = printed_lines(run_of(failed_result(*findings))).splitlines()
    assert lines[4:8] == [
        "  expected  an event",
        "  got       none",
        "  app       shop (g): STARTED",
        "  got       two",
    ]


def test_summary_is_short() -> None:
    """In the summary, consecutive ids are a span, and of a guid there is the beginning."""
    guid = "11111111-1111-4111-8111-111111111111"
    rows = [failed_result(Finding("x", f"got {guid}", n), identifier=f"LIST-0{n}") for n in (1, 2, 3)]
    defect = Defect(tuple(r.id for r in rows), "GET /v3", f"got {guid}", 1, (1, 2, 3))
    lines = printed_lines(replace(run_of(*rows), defects=(defect,))).splitlines()
    assert "DEFECT 1 of 1, 3 requirements: LIST-01 to 03" in lines
    assert "  1         LIST-01 to 03: GET /v3 got got 11111111…" in lines


def test_lines_are_bounded() -> None:
    """A huge text or a hundred findings are truncated; a line names the report."""
    many = failed_result(*(Finding("x" * 1_000_000, f"{n}", n, "curl " + "z" * 9_000) for n in range(1, 101)))
    out = printed_lines(run_of(many))
    assert len(out) < 20_000
    assert "and       97 more of the same kind" in out
    assert "see exchange 1 in report.html" in out


def test_lines_show_rates() -> None:
    """A failure has its rate and a trial that passed; a pass has the bound of its rate."""
    flaky = replace(failed_result(Finding("a", "b", 7, passing_exchange=3)), tally=Tally(40, 3, is_flaky=True))
    passed = replace(PASSED, tally=Tally(40))
    lines = printed_lines(replace(run_of(passed, flaky), settings={"repeat": 40})).splitlines()
    assert "  passed    the same check passed in exchange 3" in lines
    assert "  rate      FLAKY: 3 failures in 40 trials (7.5 %)" in lines
    assert "  rate      0 failures in 40 trials (true rate below 7.2 %, 95 % confidence): PURGE-01" in lines
    assert "0 failures" not in printed_lines(run_of(passed))


class Terminal(io.StringIO):
    """A file that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_text_is_wrapped_on_a_terminal() -> None:
    """On a terminal text is wrapped and indented, and a command stays on one line."""
    file, command = Terminal(), f"curl http://t/v3{'/x' * 40}"
    finding = Finding("all events are gone, and each started app has one new event", "nothing", 3, command)
    as_terminal.show(run_of(failed_result(finding)), None, Console(file=file, width=40, color_system=None), write_line)
    lines = file.getvalue().splitlines()
    assert "  expected  all events are gone, and " in lines
    assert "            each started app has one new" in "\n".join(lines)
    assert f"  reproduce {command}" in lines


def test_same_steps_are_shown_once() -> None:
    """Findings that the same command shows have it once, after the last of them; others have their own."""
    findings = (Finding("a", "b", 1, "curl x"), Finding("c", "d", 1, "curl x"), Finding("e", "f", 2, "curl y"))
    for text in (printed_lines(run_of(failed_result(*findings))), as_markdown.render(run_of(failed_result(*findings)))):
        assert (text.count("curl x"), text.count("curl y")) == (1, 1)
        assert text.index("d\n") < text.index("curl x") < text.index("curl y")


def test_what_is_left_out_is_counted() -> None:
    """Terminal, HTML and Markdown say how many findings and exchanges there are beyond those that they show."""
    row = replace(failed_result(Finding("a", "b", 1)), finding_count=40, exchanges=tuple(range(50)), exchange_count=68)
    assert "and       39 more of the same kind" in printed_lines(run_of(row))
    assert "39 more of the same kind" in as_markdown.render(run_of(row))
    page = as_html.render(run_of(row), Evidence(HEADER, (), ()))
    assert "39 more of the same kind" in page
    assert "and 18 more.</p>" in page
    assert "68 exchanges" in page


def test_summary_names_apps() -> None:
    """The line of a defect names an app by its name, and the failure above it says more of the app."""
    app = "zero (one) (11111111-x): STARTED, 0 instances; scaled to 0 instances"
    text = printed_lines(run_of(failed_result(Finding("an event for the app 11111111-x", "none", 1, apps=(app,)))))
    assert "  1         MUST-9: expected an event for the app zero (one), got none\n" in text
    assert f"  app       {app}\n" in text


def test_summary_fits_one_screen() -> None:
    """The last lines have each defect on one line, cut at a word; what does not fit is counted."""
    rows = [failed_result(Finding("x " * 200, f"{n}", n), identifier=f"MUST-{n:02}") for n in range(1, 13)]
    lines = printed_lines(run_of(*rows)).splitlines()
    summary = lines[lines.index("12 DEFECTS") + 1 :]
    assert summary[0].startswith("  1         MUST-01: expected x x x")
    assert summary[0].endswith(" x …")
    assert all(len(line) <= 165 for line in summary[:8])
    assert summary[8] == "  and       4 more, see report.html"
    assert len(summary) <= 20


def test_same_findings_are_shown_once() -> None:
    """Findings that read alike are shown once, in the order of the first of each."""
    same = [Finding("a", "b", n, "curl x") for n in (1, 2, 3)]
    out = printed_lines(run_of(failed_result(*same, Finding("c", "d", 4))))
    assert (out.count("expected  a"), out.count("expected  c")) == (1, 1)
    assert out.index("expected  a") < out.index("expected  c")
    assert "2 more of the same kind" in out


def test_requirements_with_the_same_reason_are_grouped() -> None:
    """Requirements with the same reason and next step are listed in one block."""
    rows = [
        Result(requirement(name), Outcome.INCONCLUSIVE, Cause.TARGET, "Plain purges already fail.", "Fix them.")
        for name in ("RACE-02", "RACE-03")
    ]
    lines = printed_lines(run_of(*rows)).splitlines()
    assert lines[:3] == [
        "NEXT STEPS to judge 2 more requirements, 2 of which keep the verdict open",
        "- Fix them.",
        "    RACE-02, RACE-03 (2 MUST): Plain purges already fail.",
    ]


def test_what_no_run_can_judge_has_its_reason() -> None:
    """A requirement that no next step can have judged keeps its block, with its statement."""
    row = Result(requirement("RACE-02", statement=STATEMENT), Outcome.INCONCLUSIVE, Cause.TARGET, "No.", NO_RUN_CAN)
    assert printed_lines(run_of(row)).splitlines()[:4] == [
        f"INCONCLUSIVE RACE-02 (MUST): {STATEMENT}",
        "  reason    No.",
        f"  next step {NO_RUN_CAN}",
        "",
    ]
