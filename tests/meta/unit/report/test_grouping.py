"""Reports lead with the defects, and give each reason and each next step once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from meta.support.results import NOTHING, make_run, requirement, result
from purge_conformance.catalogue.model import Level
from purge_conformance.report import grouping, terminal
from purge_conformance.report import html as as_html
from purge_conformance.report import json as as_json
from purge_conformance.report import markdown as as_markdown
from purge_conformance.report.defect import Defect
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Verdict
from purge_conformance.report.plain import from_dict
from purge_conformance.report.terminal import MAX_REASONS

GOT = "500 Puma caught this error: undefined method `length' for nil"
SENT = "POST /v3/purge with a malformed token (without signature)"
NETWORK = "Check the URL, the proxy and --timeout, then run again."
TOKEN = "Give --token global_auditor=SOURCE, then run again."  # noqa: S105 -- a next step


def failed(name: str, got: str, *exchanges: int, level: Level = Level.MUST) -> Result:
    """Return a failed result with a finding for each exchange."""
    findings = tuple(Finding("401", got, n, f"curl {n}") for n in exchanges)
    return Result(requirement(name, level), Outcome.FAILED, Cause.TARGET, findings=findings)


def not_judged(name: str, reason: str, next_step: str, **members: str) -> Result:
    """Return a MUST that is inconclusive because of the network, or conditional and not exercised."""
    outcome = Outcome.NOT_EXERCISED if members else Outcome.INCONCLUSIVE
    one = requirement(name, Level.MUST, **members)
    return Result(one, outcome, Cause.NETWORK, reason, next_step)


def run_of(*rows: Result, defects: tuple[Defect, ...] = ()) -> Run:
    """Return a run of these results."""
    return replace(make_run(), requirements=rows, defects=defects, notes=(), verdict=Verdict.INCONCLUSIVE)


FAILING = run_of(
    failed("AUTH-02", GOT, 1),
    failed("ERROR-07", f"another content type: {GOT}", 1, 9),
    failed("LIST-14", "500 no", 9),
    defects=(
        Defect(("AUTH-02", "ERROR-07"), SENT, GOT, 3, (1,), "curl 1"),
        Defect(("ERROR-07", "LIST-14"), "GET /v3/list as admin", "500 no", 1, (9,), "curl 9"),
    ),
)
REFUSED = run_of(*(not_judged(f"PURGE-{n:02}", "Connection refused.", NETWORK) for n in range(1, 93)))


def terminal_text(run: Run) -> str:
    """Return the last lines on the terminal."""
    return "\n".join(line.plain for line in terminal.lines(run, None))


def test_terminal_leads_with_the_defects() -> None:
    """What was sent, what came and which ids come first; what the defect says is not repeated."""
    lines = terminal_text(FAILING).splitlines()
    assert lines[:7] == [
        "2 defects, 3 requirements failed",
        "",
        "DEFECT 1 of 2, 2 requirements: AUTH-02, ERROR-07",
        f"  sent      {SENT}; 2 other requests show the same",
        f"  got       {GOT}",
        "  reproduce curl 1",
        "  cause     target",
    ]
    assert lines[7:13] == [
        "FAILED AUTH-02 (MUST): A purge answers `200`.",
        "  expected  401",
        "  remedy    See the route.",
        "FAILED ERROR-07 (MUST): A purge answers `200`.",
        "  expected  401",
        "  got       another content type",
    ]
    assert sum("FAILED ERROR-07" in line for line in lines) == 2


@pytest.mark.parametrize(
    "text", [as_html.render(FAILING, NOTHING), as_markdown.render(FAILING).replace("\\", "")], ids=["html", "markdown"]
)
def test_pages_lead_with_the_defects(text: str) -> None:
    """HTML and Markdown name the defects before the first failed requirement."""
    first = text.index("<h2>Defects" if "<html" in text else "## 2 defects, 3 requirements failed")
    failures = text.index('id="failed"' if "<html" in text else "## Failed")
    for words in (SENT, "2 other requests show the same", "GET /v3/list as admin"):
        assert first < text.index(words) < failures


def test_older_report_has_a_defect_for_each_failure() -> None:
    """A report without defects, as older ones are, shows each failure as one of its own."""
    data = json.loads(as_json.dump(FAILING))
    assert data.pop("defects")[0]["requirements"] == ["AUTH-02", "ERROR-07"]
    old = from_dict(data)
    assert [view.ids for view in grouping.defects_of(old)] == ["AUTH-02", "ERROR-07", "LIST-14"]
    assert grouping.count_defects(old) == "3 defects, 3 requirements failed"


def test_defects_are_read_back() -> None:
    """report.json holds the defects, and they are the same when it is read."""
    assert from_dict(json.loads(as_json.dump(FAILING))).defects == FAILING.defects


@pytest.mark.parametrize("form", ["terminal", "html", "markdown"])
def test_one_cause_is_one_line(form: str) -> None:
    """A refused connection is said once, with the ids in short, however many requirements it leaves open."""
    if form == "html":
        text = as_html.render(REFUSED, NOTHING)
        text = text[text.index('id="not-judged"') : text.index('id="requirements"')]
    else:
        text = terminal_text(REFUSED) if form == "terminal" else as_markdown.render(REFUSED)
    assert [text.count(words) for words in ("Connection refused.", "PURGE-")] == [1, 1]
    assert "PURGE-01 to 92" in text.replace("\\", "")
    assert "92 MUST" in text


def test_next_steps_are_one_block() -> None:
    """A block has each next step once, and below it all that it opens, each reason once."""
    run = run_of(
        not_judged("AUTH-07", "There is no token without the admin scope.", TOKEN),
        not_judged("ERROR-02", "No response had the status 403.", TOKEN),
        not_judged("ERROR-06", "No response had the status 409.", "Give --hook URL.", conditional="a 409 occurs"),
    )
    lines = terminal_text(run).splitlines()
    start = lines.index("NEXT STEPS to judge 3 more requirements, 2 of which keep the verdict open")
    assert lines[start + 1 : start + 6] == [
        f"- {TOKEN}",
        "    AUTH-07 (MUST): There is no token without the admin scope.",
        "    ERROR-02 (MUST): No response had the status 403.",
        "- Give --hook URL.",
        "    ERROR-06 (MUST)",
    ]
    assert lines[start + 6 : start + 8] == ["", "3 requirements: 2 inconclusive, 1 not exercised"]
    assert "<td><span" in as_html.render(run, NOTHING).partition("<th>To judge</th>")[2]


def test_many_reasons_of_a_next_step_fit_on_a_screen() -> None:
    """Of one next step the first reasons are printed; the requirements of the others are listed together."""
    run = run_of(*(not_judged(f"LIST-{n:02}", f"Reason {n}.", TOKEN) for n in range(1, 31)))
    lines = terminal_text(run).splitlines()
    reasons = [line for line in lines if line.startswith("    LIST-")]
    assert len(reasons) == MAX_REASONS + 1
    assert (
        reasons[-1] == f"    LIST-{MAX_REASONS + 1:02} to 30 ({30 - MAX_REASONS} MUST): see the reasons in report.html"
    )


def test_only_consecutive_ids_are_shortened() -> None:
    """Three or more consecutive ids of one area are shortened; two, and other areas, are not."""
    names = ["A-01", "A-02", "A-03", "A-05", "B-06", "B-07", "UP-A-08"]
    results = [result(name, Level.MUST, Outcome.PASSED) for name in names]
    assert grouping.compact_ids(results) == "A-01 to 03, A-05, B-06, B-07, UP-A-08"
