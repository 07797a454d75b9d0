"""Purges without a response although the target answers everything else: the target's fault, not the network's."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import describe_response
from purge_conformance.analysis.purge_series import is_plain_purge
from purge_conformance.analysis.unanswered import TIMED_OUT
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import SAFE_METHODS, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.intermediaries import is_closed_on_unusual, is_of_target
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.unusual_requests import is_unusual
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.evidence.records import Evidence, Exchange

MIN_SILENT = 3  # fewer purges without a response may be due to the network
MIN_ROUNDS = 2  # of concurrent purges


@dataclass(frozen=True, slots=True)
class SilentPurges:
    """Purges that the target does not answer.

    Attributes:
        description: a sentence without its full stop.
        exchanges: their numbers.
        timeout: the flag with its value, if one of them may only take longer; or empty.
    """

    description: str
    exchanges: frozenset[int | None]
    timeout: str


def find_silent_purges(view: JudgmentView) -> list[Finding]:
    """Return a finding for each plain purge without a response, if the target caused that.

    It did if they are three or more, and at least half of all plain purges, and if the read before and the read after
    each of them were answered at once.
    """
    silent = view.cached(_find_silent_purges)
    view.read_exchanges.extend(x.n for x in silent)
    return [_finding(view, x, "200", "the reads before and after it were answered") for x in silent]


def find_silent_concurrent_purges(view: JudgmentView) -> list[Finding]:
    """Return a finding for each concurrent purge without a response, if concurrency caused that.

    It did if each of several rounds has one, or three of three purges of one round have none while reads are answered,
    and if nothing else in the run remained without a response, except unusual requests, the purges beside these that
    must be rejected, and the single purge beside such.
    """
    rounds: dict[object, list[Exchange]] = {}
    for number in view.rounds(Scenario.CONCURRENT_PURGES):
        for x in view.of(Scenario.CONCURRENT_PURGES, Step.CONCURRENT, round=number):
            rounds.setdefault(x.key, []).append(x)
    silent = [x for purges in rounds.values() for x in purges if x.status is None]
    is_proved = len(rounds) >= MIN_ROUNDS or len(silent) == sum(map(len, rounds.values())) >= MIN_SILENT
    reads = view.of(Scenario.CONCURRENT_PURGES, Step.CONCURRENT_READ)
    if not (is_proved and reads and all(any(x.status is None for x in purges) for purges in rounds.values())):
        return []
    others = (
        x
        for number in view.rounds(Scenario.CONCURRENT_PURGES)
        for x in view.of(Scenario.CONCURRENT_PURGES, Step.CONCURRENT_CREDENTIAL, Step.ALONE, round=number)
        if Tag.CONCURRENT in x.tags
    )
    numbers = {x.n for x in (*silent, *others)}
    if any(x.status is None and x.n not in numbers and not is_unusual(x) for x in view.exchanges):
        return []
    words = "2xx, or a rejection such as 409 or 503"
    return [_finding(view, x, words, "everything else in the run was answered") for x in silent]


def due_to_silent_purges(view: JudgmentView, exchanges: Iterable[Exchange]) -> SilentPurges | None:
    """Return the purges without a response that prevent a judgment that needs these exchanges, if they do.

    They do if nothing else of these exchanges remained without a response, and if the target caused it.
    """
    unanswered = [x for x in exchanges if x.status is None and Tag.SUPERSEDED not in x.tags]
    purges = [x for x in unanswered if is_purge(x.method, x.path) and (x.role == ADMIN or Tag.CONCURRENT in x.tags)]
    if not purges or not all(x in purges or is_closed_on_unusual(x) for x in unanswered):
        return None
    whole = JudgmentView(view.full_evidence)
    timeout = _timeout(view) if any(map(_is_timeout, purges)) else ""
    within = f" within {timeout}" if timeout else ""
    if found := find_silent_purges(whole):
        words = f"Purges by the admin get no response{within}, although the reads before and after them get one"
    elif found := find_silent_concurrent_purges(whole):
        words = f"Concurrent purges get no response{within}, although everything else in the run gets one"
    else:
        return None
    return SilentPurges(words, frozenset(each.exchange for each in found), timeout)


def _finding(view: JudgmentView, purge: Exchange, expected: str, others: str) -> Finding:
    within = f" within {_timeout(view)}" if _is_timeout(purge) else ""
    return Finding(f"{expected}{within}; {others}", describe_response(purge), purge.n)


def _is_timeout(exchange: Exchange) -> bool:
    return (exchange.error or "").startswith(TIMED_OUT)


def _timeout(view: JudgmentView) -> str:
    seconds = view.header.settings.get("timeout")
    return "--timeout" if seconds is None else f"--timeout {seconds:g}"


def _find_silent_purges(evidence: Evidence) -> list[Exchange]:
    plain = [x for x in evidence.exchanges if is_plain_purge(x)]
    silent = [x for x in plain if x.status is None]
    if len(silent) < max(MIN_SILENT, len(plain) / 2):
        return []
    reads = [x for x in evidence.exchanges if x.method in SAFE_METHODS and Tag.CONCURRENT not in x.tags]
    return silent if all(_is_between_answers(reads, x) for x in silent) else []


def _is_between_answers(reads: Sequence[Exchange], purge: Exchange) -> bool:
    """Whether the last read before a purge, and the first one after it, were answered at once."""
    index = bisect_left(reads, purge.n, key=lambda x: x.n)
    return 0 < index < len(reads) and all(is_of_target(x) for x in reads[index - 1 : index + 1])
