"""What changed between two reports, and what of it is a regression."""

from __future__ import annotations

from typing import Any

import pytest

from meta.support.reports import report, row
from purge_conformance.catalogue.model import Level
from purge_conformance.report.compare import Comparison, compare
from purge_conformance.report.facts import parse_facts

CORE = {"profiles": ["core"], "select": [], "musts": 2}
OTHER_SET = {"requirements.yaml": "b" * 64}


def compared(old: dict[str, Any], new: dict[str, Any], *, fail_on_should: bool = False) -> Comparison:
    """Return the comparison of two reports."""
    return compare(parse_facts(old, "old"), parse_facts(new, "new"), fail_on_should=fail_on_should)


def one_pair(old: dict[str, Any], new: dict[str, Any], **more: bool) -> list[tuple[str, bool]]:
    """Return each change, and whether it is a regression, between two reports with one requirement."""
    return [(str(each.kind), each.is_regression) for each in compared(report(old), report(new), **more).changes]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("passed", "passed", []),
        ("failed", "failed", []),
        ("passed", "failed", [("newly failed", True)]),
        ("passed", "inconclusive", [("newly not judged", True)]),
        ("passed", "not exercised", [("newly not judged", True)]),
        ("failed", "inconclusive", [("newly not judged", True)]),
        ("failed", "passed", [("newly passed", False)]),
        ("inconclusive", "passed", [("newly passed", False)]),
        ("not exercised", "failed", [("newly failed", False)]),
        ("inconclusive", "not exercised", []),
    ],
)
def test_change_of_outcome(old: str, new: str, changes: list[tuple[str, bool]]) -> None:
    """A MUST that passed and fails, or that was judged and no longer is, is a regression; nothing else is."""
    assert one_pair(row("A-1", old), row("A-1", new)) == changes


@pytest.mark.parametrize(
    ("level", "flags", "regressions"),
    [
        (Level.SHOULD, {}, [False]),
        (Level.SHOULD, {"fail_on_should": True}, [True]),
        (Level.MAY, {"fail_on_should": True}, [False]),
        (Level.MUST, {"fail_on_should": True}, [True]),
    ],
)
@pytest.mark.parametrize("new", [{"outcome": "failed"}, {"outcome": "inconclusive"}, {"cases": {"only": 0}}])
def test_should_counts_on_request(
    level: Level, flags: dict[str, bool], regressions: list[bool], new: dict[str, Any]
) -> None:
    """A SHOULD that fails, is not judged or misses a case is reported, and counts with `fail_on_should`; no MAY."""
    changes = one_pair(row("A-1", level=level), row("A-1", level=level) | new, **flags)
    assert [is_regression for _, is_regression in changes] == regressions


def test_case_that_no_longer_ran() -> None:
    """A case without a trial now is a regression, with what it needs; the number of its trials is listed."""
    comparison = compared(
        report(row("A-1", cases={"plain": 4, "special": 2})),
        report(row("A-1", cases={"plain": 4, "special": 0}, untried={"special": "a token"})),
    )
    assert [(each.case, each.why, each.is_regression) for each in comparison.changes] == [
        ("special", "needs: a token", True)
    ]
    assert [(each.case, each.old, each.new) for each in comparison.cases] == [("special", 2, 0)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (row("A-1", cases={"plain": 4, "special": 2}), row("A-1", "failed", cases={"plain": 1, "special": 0})),
        (row("A-1", "failed", cases={"plain": 4}), row("A-1", "inconclusive", cases={"plain": 0})),
        (row("A-1", cases={"plain": 0}), row("A-1", cases={"plain": 0})),
        (row("A-1", "inconclusive", cases={"plain": 4}), row("A-1", "inconclusive", cases={"plain": 0})),
        (row("A-1", cases={"plain": 4}), row("A-1", cases={"plain": 1})),
        (row("A-1"), row("A-1", cases={"only": 0}, untried={"only": "evidence of requirement set 1.1"})),
    ],
)
def test_case_is_no_change_of_its_own(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A failure ends at its first violation, and what is not judged has no cases: neither is a lost case as well."""
    changes = compared(report(old), report(new)).changes
    assert [change for change in changes if change.case] == []


def test_number_of_trials_is_reported_only() -> None:
    """Cases with more or fewer trials, and new cases, are listed and are no regression."""
    comparison = compared(
        report(row("A-1", cases={"plain": 4, "same": 1})), report(row("A-1", cases={"plain": 1, "same": 1, "new": 3}))
    )
    assert [(each.case, each.old, each.new) for each in comparison.cases] == [("plain", 4, 1), ("new", None, 3)]
    assert comparison.changes == ()


def test_withdrawn_case_is_named() -> None:
    """A case that another requirement set does not have is listed; with the same requirement set it no longer ran."""
    old, new = row("A-1", cases={"plain": 4, "gone": 2}), row("A-1", cases={"plain": 4})
    other_set = compared(report(old), report(new, spec_digests=OTHER_SET))
    assert (other_set.changes, [(each.case, each.new) for each in other_set.cases]) == ((), [("gone", None)])
    assert [each.case for each in compared(report(old), report(new)).regressions] == ["gone"]


def test_report_without_cases_has_no_lost_case() -> None:
    """A suite that did not count cases yet, before or now, makes no case a regression."""
    uncounted = {name: value for name, value in row("A-1").items() if name != "cases"}
    assert one_pair(uncounted, row("A-1")) == one_pair(row("A-1"), uncounted) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spec_digests": OTHER_SET}, "not in the requirement set of the other report"),
        ({"spec_digests": {}}, "not in the requirement set of the other report"),
        ({"scope": CORE | {"select": ["A-1"]}}, "not selected in the other report"),
        ({"scope": CORE | {"profiles": ["observe-only"]}}, "not judged by reads alone"),
    ],
)
def test_missing_requirement_is_explained(changes: dict[str, Any], words: str) -> None:
    """A requirement that another selection or requirement set left out is named with that reason, on either side."""
    whole, part = report(row("A-1"), row("B-1"), scope=CORE), report(row("A-1"), **{"scope": CORE} | changes)
    for comparison, side in ((compared(whole, part), "old"), (compared(part, whole), "new")):
        assert [(each.id, each.side) for each in comparison.not_compared] == [("B-1", side)]
        assert comparison.not_compared[0].why.startswith(words)
        assert (comparison.regressions, comparison.compared) == ((), ("A-1",))


def test_other_profile_is_named() -> None:
    """A requirement of a profile that only one report judges is named with the profile."""
    upstream = report(row("A-1"), row("UP-1", profile="upstream"), scope=CORE | {"profiles": ["upstream"]})
    comparison = compared(upstream, report(row("A-1"), scope=CORE))
    assert [each.why for each in comparison.not_compared] == [
        "of profile upstream, which the other report does not judge"
    ]
    assert comparison.regressions == ()


def test_requirement_that_silently_disappeared() -> None:
    """A requirement that was judged and is missing, with the same set, profiles and selection, no longer ran."""
    whole = report(row("A-1"), row("B-1"), row("C-1", "inconclusive"), scope=CORE)
    comparison = compared(whole, report(row("A-1"), scope=CORE))
    assert [(each.id, str(each.kind), each.new) for each in comparison.regressions] == [
        ("B-1", "no longer in the report", None)
    ]
    assert [each.id for each in comparison.not_compared] == ["C-1"]


def test_requirement_newer_than_evidence_is_named() -> None:
    """What the new report cannot judge since its evidence is older is no regression."""
    comparison = compared(
        report(row("A-1"), row("B-1")), report(row("A-1"), row("B-1", "not exercised", newer_than_evidence=True))
    )
    assert (comparison.changes, comparison.compared) == ((), ("A-1",))
    assert [each.id for each in comparison.not_compared] == ["B-1"]


@pytest.mark.parametrize(
    ("old", "new"),
    [([], [row("A-1")]), ([row("A-1")], [row("B-1")]), ([row("A-1", "inconclusive")], [row("A-1")])],
)
def test_nothing_in_common(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """Reports without a requirement in both that the old one judged have nothing in common."""
    assert compared(report(*old, spec_digests={}), report(*new)).compared == ()


def test_level_of_new_report_decides() -> None:
    """A requirement that has become a MUST counts as one."""
    assert one_pair(row("A-1", level=Level.SHOULD), row("A-1", "failed")) == [("newly failed", True)]


def test_settings_that_differ() -> None:
    """Settings that both reports have and that differ are named; those of the scope are not."""
    old = report(row("A-1"), settings={"seed": 1, "apps": "drive", "select": [], "gone": 1})
    comparison = compared(old, report(row("A-1"), settings={"seed": 2, "apps": "drive", "select": ["A-*"], "new": 2}))
    assert comparison.settings == {"seed": (1, 2)}
