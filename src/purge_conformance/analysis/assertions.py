"""The words that judgments are written in.

A judgment ends in one of four ways: it returns (passed), or it raises `Broken`, `Inconclusive` or `NotExercised`.
Anything else that leaves it is a defect of the suite, and says nothing about the target.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from purge_conformance.evidence.intermediaries import is_gateway_error, is_proxy_rejection
from purge_conformance.evidence.listing import Snapshot, read_listing, read_snapshot
from purge_conformance.evidence.records import GATEWAY, RETRIED, Evidence, Exchange, Value
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from purge_conformance.evidence.listing import Listing

FIRST_ERROR_STATUS = 400
Item = TypeVar("Item")
RATE_LIMITED = 429
MAX_QUOTED_CHARS = 300  # characters of an answer that a finding quotes
MAX_FINDINGS = 10


class RequirementViolated(AssertionError):
    """The target broke the requirement, in one way or more."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Hold at least one finding."""
        self.findings = findings
        super().__init__("\n".join(f"expected {f.expected}; got {f.got}" for f in findings))


class AttributableViolation(RequirementViolated):
    """As `Broken`, and the run itself shows that nobody else did it."""


class Undecided(Exception):
    """The requirement could not be judged."""

    def __init__(self, reason: str, cause: Cause) -> None:
        """Hold why, and what it is put down to."""
        self.reason = reason
        self.cause = cause
        super().__init__(reason)


class Inconclusive(Undecided):
    """It was tried, and could not be told."""


class NotExercised(Undecided):
    """It was never tried, or had no occasion."""

    def __init__(self, reason: str, cause: Cause = Cause.TARGET) -> None:
        """Hold why; what did not occur is put down to the target unless said otherwise."""
        super().__init__(reason, cause)


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
    """The evidence of a run, which remembers what one judgment looked at, and how many trials it judged."""

    def __init__(self, evidence: Evidence) -> None:
        """Show the same evidence."""
        super().__init__(evidence.header, evidence.exchanges, evidence.notes)
        object.__setattr__(self, "read_exchanges", [])
        object.__setattr__(self, "tally", Tally())
        self.__dict__.update(by_step=evidence.by_step, cache=evidence.cache)  # made once for all judgments
        object.__setattr__(
            self, "full_evidence", evidence.full_evidence if isinstance(evidence, JudgmentView) else evidence
        )

    read_exchanges: list[int]
    tally: Tally
    full_evidence: Evidence

    def cached(self, find: Callable[[Evidence], Value]) -> Value:
        """Return what is found in the whole evidence, as `Evidence.once` does."""
        return self.full_evidence.cached(find)

    def memoized(self, query: Callable[[JudgmentView], Iterable[Item]]) -> list[Item]:
        """Return what a look finds, as if each judgment looked by itself: what it looked at, each has looked at."""
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

    def of(self, scenario: str, *steps: str) -> tuple[Exchange, ...]:
        """Return an experiment's exchanges, as `Evidence.of` does."""
        found = super().of(scenario, *steps)
        self.read_exchanges.extend(x.n for x in found)
        return found

    def resource_exchanges(self) -> tuple[Exchange, ...]:
        """Return every exchange on the resource or below it that the target itself answered, whatever it was for.

        What was asked for in another form is left out: the documentation says nothing of what comes then.
        """
        return self._resource_exchanges

    @cached_property
    def _resource_exchanges(self) -> tuple[Exchange, ...]:
        found = self.cached(_find_resource_exchanges)
        self.read_exchanges.extend(x.n for x in found)
        return found

    def error_responses(self) -> tuple[Exchange, ...]:
        """Return every error below the resource that can carry a body; what is spelt otherwise is no operation's."""
        found = (x for x in self.resource_exchanges() if x.method != "HEAD" and (x.status or 0) >= FIRST_ERROR_STATUS)
        return tuple(x for x in found if x.step != "spelling")


def _find_resource_exchanges(evidence: Evidence) -> tuple[Exchange, ...]:
    sent = (x for x in evidence.exchanges if x.route.startswith("/v3/app_usage_events") and x.step != "headers")
    return tuple(x for x in target_responses(sent) if not is_proxy_rejection(x))


def require_usable_target(evidence: Evidence) -> None:
    """Return if the target answered at all as the API to its admin.

    Raises:
        Inconclusive: it did not: nothing can be judged.
    """
    for note in evidence.notes:
        if note.name == "unusable":
            raise Inconclusive(note.value["reason"], Cause(note.value["blame"]))


def require_no(findings: Iterable[Finding]) -> None:
    """Return if there is no finding.

    Raises:
        Broken: there are some; the first `MOST_FINDINGS` are kept.
    """
    found = tuple(finding for finding, _ in zip(findings, range(MAX_FINDINGS), strict=False))
    if found:
        raise RequirementViolated(found)


def require_each_trial(view: JudgmentView, trials: Iterable[Trial]) -> None:
    """Return if nothing is wrong with any trial; and let `seen` know how many there were, and how many failed.

    Only trials of a kind that was tried several times are counted: a single one tells nothing of how often it fails.

    Raises:
        Broken: something is; of what several of a kind show alike the first one's is kept, with one that passed.
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
            found.setdefault(signature, replace(finding, passing=passed.get(trial.group)))
    require_no(found.values())


def require_status_of_each(view: JudgmentView, exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require of each of several trials that its answer has one of the statuses; who asks for the same is one kind."""
    words = " or ".join(str(status) for status in expected)
    found = ((x, () if x.status in expected else (Finding(words, describe_response(x), x.n),)) for x in exchanges)
    require_each_trial(
        view, (Trial(x.n, findings, f"{x.role} {x.path} {x.request_body or ''}") for x, findings in found)
    )


def require_status(exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require that every answer has one of the statuses."""
    words = " or ".join(str(status) for status in expected)
    require_no(Finding(words, describe_response(x), x.n) for x in exchanges if x.status not in expected)


def target_responses(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target itself answered: not lost, not rate limited, no gateway's that passed."""
    own = (x for x in exchanges if x.status not in {None, RATE_LIMITED} and x.tags.get(RETRIED) != GATEWAY)
    return tuple(x for x in own if not is_gateway_error(x))


def across_repetitions(
    view: JudgmentView, scenario: str, find: Callable[[JudgmentView, str], Iterable[Item]]
) -> Iterator[Item]:
    """Yield what is found of an experiment and of its repetitions, as far as the latter could be read.

    Raises:
        Undecided: as `find` does, of the first time.
    """
    first, *repetitions = view.repetitions(scenario)
    yield from find(view, first)
    for name in repetitions:
        with suppress(Undecided):
            yield from find(view, name)


def require_exchanges_with_repetitions(
    view: JudgmentView, scenario: str, *steps: str, if_none: str
) -> tuple[Exchange, ...]:
    """Return the answered exchanges of an experiment and of its repetitions; raises as `need` does, of the former."""
    require_exchanges(view, scenario, *steps, if_none=if_none)
    return target_responses(x for name in view.repetitions(scenario) for x in view.of(name, *steps))


def require_exchanges(view: JudgmentView, scenario: str, *steps: str, if_none: str) -> tuple[Exchange, ...]:
    """Return the answered exchanges of an experiment.

    Raises:
        Inconclusive: the experiment was held back, cut short or got no answer.
        NotExercised: it had no occasion, for the reason given as `why`.
    """
    sent = view.of(scenario, *steps)
    responses = target_responses(sent)
    if not responses:
        raise_if_cut_short(view, scenario)
        if sent:
            status = sent[-1].status
            reason = "rate limited (429)" if status == RATE_LIMITED else f"a gateway says {status}"
            raise Inconclusive(f"the target gave no answer: {reason if status else sent[-1].error}", Cause.NETWORK)
        raise NotExercised(if_none)
    return responses


def raise_if_cut_short(view: JudgmentView, scenario: str) -> None:
    """Return unless the experiment was cut short.

    Raises:
        Inconclusive: it was, for the reason that the run noted.
    """
    run_notes = {note.name: note.value for note in view.notes}
    if reason := view.note(scenario, "stopped"):
        raise Inconclusive(str(reason), Cause.CONFIGURATION)
    if reason := view.note(scenario, "expired") or run_notes.get("expired"):
        raise Inconclusive(str(reason), Cause.AUTHENTICATION)
    if reason := view.note(scenario, "crashed"):
        raise Inconclusive(f"the suite failed ({reason}). Please report it.", Cause.SUITE)
    if "lost" in run_notes:
        raise Inconclusive(str(run_notes["lost"]), Cause.NETWORK)
    if "interrupted" in run_notes:
        raise Inconclusive(f"{run_notes['interrupted']} Run again.", Cause.CONFIGURATION)
    if "finished" not in run_notes:
        raise Inconclusive("the run was killed before it could try. Run again.", Cause.SUITE)


def require_snapshot(view: JudgmentView, scenario: str, step: str) -> Snapshot:
    """Return a snapshot whose events could be read.

    Raises:
        Inconclusive: they could not, or nobody looked.
        NotExercised: nothing was tried.
    """
    require_exchanges(view, scenario, f"{step}.events", if_none="the experiment was not run")
    result = read_snapshot(view, scenario, step)
    if not result.events.complete:
        raise_if_cut_short(view, scenario)
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
    """Return that something had no occasion, with the reason why the suite had no apps of its own, if it had none."""
    error = view.note("foundation", "trouble")
    return NotExercised(f"{reason}; {error}" if error else reason, Cause.CONFIGURATION)


def require_walk(view: JudgmentView, scenario: str, step: str) -> Listing:
    """Return a walk over a list, whether it came to its end or not."""
    require_exchanges(view, scenario, step, if_none="the experiment was not run")
    return read_listing(view, scenario, step)


def require_complete(listing: Listing, noun: str) -> None:
    """Return if a list was read to its end.

    Raises:
        Inconclusive: it was not.
    """
    if not listing.complete:
        last = listing.exchanges[-1] if listing.exchanges else None
        raise Inconclusive(f"the list of {noun} could not be read to its end: {describe_response(last)}", Cause.TARGET)


def describe_response(exchange: Exchange | None) -> str:
    """Return an answer in a few words: its status, and the beginning of its body."""
    if exchange is None:
        return "no request"
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    text = " ".join(exchange.text.split())
    return f"{exchange.status} {text[:MAX_QUOTED_CHARS]}".strip() + (" ..." if len(text) > MAX_QUOTED_CHARS else "")
