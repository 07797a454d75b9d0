"""The assertions that judgments are written with, and the queries that check that there is something to judge.

A judgment either returns (passed), or raises `RequirementViolated`, `Inconclusive` or `NotExercised`.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from purge_conformance.analysis.changes_by_others import find_deleted_by_others
from purge_conformance.analysis.next_steps import (
    AFTER_KILL,
    NO_INTERRUPT,
    RAISE_BUDGET,
    RAISE_LIST_LIMIT,
    get_apps,
    split_advice,
)
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated, Trial, Undecided
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.analysis.view import JudgmentView, target_responses, tried
from purge_conformance.evidence import notes
from purge_conformance.evidence.ending import describe_kill
from purge_conformance.evidence.listing import Snapshot, is_page, listing_at, snapshot_at
from purge_conformance.evidence.safe_text import capitalize
from purge_conformance.evidence.steps import Part, Scenario, Step, place_of
from purge_conformance.report.model import Cause, Finding, Tally
from purge_conformance.report.signature import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.evidence.steps import Phase, Where

Item = TypeVar("Item")
MAX_QUOTED_CHARS = 300  # characters of a response that a finding quotes
MAX_FINDINGS = 10
MAX_LOOK = 1_000  # findings that are looked at for one of another kind
# What a judgment goes on after, as if it were no finding: a known failure of one case must not hide the other cases.
TOLERATED: ContextVar[Callable[[Finding], bool]] = ContextVar("TOLERATED", default=lambda _finding: False)


def require_usable_target(evidence: Evidence) -> None:
    """Require that the target answered the admin's first requests as the API does.

    Raises:
        Inconclusive: it did not, so nothing can be judged.
    """
    for unusable in evidence.noted(notes.UNUSABLE):
        reason, advice = split_advice(unusable.reason)
        raise Inconclusive(to_sentence(reason), Cause(unusable.cause), advice)


def require_no(findings: Iterable[Finding], case: str | None = None) -> None:
    """Require that there is no finding.

    Raises:
        RequirementViolated: there is one; the exception holds the first `MAX_FINDINGS`, and how many there are.
    """
    is_tolerated = TOLERATED.get()
    named = (replace(finding, case=finding.case or case or None) for finding in findings)
    all_findings = tuple(finding for finding in named if not is_tolerated(finding))
    if all_findings:
        raise RequirementViolated(_most_different(all_findings), case, len(all_findings))


def _most_different(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the first `MAX_FINDINGS`, in their order: one of each kind before further ones of the same kind."""
    if len(findings) <= MAX_FINDINGS:
        return findings
    looked_at = reversed([*enumerate(findings[:MAX_LOOK])])
    kinds = {(each.case, normalize(each.expected), normalize(each.got)): number for number, each in looked_at}
    first = sorted(kinds.values())[:MAX_FINDINGS]
    others = (n for n in range(len(findings)) if n not in first)
    return tuple(findings[n] for n in sorted([*first, *others][:MAX_FINDINGS]))


def require_each_trial(view: JudgmentView, trials: Iterable[Trial], case: str | None = None) -> None:
    """Require that no trial has a finding; store in `view` how many trials there were and how many failed.

    Each trial counts for its case, or else for `case`, if there is one. In the tally, only groups of several trials
    count: a single trial does not show how often it fails.

    Raises:
        RequirementViolated: a trial has findings. The exception holds equal findings of a group once, with the number
            of a trial of the group that passed.
    """
    all_trials = list(trials)
    for trial in all_trials:
        if name := trial.case or case:
            view.count(name, [trial.exchange])
    passed = {trial.group: trial.exchange for trial in all_trials if not trial.findings}
    failed = [trial for trial in all_trials if trial.findings]
    group_sizes = Counter(trial.group for trial in all_trials)
    repeated = [trial for trial in all_trials if group_sizes[trial.group] > 1]
    tally = Tally(
        trials=len(repeated),
        failures=sum(bool(trial.findings) for trial in repeated),
        is_flaky=any(trial.group in passed for trial in failed),
    )
    object.__setattr__(view, "tally", tally)
    findings: dict[tuple[str, str, str], Finding] = {}
    for trial in failed:
        own_case = trial.case or case or view.case_of(trial.exchange)
        for finding in trial.findings:
            signature = (trial.group, finding.expected, finding.got)
            passing = passed.get(trial.group)
            findings.setdefault(signature, replace(finding, passing_exchange=passing, case=finding.case or own_case))
    require_no(findings.values(), case or next((trial.case for trial in failed), None))


def require_status_of_each(view: JudgmentView, exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require that each response has one of the statuses; equal requests form one group of trials."""
    words = " or ".join(str(status) for status in expected)
    pairs = ((x, () if x.status in expected else (Finding(words, describe_response(x), x.n),)) for x in exchanges)
    require_each_trial(
        view, (Trial(x.n, findings, f"{x.role} {x.path} {x.request_body or ''}") for x, findings in pairs)
    )


def require_status(exchanges: Iterable[Exchange], *expected: int, case: str | None = None) -> None:
    """Require that every response has one of the statuses; `case` is that of the requirement, if one is violated."""
    words = " or ".join(str(status) for status in expected)
    require_no((Finding(words, describe_response(x), x.n) for x in exchanges if x.status not in expected), case)


def across_rounds(
    view: JudgmentView, scenario: Scenario, find: Callable[[JudgmentView, int], Iterable[Item]]
) -> Iterator[Item]:
    """Yield the results of each round of a scenario; those of a repetition up to where it cannot be judged.

    Raises:
        Undecided: `find` raises it for the first round.
    """
    first, *repetitions = view.rounds(scenario)
    yield from find(view, first)
    for number in repetitions:
        with suppress(Undecided):
            yield from find(view, number)


def require_exchanges_of_all_rounds(
    view: JudgmentView, scenario: Scenario, *steps: Step, if_none: str | NotExercised
) -> tuple[Exchange, ...]:
    """Return the answered exchanges of all rounds of a scenario; raises as `require_exchanges` does for the first."""
    require_exchanges(view, scenario, *steps, if_none=if_none)
    return target_responses(x for number in view.rounds(scenario) for x in view.of(scenario, *steps, round=number))


def require_exchanges(  # noqa: PLR0913 -- the members of a place
    view: JudgmentView,
    scenario: Scenario,
    *steps: Step,
    if_none: str | NotExercised,
    round: int = 1,
    index: int | None = None,
    phase: Phase | None = None,
) -> tuple[Exchange, ...]:
    """Return the exchanges of a scenario that the target answered.

    Raises:
        Inconclusive: the scenario was blocked or cut short, or the target gave no answer.
        NotExercised: nothing was sent; `if_none` is the reason.
    """
    sent = view.of(scenario, *steps, round=round, index=index, phase=phase)
    return require_responses(view, scenario, sent, if_none=if_none, round=round)


def require_tried(view: JudgmentView, scenario: Scenario, *steps: Step, if_none: str) -> tuple[Exchange, ...]:
    """Return the unusual requests of a scenario that were answered, or refused by closing the connection.

    Raises:
        Undecided: as `require_exchanges`.
    """
    requests = tried(view.of(scenario, *steps))
    return requests or require_exchanges(view, scenario, *steps, if_none=if_none)


def require_responses(
    view: JudgmentView, scenario: Scenario, sent: Sequence[Exchange], *, if_none: str | NotExercised, round: int = 1
) -> tuple[Exchange, ...]:
    """Return those of these exchanges of a scenario that the target answered; raises as `require_exchanges` does."""
    responses = target_responses(sent)
    if not responses:
        raise_if_cut_short(view, scenario, round)
        raise find_unanswered(sent) or (NotExercised(if_none) if isinstance(if_none, str) else if_none)
    return responses


def raise_if_cut_short(view: JudgmentView, scenario: Scenario, round: int = 1) -> None:
    """Raise if the scenario was cut short.

    Raises:
        Inconclusive: it was, for the reason that the run recorded.
    """
    if reason := view.note(scenario, notes.STOPPED, round):
        raise _cut_short(reason, Cause.CONFIGURATION, RAISE_BUDGET)
    if reason := view.note(scenario, notes.EXPIRED, round) or _last(view.noted(notes.EXPIRED)):
        raise _cut_short(reason, Cause.AUTHENTICATION)
    if reason := view.note(scenario, notes.CRASHED, round):
        raise Inconclusive(f"The suite failed ({reason}).", Cause.SUITE)
    if reason := _last(view.noted(notes.LOST)):
        raise _cut_short(reason, Cause.NETWORK)
    if reason := _last(view.noted(notes.INTERRUPTED)):
        raise Inconclusive(to_sentence(reason), Cause.CONFIGURATION, NO_INTERRUPT)
    if reason := describe_kill(view.full_evidence):
        raise Inconclusive(reason, Cause.CONFIGURATION, AFTER_KILL)


def _cut_short(text: str, cause: Cause, next_step: str = "") -> Inconclusive:
    """Return the exception for a recorded reason; its own advice counts before the next step."""
    reason, advice = split_advice(text)
    return Inconclusive(to_sentence(reason), cause, advice or next_step)


def _last(reasons: tuple[str, ...]) -> str | None:
    return reasons[-1] if reasons else None


def require_snapshot(view: JudgmentView, scenario: Scenario, where: Where, round: int = 1) -> Snapshot:
    """Return the snapshot of a place, with all of its events.

    Raises:
        Inconclusive: the events could not be read.
        NotExercised: the scenario did not try to read them.
    """
    place = place_of(where)
    pages = view.at(scenario, place.of(Part.EVENTS), round)
    require_responses(view, scenario, pages, if_none=not_run(scenario), round=round)
    result = snapshot_at(view, scenario, place, round)
    if not result.events.complete:
        raise_if_cut_short(view, scenario, round)
    require_complete(result.events, "events")
    return result


def require_apps(result: Snapshot) -> Snapshot:
    """Return the snapshot, if it has all apps.

    Raises:
        Inconclusive: the apps could not be read.
    """
    require_complete(result.apps, "apps")
    return result


def no_suitable_app(view: JudgmentView, reason: str) -> Undecided:
    """Return the exception for evidence without a suitable app; its reason says why the suite has no own apps."""
    try:
        raise_if_cut_short(view, Scenario.FOUNDATION)
    except Undecided as ending:
        return ending
    if app := find_deleted_by_others(view.full_evidence):
        return Inconclusive(f"The suite's app {app} disappeared: another client deleted it. {reason}", Cause.RACE)
    error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR)
    return NotExercised(f"{reason} {to_sentence(error or '')}".strip(), Cause.CONFIGURATION, get_apps(view))


def no_event(view: JudgmentView, reason: str) -> NotExercised:
    """Return the exception where the list has no event that a request could name."""
    return NotExercised(reason, Cause.CONFIGURATION, get_apps(view))


def not_run(scenario: Scenario) -> str:
    """Return the reason where the evidence has nothing of a scenario."""
    return f"The scenario {scenario} was not run."


def to_sentence(text: str) -> str:
    """Return a text that the run recorded as a sentence; empty if it is."""
    return f"{capitalize(text)}{'' if text.endswith('.') or not text else '.'}"


def require_walk(view: JudgmentView, scenario: Scenario, where: Where, round: int = 1) -> Listing:
    """Return the list of a place, whether or not its end was reached."""
    place = place_of(where)
    require_responses(view, scenario, view.at(scenario, place, round), if_none=not_run(scenario), round=round)
    return listing_at(view, scenario, place, round)


def require_complete(listing: Listing, noun: str) -> None:
    """Require that a list was read to its end.

    Raises:
        Inconclusive: it was not.
    """
    if not listing.complete:
        last = listing.exchanges[-1] if listing.exchanges else None
        if last and is_page(last):
            read = f"{len(listing.rows)} rows on {len(listing.exchanges)} pages"
            reason = f"The list of {noun} did not end within the limits of the run; it read {read}."
            raise Inconclusive(reason, Cause.CONFIGURATION, RAISE_LIST_LIMIT)
        raise Inconclusive(f"The list of {noun} could not be read to its end: {describe_response(last)}.", Cause.TARGET)


def describe_response(exchange: Exchange | None) -> str:
    """Return a response in words: its status, and the beginning of its body."""
    if exchange is None:
        return "no request"
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    text = " ".join(exchange.text.split())
    return f"{exchange.status} {text[:MAX_QUOTED_CHARS]}".strip() + (" ..." if len(text) > MAX_QUOTED_CHARS else "")
