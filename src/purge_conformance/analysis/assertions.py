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

ERRORS = 400
Item = TypeVar("Item")
RATE_LIMITED = 429
SHOWN = 300  # characters of an answer that a finding quotes
MOST_FINDINGS = 10


class Broken(AssertionError):
    """The target broke the requirement, in one way or more."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Hold at least one finding."""
        self.findings = findings
        super().__init__("\n".join(f"expected {f.expected}; got {f.got}" for f in findings))


class Proven(Broken):
    """As `Broken`, and the run itself shows that nobody else did it."""


class Undecided(Exception):
    """The requirement could not be judged."""

    def __init__(self, reason: str, blame: Cause) -> None:
        """Hold why, and what it is put down to."""
        self.reason = reason
        self.blame = blame
        super().__init__(reason)


class Inconclusive(Undecided):
    """It was tried, and could not be told."""


class NotExercised(Undecided):
    """It was never tried, or had no occasion."""

    def __init__(self, reason: str, blame: Cause = Cause.TARGET) -> None:
        """Hold why; what did not occur is put down to the target unless said otherwise."""
        super().__init__(reason, blame)


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
    kind: str = ""


class Seen(Evidence):
    """The evidence of a run, which remembers what one judgment looked at, and how many trials it judged."""

    def __init__(self, evidence: Evidence) -> None:
        """Show the same evidence."""
        super().__init__(evidence.header, evidence.exchanges, evidence.notes)
        object.__setattr__(self, "looked_at", [])
        object.__setattr__(self, "tally", Tally())
        self.__dict__.update(by_step=evidence.by_step, cache=evidence.cache)  # made once for all judgments
        object.__setattr__(self, "whole", evidence.whole if isinstance(evidence, Seen) else evidence)

    looked_at: list[int]
    tally: Tally
    whole: Evidence

    def cached(self, find: Callable[[Evidence], Value]) -> Value:
        """Return what is found in the whole evidence, as `Evidence.once` does."""
        return self.whole.cached(find)

    def remembered(self, look: Callable[[Seen], Iterable[Item]]) -> list[Item]:
        """Return what a look finds, as if each judgment looked by itself: what it looked at, each has looked at."""
        if look not in self.cache:
            eyes = Seen(self)
            try:
                self.cache[look] = list(look(eyes)), eyes.looked_at
            except Undecided:
                self.looked_at.extend(eyes.looked_at)
                raise
        found, looked_at = self.cache[look]
        self.looked_at.extend(looked_at)
        return list(found)

    def of(self, experiment: str, *steps: str) -> tuple[Exchange, ...]:
        """Return an experiment's exchanges, as `Evidence.of` does."""
        found = super().of(experiment, *steps)
        self.looked_at.extend(x.n for x in found)
        return found

    def resource(self) -> tuple[Exchange, ...]:
        """Return every exchange on the resource or below it that the target itself answered, whatever it was for.

        What was asked for in another form is left out: the documentation says nothing of what comes then.
        """
        return self._resource

    @cached_property
    def _resource(self) -> tuple[Exchange, ...]:
        found = self.cached(_resource)
        self.looked_at.extend(x.n for x in found)
        return found

    def errors(self) -> tuple[Exchange, ...]:
        """Return every error below the resource that can carry a body; what is spelt otherwise is no operation's."""
        found = (x for x in self.resource() if x.method != "HEAD" and (x.status or 0) >= ERRORS)
        return tuple(x for x in found if x.step != "spelling")


def _resource(evidence: Evidence) -> tuple[Exchange, ...]:
    sent = (x for x in evidence.exchanges if x.route.startswith("/v3/app_usage_events") and x.step != "headers")
    return tuple(x for x in answered(sent) if not is_proxy_rejection(x))


def usable(evidence: Evidence) -> None:
    """Return if the target answered at all as the API to its admin.

    Raises:
        Inconclusive: it did not: nothing can be judged.
    """
    for note in evidence.notes:
        if note.name == "unusable":
            raise Inconclusive(note.value["reason"], Cause(note.value["blame"]))


def hold(findings: Iterable[Finding]) -> None:
    """Return if there is no finding.

    Raises:
        Broken: there are some; the first `MOST_FINDINGS` are kept.
    """
    found = tuple(finding for finding, _ in zip(findings, range(MOST_FINDINGS), strict=False))
    if found:
        raise Broken(found)


def hold_each(seen: Seen, trials: Iterable[Trial]) -> None:
    """Return if nothing is wrong with any trial; and let `seen` know how many there were, and how many failed.

    Only trials of a kind that was tried several times are counted: a single one tells nothing of how often it fails.

    Raises:
        Broken: something is; of what several of a kind show alike the first one's is kept, with one that passed.
    """
    judged = list(trials)
    passed = {trial.kind: trial.exchange for trial in judged if not trial.findings}
    failed = [trial for trial in judged if trial.findings]
    kinds = Counter(trial.kind for trial in judged)
    several = [trial for trial in judged if kinds[trial.kind] > 1]
    tally = Tally(
        trials=len(several),
        failures=sum(bool(trial.findings) for trial in several),
        is_flaky=any(trial.kind in passed for trial in failed),
    )
    object.__setattr__(seen, "tally", tally)
    found: dict[tuple[str, str, str], Finding] = {}
    for trial in failed:
        for finding in trial.findings:
            alike = (trial.kind, finding.expected, finding.got)
            found.setdefault(alike, replace(finding, passing=passed.get(trial.kind)))
    hold(found.values())


def each_status_is(seen: Seen, exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require of each of several trials that its answer has one of the statuses; who asks for the same is one kind."""
    words = " or ".join(str(status) for status in expected)
    found = ((x, () if x.status in expected else (Finding(words, answer(x), x.n),)) for x in exchanges)
    hold_each(seen, (Trial(x.n, findings, f"{x.role} {x.path} {x.request_body or ''}") for x, findings in found))


def status_is(exchanges: Iterable[Exchange], *expected: int) -> None:
    """Require that every answer has one of the statuses."""
    words = " or ".join(str(status) for status in expected)
    hold(Finding(words, answer(x), x.n) for x in exchanges if x.status not in expected)


def answered(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target itself answered: not lost, not rate limited, no gateway's that passed."""
    own = (x for x in exchanges if x.status not in {None, RATE_LIMITED} and x.tags.get(RETRIED) != GATEWAY)
    return tuple(x for x in own if not is_gateway_error(x))


def each_time(seen: Seen, experiment: str, find: Callable[[Seen, str], Iterable[Item]]) -> Iterator[Item]:
    """Yield what is found of an experiment and of its repetitions, as far as the latter could be read.

    Raises:
        Undecided: as `find` does, of the first time.
    """
    first, *later = seen.repetitions(experiment)
    yield from find(seen, first)
    for name in later:
        with suppress(Undecided):
            yield from find(seen, name)


def need_all(seen: Seen, experiment: str, *steps: str, why: str) -> tuple[Exchange, ...]:
    """Return the answered exchanges of an experiment and of its repetitions; raises as `need` does, of the former."""
    need(seen, experiment, *steps, why=why)
    return answered(x for name in seen.repetitions(experiment) for x in seen.of(name, *steps))


def need(seen: Seen, experiment: str, *steps: str, why: str) -> tuple[Exchange, ...]:
    """Return the answered exchanges of an experiment.

    Raises:
        Inconclusive: the experiment was held back, cut short or got no answer.
        NotExercised: it had no occasion, for the reason given as `why`.
    """
    sent = seen.of(experiment, *steps)
    found = answered(sent)
    if not found:
        stopped(seen, experiment)
        if sent:
            status = sent[-1].status
            reason = "rate limited (429)" if status == RATE_LIMITED else f"a gateway says {status}"
            raise Inconclusive(f"the target gave no answer: {reason if status else sent[-1].error}", Cause.NETWORK)
        raise NotExercised(why)
    return found


def stopped(seen: Seen, experiment: str) -> None:
    """Return unless the experiment was cut short.

    Raises:
        Inconclusive: it was, for the reason that the run noted.
    """
    whole_run = {note.name: note.value for note in seen.notes}
    if reason := seen.note(experiment, "stopped"):
        raise Inconclusive(str(reason), Cause.CONFIGURATION)
    if reason := seen.note(experiment, "expired") or whole_run.get("expired"):
        raise Inconclusive(str(reason), Cause.AUTHENTICATION)
    if reason := seen.note(experiment, "crashed"):
        raise Inconclusive(f"the suite failed ({reason}). Please report it.", Cause.SUITE)
    if "lost" in whole_run:
        raise Inconclusive(str(whole_run["lost"]), Cause.NETWORK)
    if "interrupted" in whole_run:
        raise Inconclusive(f"{whole_run['interrupted']} Run again.", Cause.CONFIGURATION)
    if "finished" not in whole_run:
        raise Inconclusive("the run was killed before it could try. Run again.", Cause.SUITE)


def snapshot_of(seen: Seen, experiment: str, step: str) -> Snapshot:
    """Return a snapshot whose events could be read.

    Raises:
        Inconclusive: they could not, or nobody looked.
        NotExercised: nothing was tried.
    """
    need(seen, experiment, f"{step}.events", why="the experiment was not run")
    found = read_snapshot(seen, experiment, step)
    if not found.events.complete:
        stopped(seen, experiment)
    readable(found.events, "events")
    return found


def apps_of(found: Snapshot) -> Snapshot:
    """Return the snapshot if all of its apps could be read.

    Raises:
        Inconclusive: they could not.
    """
    readable(found.apps, "apps")
    return found


def for_want_of_apps(seen: Seen, words: str) -> NotExercised:
    """Return that something had no occasion, with the reason why the suite had no apps of its own, if it had none."""
    trouble = seen.note("foundation", "trouble")
    return NotExercised(f"{words}; {trouble}" if trouble else words, Cause.CONFIGURATION)


def walk_of(seen: Seen, experiment: str, step: str) -> Listing:
    """Return a walk over a list, whether it came to its end or not."""
    need(seen, experiment, step, why="the experiment was not run")
    return read_listing(seen, experiment, step)


def readable(found: Listing, what: str) -> None:
    """Return if a list was read to its end.

    Raises:
        Inconclusive: it was not.
    """
    if not found.complete:
        last = found.exchanges[-1] if found.exchanges else None
        raise Inconclusive(f"the list of {what} could not be read to its end: {answer(last)}", Cause.TARGET)


def answer(exchange: Exchange | None) -> str:
    """Return an answer in a few words: its status, and the beginning of its body."""
    if exchange is None:
        return "no request"
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    text = " ".join(exchange.text.split())
    return f"{exchange.status} {text[:SHOWN]}".strip() + (" ..." if len(text) > SHOWN else "")
