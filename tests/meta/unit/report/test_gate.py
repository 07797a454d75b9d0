"""What became of the user's promises: verdict, exit code, and the words of each report."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from meta.support.results import NOTHING, make_run, requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.config.known_failures import EntryKind
from purge_conformance.report import html, junit, markdown, terminal
from purge_conformance.report.gate import Breach, BreachKind, Gate, KnownFailure, NotChecked, merge_gates
from purge_conformance.report.headline import NOTHING_TO_JUDGE, headline
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Scope, Verdict, roll_up

PASSED = Result(requirement("A-1"), Outcome.PASSED)
FAILED = Result(requirement("A-2"), Outcome.FAILED, Cause.TARGET, findings=(Finding("200", "500"),))
OPEN = Result(requirement("A-3"), Outcome.INCONCLUSIVE, Cause.TARGET, "A-2 failed.", "Fix A-2.")
IDLE = Result(requirement("A-4", conditional="a 409"), Outcome.NOT_EXERCISED, Cause.TARGET, "No 409 occurred.")
ADVICE = Result(requirement("A-5", Level.SHOULD), Outcome.FAILED, Cause.TARGET, findings=(Finding("a", "b"),))
KNOWN = KnownFailure(
    ("A-2",), EntryKind.FAILURE, None, "capi", "Reported.", "https://tracker.example/1", "2027-01-31", ("A-3",)
)
STALE = Breach(BreachKind.STALE, "A-1", "A-1 passed, but it is entered as a known failure. Remove its entry.")
WORSE = Breach(BreachKind.REGRESSION, "A-2", "A-2 passed in the baseline and failed here.")
WHOLE = Scope(musts=4)


def run_of(*rows: Result, gate: Gate | None = None, scope: Scope = WHOLE, cut_short: bool = False) -> Run:
    """Return a run of these results, with its own verdict."""
    run = replace(make_run(), requirements=rows, scope=scope, gate=gate, notes=(), cut_short=cut_short)
    verdict = Verdict.INCONCLUSIVE if cut_short else roll_up(rows, scope, run.excused)
    return replace(run, verdict=verdict)


def gate(*breaches: Breach, known: tuple[KnownFailure, ...] = (KNOWN,)) -> Gate:
    """Return a gate with these breaches."""
    return Gate(known, (), breaches)


SELECTED = replace(WHOLE, select=("A-*",))
TABLE = {
    "no promise": (run_of(PASSED, FAILED), Verdict.NON_CONFORMANT, 1),
    "known": (run_of(PASSED, FAILED, gate=gate()), Verdict.EXCEPT_KNOWN, 0),
    "known with its consequence": (run_of(PASSED, FAILED, OPEN, IDLE, gate=gate()), Verdict.EXCEPT_KNOWN, 0),
    "only a SHOULD is known": (
        run_of(PASSED, ADVICE, gate=gate(known=(replace(KNOWN, requirements=("A-5",), consequences=()),))),
        Verdict.CONFORMANT,
        0,
    ),
    "another open MUST": (
        run_of(PASSED, FAILED, OPEN, gate=gate(known=(replace(KNOWN, consequences=()),))),
        Verdict.INCONCLUSIVE,
        3,
    ),
    "another failure": (
        run_of(FAILED, replace(FAILED, requirement=requirement("A-9")), gate=gate()),
        "non-conformant",
        1,
    ),
    "selection": (run_of(PASSED, FAILED, gate=gate(), scope=SELECTED), Verdict.PARTIAL, 0),
    "stale": (run_of(PASSED, gate=gate(STALE, known=())), Verdict.CONFORMANT, 1),
    "stale in a selection": (run_of(PASSED, gate=gate(STALE, known=()), scope=SELECTED), Verdict.PARTIAL, 1),
    "stale beside known": (run_of(PASSED, FAILED, gate=gate(STALE)), Verdict.EXCEPT_KNOWN, 1),
    "stale and open": (run_of(PASSED, OPEN, gate=gate(STALE, known=())), Verdict.INCONCLUSIVE, 1),
    "regression": (run_of(PASSED, gate=gate(WORSE, known=())), Verdict.CONFORMANT, 1),
    "cut short": (run_of(PASSED, FAILED, gate=gate(STALE), cut_short=True), Verdict.INCONCLUSIVE, 3),
    "kept": (run_of(PASSED, gate=gate(known=())), Verdict.CONFORMANT, 0),
}


@pytest.mark.parametrize("name", TABLE)
def test_verdict_and_exit_code(name: str) -> None:
    """The verdict is about the target and the exit code about both; a run that was cut short is first."""
    run, verdict, code = TABLE[name]
    assert (run.verdict, run.exit_code) == (verdict, code)


@pytest.mark.parametrize("name", TABLE)
def test_junit_is_as_red_as_the_exit_code(name: str) -> None:
    """junit.xml alone says whether the exit code is 0; each breach is a test case of its own."""
    run, _, code = TABLE[name]
    suite = ET.fromstring(junit.render(run))[0]  # noqa: S314 -- our own output
    assert bool([*suite.iter("failure"), *suite.iter("error")]) == (code != 0)
    names = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert {breach.test_case for breach in run.breaches} <= names


def test_known_failure_is_skipped_with_its_owner() -> None:
    """A known failure, and what was not judged because of it, are skipped, and name the owner and the last day."""
    suite = ET.fromstring(junit.render(run_of(PASSED, FAILED, OPEN, gate=gate())))[0]  # noqa: S314 -- our own output
    messages = {case.get("name"): m.get("message", "") for case in suite.iter("testcase") for m in case.iter("skipped")}
    assert messages.keys() == {"A-2", "A-3"}
    assert messages["A-2"].startswith(
        "Known failure (owner capi, until 2027-01-31, https://tracker.example/1): Reported. failed: expected 200"
    )
    assert messages["A-3"].startswith("Not judged because of the known failure of A-2 (owner capi).")


HEADLINES = {
    "known with its consequence": "conformant except for 1 known failure: 1 of 4 MUST requirements passed; 1 failed as "
    f"known; 1 was not judged, as known; the other 1 had {NOTHING_TO_JUDGE}.",
    "selection": "partial: 2 of 4 MUST judged, 1 passed; conformant except for 1 known failure; 1 failed as known. "
    "Selection: A-*.",
    "another failure": "1 of 2 MUST requirements failed, beside 1 known failure.",
    "another open MUST": "No MUST failed, beside 1 known failure, but 1 of 3 could not be judged in this run.",
    "stale": "All 1 MUST requirement passed. Gate broken: 1 stale.",
    "regression": "All 1 MUST requirement passed. Gate broken: 1 regression.",
}


@pytest.mark.parametrize("name", HEADLINES)
def test_headline_names_known_failures_and_breaches(name: str) -> None:
    """The headline never says conformant alone where a failure is excused, and says how the gate is broken."""
    assert headline(TABLE[name][0]) == HEADLINES[name]


def test_breaches_are_counted_by_kind() -> None:
    """A kind is plural where several breaches are of it."""
    breaches = (STALE, STALE, WORSE, WORSE, WORSE)
    assert headline(run_of(PASSED, gate=gate(*breaches))).endswith("Gate broken: 2 stale, 3 regressions.")


def test_each_kind_is_counted() -> None:
    """The headline counts all three kinds of entries."""
    known = tuple(replace(KNOWN, kind=kind, requirements=(f"A-{n}",)) for n, kind in enumerate(EntryKind, 2))
    words = "1 known failure, 1 known flaky failure and 1 known gap in what is judged"
    assert f"conformant except for {words}: " in headline(run_of(PASSED, FAILED, OPEN, gate=gate(known=known)))


def test_each_report_shows_the_gate() -> None:
    """Every report has the breaches, the known failures with what was not judged because of them, and the rest."""
    promised = replace(gate(STALE, WORSE), not_checked=(NotChecked("A-8", "A-8 was not selected."),))
    run = run_of(PASSED, FAILED, OPEN, gate=promised)
    texts = {
        "terminal": "\n".join(line.plain for line in terminal.lines(run, None)),
        "markdown": markdown.render(run),
        "html": html.render(run, NOTHING),
    }
    for text in texts.values():
        for words in ("A-1 passed, but it is", "passed in the baseline", "Reported.", "capi", "A-8 was not selected."):
            assert words in text
        assert "Not judged because of it: A-3." in text
    assert "DEFECT" not in texts["terminal"]
    assert "# ☑️ Conformant except for known failures" in texts["markdown"]
    assert '<h1 id="verdict">Conformant except for known failures</h1>' in texts["html"]


def test_gates_of_all_promises_are_one() -> None:
    """The gate of a run has the parts of each promise; without a promise there is none."""
    assert merge_gates([]) is None
    assert merge_gates([gate(STALE), Gate((), (), (WORSE,), "old.json")]) == Gate(
        (KNOWN,), (), (STALE, WORSE), "old.json"
    )
