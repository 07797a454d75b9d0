"""Why nothing was tried that a judgment needs, as the evidence shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.analysis.assertions import raise_if_cut_short
from purge_conformance.analysis.foreign_purges import find_foreign_purge
from purge_conformance.analysis.next_steps import (
    FIND_APPS,
    FIX_APPS,
    FIX_HOOK,
    PAUSE_RETENTION,
    RUN_ALL,
    RUN_ALONE,
    nothing_to_do,
)
from purge_conformance.analysis.outcomes import (
    Inconclusive,
    NotExercised,
    PrerequisiteFailed,
    RequirementViolated,
    Undecided,
)
from purge_conformance.analysis.retention import find_deletions
from purge_conformance.analysis.silent_purges import due_to_silent_purges
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.catalogue.model import ANY_SCENARIO, Disturbance
from purge_conformance.engine.next_steps import after_fixing
from purge_conformance.evidence import notes
from purge_conformance.evidence.ending import REFUSED
from purge_conformance.evidence.intermediaries import RATE_LIMITED
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.analysis.silent_purges import SilentPurges
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.catalogue.model import Requirement


def explain(requirement: Requirement, error: BaseException | None, view: JudgmentView) -> BaseException | None:
    """Return the end of a judgment; one that says only that nothing was tried, with the reason for that.

    A judgment that names a cause other than the target, or a next step, knows the reason itself.
    """
    if isinstance(error, NotExercised) and error.next_step == FIX_APPS:
        return or_unanswered(error, view)
    if isinstance(error, NotExercised) and error.next_step in {FIND_APPS, FIX_HOOK}:
        return _due_to_others(requirement, error, view)
    if not isinstance(error, NotExercised) or error.cause is not Cause.TARGET or error.next_step:
        return error
    if requirement.conditional and _sent(requirement, view):
        return NotExercised(error.reason, error.cause, nothing_to_do(requirement.conditional))
    if why := why_untried(requirement, view):
        return NotExercised(f"{error.reason} {why.reason}", why.cause, why.next_step)
    return error


def or_unanswered(error: Undecided, view: JudgmentView) -> Undecided:
    """Return why the suite has not all of its apps: no answer of the target to a request for them, or else the error.

    Whatever the answer was, a part of its body in the reason would say no more.
    """
    if error.next_step != FIX_APPS:
        return error
    unanswered = find_unanswered(view.full_evidence.of(Scenario.FOUNDATION))
    return unanswered or error


def _due_to_others(requirement: Requirement, error: NotExercised, view: JudgmentView) -> NotExercised:
    """Return why apps or an error of the hook were missing: a limit of the target, or another client's purge."""
    sent = [x for x in view.full_evidence.exchanges if requirement.needs(x.scenario)]
    if not any(x.status == RATE_LIMITED and Tag.SUPERSEDED not in x.tags for x in sent):
        sent = [x for x in view.full_evidence.exchanges if Tag.LONG_WAIT in x.tags]
    if unanswered := find_unanswered(sent):
        return NotExercised(f"{error.reason} {unanswered.reason}", unanswered.cause, unanswered.next_step)
    if error.next_step == FIND_APPS and (why := other_client(requirement, view)):
        return NotExercised(f"{error.reason} {why.reason}", why.cause, RUN_ALONE)
    return error


def other_client(requirement: Requirement, view: JudgmentView) -> Inconclusive | None:
    """Return that another client purged, if that can disturb the judgment of a requirement."""
    found = find_foreign_purge(view.full_evidence) if Disturbance.FOREIGN_PURGE in requirement.disturbed_by else None
    if not found:
        return None
    return Inconclusive(f"Another client purged, first between exchanges {found[0]} and {found[1]}.", Cause.RACE)


def retention_job(view: JudgmentView) -> Inconclusive | None:
    """Return that a retention job deleted events that the run needed, if one did."""
    if not find_deletions(view.full_evidence):
        return None
    reason = "A retention job deleted events during the run, and this left no response that decides it."
    return Inconclusive(reason, Cause.RACE, PAUSE_RETENTION)


def or_refusal(error: BaseException | None, view: JudgmentView) -> BaseException | None:
    """Return the end of a judgment; if the run ended with exit code 2, that is why the judgment could not decide."""
    refusals = view.noted(notes.REFUSAL)
    if not (refusals and isinstance(error, Undecided)):
        return error
    reason = f"{REFUSED}: {refusals[-1]}"
    return NotExercised(reason, Cause.CONFIGURATION, "Do what the reason says, then run again.")


def or_silent_purges(
    requirement: Requirement,
    error: BaseException | None,
    view: JudgmentView,
    end_of: Callable[[str], BaseException | None],
) -> BaseException | None:
    """Return the end of a judgment; if it is open because the target does not answer purges, that is why.

    Args:
        requirement: what is judged.
        error: how its judgment ended.
        view: what it read.
        end_of: returns how the judgment of a requirement ends; the one that these purges violate is named.
    """
    if not isinstance(error, Undecided) or isinstance(error, PrerequisiteFailed):
        return error
    if error.cause not in {Cause.NETWORK, Cause.TARGET}:
        return error
    numbers = {*view.read_exchanges}
    needed = (x for x in view.full_evidence.exchanges if x.n in numbers or requirement.needs(x.scenario))
    silent = due_to_silent_purges(view, needed)
    violated = silent and next((r.id for r in catalogue.requirements() if _is_violated(end_of(r.id), silent)), None)
    if not (silent and violated):
        return error
    longer = f" If a purge takes longer than {silent.timeout}, give more." if silent.timeout else ""
    next_step = after_fixing([violated]) + longer
    return Inconclusive(f"{silent.description} ({violated}).", Cause.TARGET, next_step, (violated,))


def _is_violated(end: BaseException | None, silent: SilentPurges) -> bool:
    return isinstance(end, RequirementViolated) and any(each.exchange in silent.exchanges for each in end.findings)


def why_untried(requirement: Requirement, view: JudgmentView) -> Undecided | None:
    """Return what the evidence shows: requests without an answer, a run cut short, a scenario that was not run."""
    if unanswered := find_unanswered(view.full_evidence.numbered(dict.fromkeys(view.read_exchanges))):
        return unanswered
    is_any = ANY_SCENARIO in requirement.scenarios
    scenarios = [*Scenario] if is_any else [Scenario(name) for name in requirement.scenarios]
    try:
        for scenario in scenarios:
            raise_if_cut_short(view, scenario)
    except Undecided as reason:
        return reason
    if unanswered := find_unanswered(x for x in view.exchanges if requirement.needs(x.scenario)):
        return unanswered
    if not _sent(requirement, view):
        names = " and ".join(requirement.scenarios)
        return NotExercised(f"The evidence has no request of the scenario {names}.", Cause.CONFIGURATION, RUN_ALL)
    return None


def _sent(requirement: Requirement, view: JudgmentView) -> bool:
    return any(requirement.needs(x.scenario) for x in view.full_evidence.exchanges)
