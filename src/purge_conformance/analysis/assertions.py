"""The functions that judgments are written with.

A judgment ends in one of four ways: it returns (passed), or it raises `RequirementViolated`, `Inconclusive` or
`NotExercised`. Any other exception is a defect of the suite, and says nothing about the target.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from purge_conformance.analysis.next_steps import NO_INTERRUPT, RAISE_BUDGET, get_apps
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.intermediaries import is_of_target, is_proxy_rejection
from purge_conformance.evidence.listing import Snapshot, listing_at, snapshot_at
from purge_conformance.evidence.records import Evidence, Exchange, Result
from purge_conformance.evidence.steps import Part, Scenario, Step, place_of
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Span
    from purge_conformance.evidence.steps import App, Phase, Place, Where

Item = TypeVar("Item")
NOT_RUN = "the scenario was not run"
SHARED_CACHES = ("by_place", "snapshot_keys", "cache", "_by_number", "_spans", "_complete", "_notes")
MAX_QUOTED_CHARS = 300  # characters of an answer that a finding quotes
MAX_FINDINGS = 10


class RequirementViolated(AssertionError):
    """The target violates the requirement.

    Attributes:
        findings: at least one.
        case: id of the case that is violated, if the judgment tells its cases apart; or None.
    """

    def __init__(self, findings: tuple[Finding, ...], case: str | None = None) -> None:
        """Store the findings and the case."""
        self.findings = findings
        self.case = case
        super().__init__("\n".join(f"expected {f.expected}; got {f.got}" for f in findings))


class AttributableViolation(RequirementViolated):
    """A violation that, as the evidence shows, no other client can have caused."""


class Undecided(Exception):
    """The requirement could not be judged.

    Attributes:
        reason: why.
        cause: what that is attributed to.
        next_step: what to do so that it can be judged; empty if the cause says enough.
    """

    def __init__(self, reason: str, cause: Cause, next_step: str = "") -> None:
        """Store the reason, its cause and the next step."""
        self.reason = reason
        self.cause = cause
        self.next_step = next_step
        super().__init__(reason)


class Inconclusive(Undecided):
    """It was tried, without a clear result."""


class PrerequisiteFailed(Inconclusive):
    """What the judgment assumes does not hold in its evidence; the engine adds which requirements failed."""

    def __init__(self, reason: str) -> None:
        """Store the reason: a clause such as "plain purges already fail"."""
        super().__init__(reason, Cause.TARGET)


class NotExercised(Undecided):
    """It was not tried, or there was nothing to judge."""

    def __init__(self, reason: str, cause: Cause = Cause.TARGET, next_step: str = "") -> None:
        """Store the reason, its cause and the next step."""
        super().__init__(reason, cause, next_step)


@dataclass(frozen=True, slots=True)
class Trial:
    """One of several attempts at the same, for example one purge of those of a run.

    Attributes:
        exchange: number of the exchange that shows best how it ended.
        findings: what is wrong with it; none if it passed.
        kind: attempts of one kind differ in nothing that ought to matter.
    """

    exchange: int
    findings: tuple[Finding, ...]
    group: str = ""


class JudgmentView(Evidence):
    """The evidence of a run as one judgment reads it: it records the exchanges that were read, and the trials."""

    def __init__(self, evidence: Evidence) -> None:
        """Show the same evidence."""
        super().__init__(evidence.header, evidence.exchanges, evidence.notes, evidence.list_ends, evidence.all_spans)
        object.__setattr__(self, "read_exchanges", [])
        object.__setattr__(self, "tally", Tally())
        self.__dict__.update({name: getattr(evidence, name) for name in SHARED_CACHES})  # built once for all judgments
        object.__setattr__(
            self, "full_evidence", evidence.full_evidence if isinstance(evidence, JudgmentView) else evidence
        )

    read_exchanges: list[int]
    tally: Tally
    full_evidence: Evidence

    def cached(self, find: Callable[[Evidence], Result]) -> Result:
        """Return the result of a query over the full evidence, as `Evidence.cached` does."""
        return self.full_evidence.cached(find)

    def memoized(self, query: Callable[[JudgmentView], Iterable[Item]]) -> list[Item]:
        """Return the results of a query that runs once; the exchanges that it read count as read by each judgment."""
        if query not in self.cache:
            recorder = JudgmentView(self)
            try:
                self.cache[query] = list(query(recorder)), recorder.read_exchanges
            except Undecided:
                self.read_exchanges.extend(recorder.read_exchanges)
                raise
        results, numbers = self.cache[query]
        self.read_exchanges.extend(numbers)
        return list(results)

    def of(  # noqa: PLR0913 -- the members of a place, as in Evidence
        self,
        scenario: Scenario,
        *steps: Step,
        round: int = 1,
        index: int | None = None,
        phase: Phase | None = None,
        app: App | None = None,
        sequence: int | None = None,
        position: int | None = None,
    ) -> tuple[Exchange, ...]:
        """Return the exchanges of a scenario, as `Evidence.of` does."""
        return self._read(
            super().of(
                scenario,
                *steps,
                round=round,
                index=index,
                phase=phase,
                app=app,
                sequence=sequence,
                position=position,
            )
        )

    def at(self, scenario: Scenario, place: Place, round: int = 1) -> tuple[Exchange, ...]:
        """Return the exchanges of a place, as `Evidence.at` does."""
        return self._read(super().at(scenario, place, round))

    def numbered(self, numbers: Iterable[int]) -> tuple[Exchange, ...]:
        """Return the exchanges with these numbers, as `Evidence.numbered` does."""
        return self._read(super().numbered(numbers))

    def spans(self, scenario: Scenario, *steps: Step, round: int | None = None) -> tuple[Span, ...]:
        """Return the spans of a scenario, as `Evidence.spans` does."""
        found = super().spans(scenario, *steps, round=round)
        self.read_exchanges.extend(n for span in found for n in (*span.requests, *span.before, *span.after))
        return found

    def _read(self, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
        self.read_exchanges.extend(x.n for x in exchanges)
        return exchanges

    def resource_exchanges(self) -> tuple[Exchange, ...]:
        """Return every exchange on the resource or below it that the target itself answered, whatever it was for.

        Requests for another form of the response are left out: the documentation does not describe their responses.
        """
        return self._resource_exchanges

    @cached_property
    def _resource_exchanges(self) -> tuple[Exchange, ...]:
        found = self.cached(_find_resource_exchanges)
        self.read_exchanges.extend(x.n for x in found)
        return found

    def error_responses(self) -> tuple[Exchange, ...]:
        """Return every error below the resource that can have a body; other spellings of a path are no operation."""
        errors = (
            x for x in self.resource_exchanges() if x.method != "HEAD" and (x.status or 0) >= HTTPStatus.BAD_REQUEST
        )
        return tuple(x for x in errors if x.step is not Step.SPELLING)


def _find_resource_exchanges(evidence: Evidence) -> tuple[Exchange, ...]:
    sent = (x for x in evidence.exchanges if x.route.startswith(EVENTS_PATH) and x.step is not Step.OTHER_HEADERS)
    return tuple(x for x in target_responses(sent) if not is_proxy_rejection(x))


def require_usable_target(evidence: Evidence) -> None:
    """Return if the target answered the admin as the API does.

    Raises:
        Inconclusive: it did not: nothing can be judged.
    """
    for unusable in evidence.noted(notes.UNUSABLE):
        raise Inconclusive(unusable.reason, Cause(unusable.cause))


def require_no(findings: Iterable[Finding], case: str | None = None) -> None:
    """Return if there is no finding.

    Raises:
        RequirementViolated: there are some; the first `MAX_FINDINGS` are kept.
    """
    found = tuple(finding for finding, _ in zip(findings, range(MAX_FINDINGS), strict=False))
    if found:
        raise RequirementViolated(found, case)


def require_each_trial(view: JudgmentView, trials: Iterable[Trial], case: str | None = None) -> None:
    """Return if no trial has a finding; store in `view` how many trials there were and how many failed.

    Only groups of several trials are counted: a single trial does not show how often it fails.

    Raises:
        RequirementViolated: a trial has findings; equal findings of a group are kept once, with a trial that passed.
    """
    all_trials = list(trials)
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
    found: dict[tuple[str, str, str], Finding] = {}
    for trial in failed:
        for finding in trial.findings:
            signature = (trial.group, finding.expected, finding.got)
            found.setdefault(signature, replace(finding, passing_exchange=passed.get(trial.group)))
    require_no(found.values(), case)


def require_status_of_each(view: JudgmentView, exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require that each response has one of the statuses; equal requests form one group of trials."""
    words = " or ".join(str(status) for status in expected)
    found = ((x, () if x.status in expected else (Finding(words, describe_response(x), x.n),)) for x in exchanges)
    require_each_trial(
        view, (Trial(x.n, findings, f"{x.role} {x.path} {x.request_body or ''}") for x, findings in found)
    )


def require_status(exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require that every response has one of the statuses."""
    words = " or ".join(str(status) for status in expected)
    require_no(Finding(words, describe_response(x), x.n) for x in exchanges if x.status not in expected)


def target_responses(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target itself answered."""
    return tuple(x for x in exchanges if is_of_target(x))


def across_rounds(
    view: JudgmentView, scenario: Scenario, find: Callable[[JudgmentView, int], Iterable[Item]]
) -> Iterator[Item]:
    """Yield the results of each round of a scenario; of a repetition only as far as it could be read.

    Raises:
        Undecided: as `find` does for the first round.
    """
    first, *repetitions = view.rounds(scenario)
    yield from find(view, first)
    for number in repetitions:
        with suppress(Undecided):
            yield from find(view, number)


def require_exchanges_of_all_rounds(
    view: JudgmentView, scenario: Scenario, *steps: Step, if_none: str
) -> tuple[Exchange, ...]:
    """Return the answered exchanges of all rounds of a scenario; raises as `require_exchanges` does for the first."""
    require_exchanges(view, scenario, *steps, if_none=if_none)
    return target_responses(x for number in view.rounds(scenario) for x in view.of(scenario, *steps, round=number))


def require_exchanges(  # noqa: PLR0913 -- the members of a place
    view: JudgmentView,
    scenario: Scenario,
    *steps: Step,
    if_none: str,
    round: int = 1,
    index: int | None = None,
    phase: Phase | None = None,
) -> tuple[Exchange, ...]:
    """Return the exchanges of a scenario that the target answered.

    Raises:
        Inconclusive: the scenario was blocked, cut short or got no answer.
        NotExercised: nothing was sent, for the reason `if_none`.
    """
    sent = view.of(scenario, *steps, round=round, index=index, phase=phase)
    return require_responses(view, scenario, sent, if_none=if_none, round=round)


def require_responses(
    view: JudgmentView, scenario: Scenario, sent: Sequence[Exchange], *, if_none: str, round: int = 1
) -> tuple[Exchange, ...]:
    """Return those of these exchanges of a scenario that the target answered; raises as `require_exchanges` does."""
    responses = target_responses(sent)
    if not responses:
        raise_if_cut_short(view, scenario, round)
        if sent:
            status = sent[-1].status
            reason = "rate limited (429)" if status == HTTPStatus.TOO_MANY_REQUESTS else f"a gateway answered {status}"
            raise Inconclusive(f"the target gave no answer: {reason if status else sent[-1].error}", Cause.NETWORK)
        raise NotExercised(if_none)
    return responses


def raise_if_cut_short(view: JudgmentView, scenario: Scenario, round: int = 1) -> None:
    """Return unless the scenario was cut short.

    Raises:
        Inconclusive: it was, for the reason that the run noted.
    """
    if reason := view.note(scenario, notes.STOPPED, round):
        raise Inconclusive(reason, Cause.CONFIGURATION, RAISE_BUDGET)
    if reason := view.note(scenario, notes.EXPIRED, round) or _last(view.noted(notes.EXPIRED)):
        raise Inconclusive(reason, Cause.AUTHENTICATION)
    if reason := view.note(scenario, notes.CRASHED, round):
        raise Inconclusive(f"The suite failed ({reason}).", Cause.SUITE)
    if reason := _last(view.noted(notes.LOST)):
        raise Inconclusive(reason, Cause.NETWORK)
    if reason := _last(view.noted(notes.INTERRUPTED)):
        raise Inconclusive(reason, Cause.CONFIGURATION, NO_INTERRUPT)
    if not view.noted(notes.FINISHED):
        raise Inconclusive(
            "The run was killed before it could try.",
            Cause.SUITE,
            "Run again; if it is killed again, see the limits of memory and time of the machine or CI job.",
        )


def _last(reasons: tuple[str, ...]) -> str | None:
    return reasons[-1] if reasons else None


def require_snapshot(view: JudgmentView, scenario: Scenario, where: Where, round: int = 1) -> Snapshot:
    """Return the snapshot of a place whose events could be read.

    Raises:
        Inconclusive: the events could not be read.
        NotExercised: nothing was tried.
    """
    place = place_of(where)
    pages = view.at(scenario, place.of(Part.EVENTS), round)
    require_responses(view, scenario, pages, if_none=NOT_RUN, round=round)
    result = snapshot_at(view, scenario, place, round)
    if not result.events.complete:
        raise_if_cut_short(view, scenario, round)
    require_complete(result.events, "events")
    return result


def require_apps(result: Snapshot) -> Snapshot:
    """Return the snapshot if all of its apps could be read.

    Raises:
        Inconclusive: they could not.
    """
    require_complete(result.apps, "apps")
    return result


def no_suitable_app(view: JudgmentView, reason: str) -> NotExercised:
    """Return that there was nothing to judge, with the reason why the suite has no apps of its own, if it has none."""
    error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR)
    return NotExercised(f"{reason}; {error}" if error else reason, Cause.CONFIGURATION, get_apps(view))


def require_walk(view: JudgmentView, scenario: Scenario, where: Where, round: int = 1) -> Listing:
    """Return the list of a place, whether or not its end was reached."""
    place = place_of(where)
    require_responses(view, scenario, view.at(scenario, place, round), if_none=NOT_RUN, round=round)
    return listing_at(view, scenario, place, round)


def require_complete(listing: Listing, noun: str) -> None:
    """Return if a list was read to its end.

    Raises:
        Inconclusive: it was not.
    """
    if not listing.complete:
        last = listing.exchanges[-1] if listing.exchanges else None
        raise Inconclusive(f"the list of {noun} could not be read to its end: {describe_response(last)}", Cause.TARGET)


def describe_response(exchange: Exchange | None) -> str:
    """Return a response in a few words: its status, and the beginning of its body."""
    if exchange is None:
        return "no request"
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    text = " ".join(exchange.text.split())
    return f"{exchange.status} {text[:MAX_QUOTED_CHARS]}".strip() + (" ..." if len(text) > MAX_QUOTED_CHARS else "")
