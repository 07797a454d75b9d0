"""A known failure of one case hides no other case of its requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.known_failures import entry, like
from meta.support.results import NOTHING, requirement
from purge_conformance.analysis.assertions import MAX_FINDINGS, require_no
from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.engine import tolerance
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.report.known_failures import KnownFailures
from purge_conformance.report.model import Cause, Finding, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.config.known_failures import Entry

NAME = "A-1"
KNOWN = entry(NAME, case="one", signature=(like("500"),))


def fails_twice(_: JudgmentView) -> None:
    """Fail in one case, and then in another."""
    require_no([Finding("200", "500")], "one")
    require_no([Finding("200", "503")], "two")


def is_open_behind(_: JudgmentView) -> None:
    """Fail in one case, and decide nothing of the other."""
    require_no([Finding("200", "500")], "one")
    raise Inconclusive("No answer.", Cause.NETWORK)


def crashes_behind(_: JudgmentView) -> None:
    """Fail in one case, and have a defect behind it."""
    require_no([Finding("200", "500")], "one")
    raise KeyError(NAME)


def passes_behind(_: JudgmentView) -> None:
    """Fail in one case only."""
    require_no([Finding("200", "500")], "one")


def record(judgment: Callable[[JudgmentView], None], monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> Result:
    """Return the result of a judgment with these known failures."""

    def end(_name: str, view: JudgmentView) -> BaseException | None:
        try:
            judgment(view)
        except Exception as error:  # noqa: BLE001 -- as `prerequisites.judge` does
            return error
        return None

    monkeypatch.setattr(tolerance, "judge", end)
    known = KnownFailures("known.yaml", entries) if entries else None
    builder = RunBuilder(NOTHING, {NAME: requirement(NAME)}, known=known)
    return builder.record(NAME, end(NAME, JudgmentView(NOTHING)), JudgmentView(NOTHING), 0.0)


def test_other_cases_stay_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails behind a known failure of a case is found; the requirement is not excused."""
    result = record(fails_twice, monkeypatch, KNOWN)
    assert [(each.case, each.got) for each in result.findings] == [("one", "500"), ("two", "503")]
    assert result.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("judgment", "entries"),
    [
        (fails_twice, ()),
        (fails_twice, (entry(NAME),)),
        (fails_twice, (entry(NAME, case="two", signature=(like("503"),)),)),
        (fails_twice, (entry(NAME, case="one", signature=(like("501"),)),)),
        (is_open_behind, (KNOWN,)),
        (crashes_behind, (KNOWN,)),
        (passes_behind, (KNOWN,)),
    ],
)
def test_judgment_ends_with_its_first_violation(
    judgment: Callable[[JudgmentView], None], entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without such an entry, or if nothing else fails, the result is that of the judgment."""
    result = record(judgment, monkeypatch, *entries)
    assert [(each.case, each.got) for each in result.findings] == [("one", "500")]


def test_finding_of_another_kind_is_not_cut_off() -> None:
    """Of many findings each kind is kept, in their order, so that a known failure hides no other one."""
    same = [Finding("200", f"500 {number} events", number) for number in range(1, 3 * MAX_FINDINGS)]
    with pytest.raises(RequirementViolated) as raised:
        require_no([*same, Finding("200", "503", 99)])
    numbers = [finding.exchange for finding in raised.value.findings]
    assert numbers == [*range(1, MAX_FINDINGS), 99]
    with pytest.raises(RequirementViolated) as raised:
        require_no(same)
    assert [finding.exchange for finding in raised.value.findings] == [*range(1, MAX_FINDINGS + 1)]
