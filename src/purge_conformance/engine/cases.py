"""Which cases of a requirement its judgment tried, and why it did not try the others.

A pass covers the whole sentence: an unconditional case that was not tried makes it inconclusive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import no_suitable_app
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Undecided
from purge_conformance.catalogue.model import ANY_SCENARIO, set_order
from purge_conformance.engine.next_steps import COLLECT_AGAIN, default_next_step
from purge_conformance.engine.untried import or_unanswered, other_client, retention_job, why_untried
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.catalogue.model import Case, Requirement
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Result


MAX_TEXTS = 2  # of cases; more are named by their ids


def open_case(requirement: Requirement, view: JudgmentView) -> Exception | None:
    """Return why a pass does not cover the whole requirement; None if each of its unconditional cases was tried.

    A case that the requirement does not declare is a defect of the judgment, and gives a `KeyError`.
    """
    if unknown := sorted(view.cases.keys() - {case.id for case in requirement.cases}):
        return KeyError(f"{requirement.id} declares no case {', '.join(unknown)}")
    cases = [case for case in _not_counted(requirement, view) if not _need(case, requirement, view)]
    return _describe(cases, _explanation(requirement, view, cases)) if cases else None


def with_cases(result: Result, view: JudgmentView) -> Result:
    """Return the result with the number of trials of each case, and with what the others need.

    One that is not judged since its requirement is newer than the evidence says so, and keeps no verdict open.
    """
    requirement = result.requirement
    result = replace(
        result,
        cases={case.id: len(view.cases.get(case.id, ())) for case in requirement.cases},
        untried={case.id: need for case in _not_counted(requirement, view) if (need := _need(case, requirement, view))},
    )
    if _is_newer(requirement.since, view) and result.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}:
        reason = f"It is newer than this evidence: {_newer(requirement.since, view)}. {result.reason}"
        return replace(
            result, outcome=Outcome.NOT_EXERCISED, reason=reason, next_step=COLLECT_AGAIN, newer_than_evidence=True
        )
    return result


def _not_counted(requirement: Requirement, view: JudgmentView) -> list[Case]:
    return [case for case in requirement.cases if not view.cases.get(case.id)]


def _need(case: Case, requirement: Requirement, view: JudgmentView) -> str:
    """Return what a case needs that keeps nothing open without it; empty for other cases."""
    if _is_newer(case.since, view):
        return _newer(case.since, view)
    left_out = {name for each in requirement.scenarios for name in _left_out(view, each)}
    if case.id in left_out:
        return f"a larger --max-purges than {view.header.settings.get('max_purges')}"
    return case.conditional or ""


def _left_out(view: JudgmentView, scenario: str) -> Iterable[str]:
    """Return the cases for which the user's limit left a scenario no purge, although it sent others."""
    names = Scenario if scenario == ANY_SCENARIO else (Scenario(scenario),)
    return (case for name in names for cases in view.noted(notes.LEFT_OUT, name) for case in cases)


def _is_newer(requirement_set: str, evidence: Evidence) -> bool:
    return set_order(requirement_set) > set_order(evidence.header.requirement_set)


def _newer(requirement_set: str, evidence: Evidence) -> str:
    return f"evidence of requirement set {requirement_set}; this one is of set {evidence.header.requirement_set}"


def _describe(cases: Iterable[Case], why: Undecided) -> Inconclusive:
    names = [case.id for case in cases]
    texts = [f"{case.id} ({case.text.rstrip('.')})" for case in cases][:MAX_TEXTS]
    what = "; ".join(texts) if len(names) <= MAX_TEXTS else f"the cases {', '.join(names)}"
    reason = f"{why.reason} Not judged for this reason: {what}."
    outcome = Outcome.NOT_EXERCISED if isinstance(why, NotExercised) else Outcome.INCONCLUSIVE
    return Inconclusive(reason, why.cause, why.next_step or default_next_step(outcome, why.cause))


def _explanation(requirement: Requirement, view: JudgmentView, cases: Iterable[Case]) -> Undecided:
    """Return why the first of these cases was not tried: what the judgment says, or else what the evidence shows."""
    if explained := [view.untried[case.id] for case in cases if case.id in view.untried]:
        return explained[0]
    if why := why_untried(requirement, view):
        return why
    if not own_apps(view):
        return or_unanswered(no_suitable_app(view, "The suite had no app of its own."), view)
    if view.note(Scenario.FOUNDATION, notes.APPS_ERROR):
        return or_unanswered(no_suitable_app(view, "The suite lacks some of its apps."), view)
    others = other_client(requirement, view) or retention_job(view)
    return others or NotExercised("No response of the target decides it.", Cause.TARGET)
