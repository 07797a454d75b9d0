"""A verdict about less than a whole profile says so in every report."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from meta.support.results import NOTHING as NO_EVIDENCE
from meta.support.results import make_run, requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.report import html, junit, markdown, terminal
from purge_conformance.report import json as as_json
from purge_conformance.report.headline import NOTHING_TO_JUDGE, headline
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Scope, Verdict, roll_up

PASSED = Result(requirement("AUTH-01"), Outcome.PASSED)
FAILED = Result(requirement("AUTH-02"), Outcome.FAILED, Cause.TARGET, findings=(Finding("401", "200"),))
OPEN = Result(requirement("AUTH-03"), Outcome.INCONCLUSIVE, Cause.NETWORK, "The connection was refused.")
IDLE = Result(
    requirement("ERROR-06", conditional="a 409 occurs"), Outcome.NOT_EXERCISED, Cause.TARGET, "No 409 occurred."
)
SHOULD = Result(requirement("SEED-08", Level.SHOULD), Outcome.PASSED)
SELECTED = Scope(select=("AUTH-01",), musts=83)
MANY = Scope(select=tuple(f"A-{n}" for n in range(8)), musts=83)
SIX = "A-0, A-1, A-2, A-3, A-4, A-5"
NOT_JUDGED = "could not be judged in this run."
NEEDS_NO_PURGE = "Only requirements that need no purge were judged."
OBSERVED = Scope(("observe-only",), musts=83)


def run_of(scope: Scope, *rows: Result) -> Run:
    """Return a run of these results that sent no purge."""
    run = replace(make_run(), requirements=rows, scope=scope, verdict=roll_up(rows, scope))
    return replace(run, purges=0, notes=())


def properties(run: Run) -> dict[str, str]:
    """Return the properties of the suite in junit.xml."""
    root = ET.fromstring(junit.render(run))  # noqa: S314 -- our own file
    return {each.attrib["name"]: each.attrib["value"] for each in root.iter("property")}


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (run_of(SELECTED, PASSED), "1 of 83 MUST judged, all passed. Selection: AUTH-01."),
        (
            run_of(MANY, PASSED, IDLE),
            f"1 of 83 MUST judged, all passed; 1 more had {NOTHING_TO_JUDGE}. Selection: {SIX}, 2 more.",
        ),
        (run_of(SELECTED, SHOULD), "0 of 83 MUST judged. Selection: AUTH-01."),
        (run_of(Scope(select=("*",), musts=1), PASSED), "1 of 1 MUST judged, all passed. Selection: *."),
        (run_of(OBSERVED, PASSED), "1 of 83 MUST judged, all passed; no purge was sent."),
        (
            run_of(Scope(("observe-only", "upstream"), ("AUTH-01",), 104), PASSED),
            "1 of 104 MUST judged, all passed; no purge was sent. Selection: AUTH-01.",
        ),
    ],
)
def test_partial_verdict_in_every_report(run: Run, sentence: str) -> None:
    """Every report says how much was judged, and no report says that the target is conformant."""
    words = f"partial: {sentence}"
    assert f"Verdict: {words}" in [line.plain for line in terminal.lines(run, None)]
    page, summary = html.render(run, NO_EVIDENCE), markdown.render(run)
    assert words in page
    assert words in summary.replace("\\", "")
    assert {"verdict": "partial", "headline": words}.items() <= properties(run).items()
    assert json.loads(as_json.dump(run))["verdict"] == "partial"
    assert not [text for text in (page, summary, junit.render(run), as_json.dump(run)) if "onformant" in text]


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (
            run_of(SELECTED, PASSED, OPEN),
            f"inconclusive. No MUST failed, but 1 of 2 {NOT_JUDGED} Selection: AUTH-01, 2 of 83 MUST.",
        ),
        (
            run_of(SELECTED, FAILED),
            "non-conformant. 1 of 1 MUST requirement failed. Selection: AUTH-01, 1 of 83 MUST.",
        ),
        (
            run_of(OBSERVED, OPEN),
            f"inconclusive. No MUST failed, but 1 of 1 {NOT_JUDGED} {NEEDS_NO_PURGE}",
        ),
        (run_of(Scope(musts=1), PASSED), "conformant. All 1 MUST requirement passed."),
    ],
)
def test_other_verdicts_name_the_selection(run: Run, sentence: str) -> None:
    """A failure or an open MUST decides the verdict of a selection, which is named beside it."""
    assert f"Verdict: {sentence}" in [line.plain for line in terminal.lines(run, None)]


def test_partial_verdict_about_purges() -> None:
    """Evidence with purges that is judged with `observe-only` does not say that none was sent."""
    assert headline(replace(run_of(OBSERVED, PASSED), purges=3)) == (
        f"partial: 1 of 83 MUST judged, all passed. {NEEDS_NO_PURGE}"
    )


def test_scope_is_read_back() -> None:
    """report.json holds the scope, so that each report can be written from it again."""
    run = run_of(Scope(("observe-only", "upstream"), ("AUTH-01",), 104), PASSED)
    row = json.loads(as_json.dump(run))["scope"]
    assert row == {"profiles": ["observe-only", "upstream"], "select": ["AUTH-01"], "musts": 104}
    assert Verdict(json.loads(as_json.dump(run))["verdict"]) is Verdict.PARTIAL
