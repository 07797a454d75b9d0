"""Entries of known failures against the results of a run, in every combination."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.known_failures import entry, like
from meta.support.results import make_run, requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.config.known_failures import EntryKind
from purge_conformance.report.known_failures import KnownFailures
from purge_conformance.report.model import CORE, Cause, Finding, Outcome, Result, Run, Scope, Tally, Verdict, roll_up

if TYPE_CHECKING:
    from purge_conformance.config.known_failures import Entry

BEFORE, AFTER = date(2026, 1, 1), date(2026, 1, 2)  # the run ends on the second
NO_ROLE = "No token of a role was given."


def passed(name: str = "A-1", **members: Any) -> Result:  # noqa: ANN401 -- any member
    """Return a pass."""
    return replace(Result(requirement(name), Outcome.PASSED), **members)


def failed(name: str = "A-1", *got: str, case: str | None = None, level: Level = Level.MUST, **more: Any) -> Result:  # noqa: ANN401 -- any member
    """Return a failure with these findings, by default one."""
    findings = tuple(Finding("200", each, case=case) for each in got or ("500",))
    return replace(Result(requirement(name, level), Outcome.FAILED, Cause.TARGET, findings=findings), **more)


def open_result(name: str = "A-1", reason: str = NO_ROLE, blocked_by: tuple[str, ...] = (), **more: Any) -> Result:  # noqa: ANN401 -- any member
    """Return a result that keeps the verdict open."""
    result = Result(requirement(name), Outcome.INCONCLUSIVE, Cause.CONFIGURATION, reason, blocked_by=blocked_by)
    return replace(result, **more)


def flaky(rate: float = 0.3) -> Entry:
    """Return an entry for a failure that occurs now and then."""
    return entry("A-1", kind=EntryKind.FLAKY, rate=rate)


def gap(got: str = NO_ROLE) -> Entry:
    """Return an entry for what cannot be judged."""
    return entry("A-1", kind=EntryKind.NOT_JUDGED, signature=(like(got, None),))


@dataclass(frozen=True)
class Row:
    """Results and entries, and what follows from them."""

    results: tuple[Result, ...]
    entries: tuple[Entry, ...]
    verdict: Verdict
    code: int
    breaches: tuple[str, ...] = ()
    not_checked: int = 0
    scope: Scope = CORE
    cut_short: bool = False


E, N, U, P, C = (
    Verdict.EXCEPT_KNOWN,
    Verdict.NON_CONFORMANT,
    Verdict.INCONCLUSIVE,
    Verdict.PARTIAL,
    Verdict.CONFORMANT,
)
CONDITIONAL, SHOULD = requirement("A-1", conditional="a 409"), requirement("A-1", Level.SHOULD)
ONE, OLD = entry("A-1"), entry("A-1", expires=BEFORE)
CASED = entry("A-1", case="one")
SIGNED = entry("A-1", signature=(like("500", case="one"),))
PINNED = entry("A-1", signature=(like(None, None, "one"),))  # expected and got are left out
BOTH = entry("A-1", "A-2")
SELECTED = Scope(select=("A-1",), musts=4)
TALLY = Tally(8, 2, is_flaky=True)
TABLE = {
    "fails as entered": Row((passed("A-0"), failed()), (ONE,), E, 0),
    "fails as entered on the last day": Row((failed(),), (entry("A-1", expires=AFTER),), E, 0),
    "several findings that are alike": Row((failed("A-1", "500", "500"),), (ONE,), E, 0),
    "one entry for two requirements": Row((failed("A-1"), failed("A-2")), (BOTH,), E, 0),
    "one of two no longer fails": Row((failed("A-1"), passed("A-2")), (BOTH,), E, 1, ("stale A-2",)),
    "no entry": Row((failed(),), (), N, 1),
    "another requirement fails": Row((failed("A-1"), failed("A-2")), (ONE,), N, 1),
    "stale": Row((passed(),), (ONE,), C, 1, ("stale A-1",)),
    "stale in a selection": Row((passed(),), (ONE,), P, 1, ("stale A-1",), scope=SELECTED),
    "fails otherwise": Row((failed("A-1", "503"),), (ONE,), N, 1, ("mismatch A-1",)),
    "also fails otherwise": Row((failed("A-1", "500", "503"),), (ONE,), N, 1, ("mismatch A-1",)),
    "fails in two known ways": Row((failed("A-1", "500", "503"),), (ONE, entry("A-1", signature=(like("503"),))), E, 0),
    "one of two ways is gone": Row(
        (failed("A-1", "500"),), (ONE, entry("A-1", signature=(like("503"),))), E, 1, ("stale A-1",)
    ),
    "fails in one of the ways of an entry": Row(
        (failed("A-1", "500"),), (entry("A-1", signature=(like("500"), like("503"))),), E, 0
    ),
    "expired": Row((failed(),), (OLD,), N, 1, ("expired A-1",)),
    "expired and gone": Row((passed(),), (OLD,), C, 1, ("stale A-1",)),
    "expired and otherwise": Row((failed("A-1", "503"),), (OLD,), N, 1, ("mismatch A-1",)),
    "expired beside a valid one": Row((failed(),), (OLD, ONE), E, 1, ("expired A-1",)),
    "expired and not selected": Row((passed("A-0"),), (OLD,), P, 0, (), 1, scope=SELECTED),
    "not selected": Row((passed("A-0"),), (ONE,), P, 0, (), 1, scope=SELECTED),
    "selected and known": Row((failed(),), (ONE,), P, 0, scope=SELECTED),
    "selected and another fails": Row((failed(), failed("A-2")), (ONE,), N, 1, scope=SELECTED),
    "not judged": Row((passed("A-0"), open_result()), (ONE,), U, 3, (), 1),
    "nothing to judge": Row(
        (
            passed("A-0"),
            open_result(requirement=requirement("A-1", conditional="a 409"), outcome=Outcome.NOT_EXERCISED),
        ),
        (ONE,),
        C,
        0,
        (),
        1,
    ),
    "another is open": Row((failed(), open_result("A-2")), (ONE,), U, 3),
    "blocked by it": Row((failed(), open_result("A-2", blocked_by=("A-1",))), (ONE,), E, 0),
    "blocked by what is blocked by it": Row(
        (failed(), open_result("A-2", blocked_by=("A-1",)), open_result("A-3", blocked_by=("A-2",))), (ONE,), E, 0
    ),
    "blocked by it and another": Row(
        (failed(), failed("A-2"), open_result("A-3", blocked_by=("A-1", "A-2"))), (ONE,), N, 1
    ),
    "blocked by an expired one": Row(
        (failed(), open_result("A-2", blocked_by=("A-1",))), (OLD,), N, 1, ("expired A-1",)
    ),
    "the case fails": Row((failed(case="one"),), (CASED,), E, 0),
    "another case fails": Row((failed(case="two", cases={"one": 0, "two": 1}),), (CASED,), N, 1, (), 1),
    "another case fails, and not this one": Row(
        (failed(case="two", cases={"one": 1, "two": 1}),), (CASED,), N, 1, ("stale A-1",)
    ),
    "the case fails otherwise": Row((failed("A-1", "503", case="one"),), (CASED,), N, 1, ("mismatch A-1",)),
    "the case was not tried": Row((passed(cases={"one": 0}),), (CASED,), C, 0, (), 1),
    "the case passes": Row((passed(cases={"one": 1}),), (CASED,), C, 1, ("stale A-1",)),
    "flaky within its rate": Row((failed(tally=TALLY),), (flaky(),), E, 0),
    "flaky, more often": Row((failed(tally=TALLY),), (flaky(0.2),), N, 1, ("mismatch A-1",)),
    "flaky, tried once": Row((failed(),), (flaky(),), E, 0),
    "flaky, passes": Row((passed(),), (flaky(),), C, 0, (), 1),
    "flaky, fails otherwise": Row((failed("A-1", "503", tally=TALLY),), (flaky(),), N, 1, ("mismatch A-1",)),
    "cannot be judged": Row((passed("A-0"), open_result()), (gap(),), E, 0),
    "cannot be judged, for another reason": Row(
        (open_result(reason="A hook failed."),), (gap(),), U, 1, ("mismatch A-1",)
    ),
    "cannot be judged, expired": Row((open_result(),), (replace(gap(), expires=BEFORE),), U, 1, ("expired A-1",)),
    "is judged, and passes": Row((passed(),), (gap(),), C, 1, ("stale A-1",)),
    "is judged, and fails": Row((failed(),), (gap(),), N, 1, ("stale A-1",)),
    "a SHOULD fails as entered": Row((passed("A-0"), failed(level=Level.SHOULD)), (ONE,), C, 0),
    "a SHOULD no longer fails": Row((passed("A-0"), passed(requirement=SHOULD)), (ONE,), C, 1, ("stale A-1",)),
    "cut short": Row((failed(), passed("A-2")), (BOTH,), U, 3, (), 1, cut_short=True),
    "cut short, and fails in another case": Row(
        (failed(case="two", cases={"one": 1, "two": 1}),), (CASED,), U, 3, (), 1, cut_short=True
    ),
    "the case of the signature was not tried": Row((passed(cases={"one": 0, "two": 1}),), (SIGNED,), C, 0, (), 1),
    "the case of the signature passes": Row((passed(cases={"one": 1}),), (SIGNED,), C, 1, ("stale A-1",)),
    "a signature of any case": Row((passed(cases={"one": 0}),), (entry("A-1"),), C, 1, ("stale A-1",)),
    "the case fails in other words": Row((failed("A-1", "anything", case="one"),), (PINNED,), E, 0),
    "another case fails than the pinned one": Row(
        (failed("A-1", case="two", cases={"one": 1, "two": 1}),), (PINNED,), N, 1, ("mismatch A-1",)
    ),
}


def judged(row: Row) -> Run:
    """Return the run of a row, with its gate and its verdict."""
    run = replace(make_run(), requirements=row.results, scope=row.scope, cut_short=row.cut_short, notes=())
    run = replace(run, gate=KnownFailures("known.yaml", row.entries).gate(run))
    return replace(run, verdict=U if row.cut_short else roll_up(row.results, row.scope, run.excused))


@pytest.mark.parametrize("name", TABLE)
def test_every_combination(name: str) -> None:
    """Verdict, exit code, breaches and what was not checked follow from results and entries."""
    row = TABLE[name]
    run = judged(row)
    assert run.gate
    found = tuple(f"{breach.kind} {breach.requirement}" for breach in run.breaches)
    assert (run.verdict, run.exit_code, found, len(run.gate.not_checked)) == (
        row.verdict,
        row.code,
        row.breaches,
        row.not_checked,
    )


@pytest.mark.parametrize("name", TABLE)
def test_sentences_are_complete(name: str) -> None:
    """Each sentence names the requirement, the place of the entry and its owner, and ends as one."""
    gate = judged(TABLE[name]).gate
    assert gate
    sentences = {each.sentence: each.requirement for each in gate.breaches}
    for sentence, requirement_id in (
        sentences | {each.sentence: each.requirement for each in gate.not_checked}
    ).items():
        assert sentence.startswith(requirement_id)
        assert "known.yaml, line 3 (owner capi)" in sentence
        assert sentence.endswith(".")


def test_what_is_excused_is_listed_with_its_entry() -> None:
    """The gate names owner, reason and last day of what it excuses, and beside it what was not judged because of it."""
    known = KnownFailures("known.yaml", (entry("A-1", "A-4", link="https://tracker.example/1"),))
    rows = (failed(), open_result("A-2", blocked_by=("A-1",)), open_result("A-3", blocked_by=("A-2",)))
    gate = known.gate(replace(make_run(), requirements=rows))
    (row,) = gate.known_failures
    assert (row.requirements, row.consequences) == (("A-1",), ("A-2", "A-3"))
    assert (row.owner, row.reason, row.link, row.expires) == (
        "capi",
        "Reported upstream.",
        "https://tracker.example/1",
        "2027-01-31",
    )
    assert [each.requirement for each in gate.not_checked] == ["A-4"]


def test_failure_that_is_not_selected_excuses_what_it_blocks() -> None:
    """A known failure outside the selection excuses what was not judged because of it; alone, it is not mentioned."""
    known, run = KnownFailures("known.yaml", (ONE,)), make_run()
    blocked = replace(run, requirements=(open_result("A-2", blocked_by=("A-1",)),))
    assert known.gate(blocked, [failed()]).excuses.keys() == {"A-1", "A-2"}
    other = known.gate(blocked, [failed("A-1", "503")])
    assert (other.excuses, other.breaches, len(other.not_checked)) == ({}, (), 1)
    assert known.gate(replace(run, requirements=(passed("A-2"),)), [failed()]).known_failures == ()


def test_signature_of_a_file_may_be_a_finding() -> None:
    """The text of a finding is good as a signature; each member that it has must agree."""
    finding = Finding("200", "500 for 3dd9f0a1-3b0d-4741-8555-13dd9534fb45", case="one", sent="POST /a?x=1 as admin")
    result = failed(findings=(finding,))
    run = replace(make_run(), requirements=(result,))
    same = like("500 for 59c18196-3b0d-4741-8555-13dd9534fb45", "200", "one", "POST /a?x=1 as admin")
    others = [
        replace(same, got="501"),
        replace(same, expected="201"),
        replace(same, case="two"),
        replace(same, sent="POST /a?x=2 as admin"),
        replace(same, requirement="A-2"),
    ]
    for signature in (same, replace(same, case=None, sent=None, requirement="A-1")):
        assert KnownFailures("f", (entry("A-1", signature=(signature,)),)).gate(run).excuses
    for signature in others:
        assert not KnownFailures("f", (entry("A-1", signature=(signature,)),)).gate(run).excuses
