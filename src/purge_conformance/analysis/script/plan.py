"""What a script sends: the requests of the run that a finding needs, and how to look at what they did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.defects import ANY_OPERATION
from purge_conformance.catalogue.api import EVENTS_PATH, LIST_OPERATION, SAFE_METHODS, guid_in_path, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import APPS, dig
from purge_conformance.evidence.steps import Scenario, Tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from purge_conformance.evidence.records import Evidence, Exchange, Span
    from purge_conformance.report.model import Finding

SETUP = {Scenario.FOUNDATION, Scenario.FILL_PAGE}
CREATING = ("/v3/organizations", "/v3/spaces", "/v3/apps", "/v3/droplets", "/v3/packages", "/v3/builds")
MAX_PAGES = 60  # of a list that a script reads as the run did


class ChangedByHook(Exception):
    """A hook changed the apps whose events are wrong: the run does not know how."""


class Look(StrEnum):
    """How a script looks at what it did; the name of a function of its program."""

    PURGED = "purged"  # a purge between two snapshots
    KEPT = "kept"  # a request that must not purge
    FAILED = "failed"  # a purge that was induced to fail with a 5xx
    RECORDED = "recorded"  # changes of apps
    SAME = "same"  # one answer
    LISTED = "listed"  # pages of the list


@dataclass(frozen=True, slots=True)
class Plan:
    """What a script sends.

    Attributes:
        setup: requests by the admin that prepare apps and events, with purges, in order.
        tried: the requests whose effect or answer is looked at.
        looks: at what it looks.
        shown: the exchange that shows the finding.
        status_alone: whether the status of that one is what is wrong.
        changed: guids of the apps that change while the script purges, or that it changes.
        is_alone: whether it is one read that needs nothing before it, so that its command is enough.
    """

    setup: tuple[Exchange, ...]
    tried: tuple[Exchange, ...]
    looks: tuple[Look, ...]
    shown: Exchange
    status_alone: bool
    changed: tuple[str, ...] = ()
    is_alone: bool = False

    @property
    def sent(self) -> tuple[Exchange, ...]:
        """All requests."""
        return *self.setup, *self.tried

    @property
    def creates(self) -> bool:
        """Whether it creates apps."""
        return any(x.route.startswith(CREATING) for x in self.setup)

    @property
    def setup_purges(self) -> int:
        """How many of them prepare something."""
        return sum(is_purge(x.method, x.path) and x.role == ADMIN for x in self.setup)

    @property
    def may_purge(self) -> bool:
        """Whether a target may treat one of the requests as a purge."""
        is_purging = any(x.method not in SAFE_METHODS and EVENTS_PATH in x.path for x in self.sent)
        return is_purging or any(x.method not in SAFE_METHODS for x in self.tried)

    @property
    def changes(self) -> bool:
        """Whether it sends anything else than reads."""
        return any(x.method not in SAFE_METHODS for x in self.sent)


def plan(evidence: Evidence, finding: Finding, shown: Exchange, operation: str, followed: Collection[Scenario]) -> Plan:
    """Return what shows a finding.

    Args:
        evidence: of the run.
        finding: what is wrong.
        shown: the exchange that shows it.
        operation: what the requirement is about.
        followed: the scenarios that the one of the exchange follows.

    Raises:
        ChangedByHook: no script can do it.
    """
    if shown.place.sequence is not None:
        return _plan_sequence(evidence, shown)
    quotes_answer = finding.got.startswith(f"{shown.status}" if shown.status else "no answer")
    is_answer = quotes_answer or (operation == ANY_OPERATION and not shown.succeeded)
    span = _span_of(evidence, shown)
    if span and any(Tag.CHANGED_BY_HOOK in x.tags for x in evidence.numbered(span.requests)):
        raise ChangedByHook
    is_list = operation == LIST_OPERATION and not is_answer and shown.page is not None
    changes_apps = span is not None and not any(map(_is_admin_purge, evidence.numbered(span.requests)))
    if is_list and not changes_apps:
        span = None
    looks: tuple[Look, ...]
    if span is None:
        tried = evidence.at(shown.scenario, shown.place, shown.round)[:MAX_PAGES] if is_list else (shown,)
        looks = (Look.LISTED,) if is_list else (Look.SAME,)
    else:
        tried = _with_concurrent(evidence, span)
        looks = _looks_at(tried, is_answer=is_answer and shown in tried) + ((Look.LISTED,) if is_list else ())
    is_alone = _is_alone(evidence, shown, tried, looks)
    first = min(x.n for x in tried)
    setup = () if is_alone else _setup(evidence, shown, first, followed, is_in_span=span is not None)
    status_alone = quotes_answer and _is_status_wrong(finding, shown)
    return Plan(setup, tried, looks, shown, status_alone, tuple(_changed(tried)), is_alone)


def _is_alone(evidence: Evidence, shown: Exchange, tried: tuple[Exchange, ...], looks: tuple[Look, ...]) -> bool:
    """Whether one request shows the finding whatever the state is: a read, or one that was rejected for its sender.

    It names nothing that an earlier answer listed.
    """
    is_rejected = not shown.succeeded and shown.role != ADMIN
    if Look.SAME not in looks or tried != (shown,) or not (shown.method in SAFE_METHODS or is_rejected):
        return False
    return not any(str(row["guid"]) in shown.path for x in evidence.exchanges if x.n < shown.n for row in x.resources)


def _is_status_wrong(finding: Finding, shown: Exchange) -> bool:
    """Whether the status of an answer is what is wrong, and not its content."""
    if numbers := re.findall(r"\b[1-5]\d\d\b", finding.expected):
        return str(shown.status) not in numbers
    if shown.status is None or shown.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    return shown.succeeded and shown.method not in SAFE_METHODS and not _is_admin_purge(shown)


def _looks_at(tried: Iterable[Exchange], *, is_answer: bool) -> tuple[Look, ...]:
    requests = list(tried)
    purges = any(is_purge(x.method, x.path) and x.role == ADMIN for x in requests)
    changes = any(_changed(requests))
    if is_answer:
        return (Look.SAME,) if purges else (Look.SAME, Look.KEPT)
    if induced := [x for x in requests if is_induced(x)]:
        is_rejected = any(x.status == HTTPStatus.CONFLICT for x in induced)
        return (Look.KEPT,) if is_rejected else (Look.FAILED,)
    if purges:
        return (Look.PURGED, Look.RECORDED) if changes else (Look.PURGED,)
    return (Look.RECORDED,) if changes else (Look.KEPT,)


def _span_of(evidence: Evidence, shown: Exchange) -> Span | None:
    """Return the span that an exchange belongs to: the one it ends, rather than the next one."""
    spans = evidence.spans(shown.scenario, round=shown.round)
    own = [span for span in spans if shown.n in {*span.requests, *span.after}]
    return own[0] if own else next((span for span in spans if shown.n in span.before), None)


def _with_concurrent(evidence: Evidence, span: Span) -> tuple[Exchange, ...]:
    """Return the requests of a span, and those that change something while they are in progress."""
    requests = evidence.numbered(span.requests)
    first, last = min(x.n for x in requests), max(x.n for x in requests)
    beside = [
        x
        for x in evidence.of(span.scenario, round=span.round)
        if Tag.CONCURRENT in x.tags and first <= x.n <= last and x.method not in SAFE_METHODS
    ]
    return tuple(sorted({x.n: x for x in (*requests, *beside)}.values(), key=lambda x: x.sent_at))


def is_induced(x: Exchange) -> bool:
    """Whether an answer has the status that a hook induced."""
    return x.tags.get(Tag.INDUCED) == str(x.status)


def _changed(requests: Iterable[Exchange]) -> Iterator[str]:
    """Yield the guids of the apps that requests change."""
    for x in requests:
        if x.route.startswith(f"{APPS}/") and x.method not in SAFE_METHODS:
            yield guid_in_path(x.route)


def _setup(
    evidence: Evidence, shown: Exchange, first: int, followed: Collection[Scenario], *, is_in_span: bool
) -> tuple[Exchange, ...]:
    """Return the admin's requests before one that changed something and that the finding may depend on."""
    purges = [number for span in evidence.spans(shown.scenario, round=shown.round) for number in span.requests]
    last_purge = max((number for number in purges if number < first), default=0)

    def is_needed(x: Exchange) -> bool:
        if x.scenario is shown.scenario and _is_admin_purge(x):
            return not is_in_span and x.n == last_purge
        is_change = x.route.startswith(CREATING) or _is_admin_purge(x)
        return is_change and x.scenario in {*SETUP, *followed, shown.scenario}

    return tuple(x for x in _changing(evidence) if x.n < first and x.round in {1, shown.round} and is_needed(x))


def _plan_sequence(evidence: Evidence, shown: Exchange) -> Plan:
    """Return the actions of a sequence up to the one that shows the finding, and what their apps need."""
    sequence = evidence.of(Scenario.SEQUENCES, sequence=shown.place.sequence, round=shown.round)
    first = min(x.n for x in sequence)
    position = shown.place.position or 0
    own = [x for x in evidence.of(Scenario.SEQUENCES) if first <= x.n <= shown.n and x.method not in SAFE_METHODS]
    last = [x for x in own if (x.place.position or 0) == position] or own[-1:]
    setup = [x for x in own if x.n < last[0].n]
    creations = [x for x in _changing(evidence) if x.scenario is Scenario.FOUNDATION and x.route in CREATING]
    first_purge = [x for x in _changing(evidence) if _is_admin_purge(x)][:1]
    is_reject = any(is_purge(x.method, x.path) and x.role != ADMIN for x in last)
    purged = any(map(_is_admin_purge, last))
    looks = (Look.PURGED,) if purged else (Look.KEPT,) if is_reject else (Look.RECORDED,)
    return Plan(
        (*_needed(creations, own), *first_purge, *setup),
        tuple(last),
        looks,
        shown,
        False,
        () if purged else tuple(_changed(own)),
    )


def _needed(creations: Iterable[Exchange], users: Iterable[Exchange]) -> list[Exchange]:
    """Return those of the creations whose guids later requests name, directly or through others."""
    text = " ".join(f"{x.path} {x.request_body}" for x in users)
    needed: list[Exchange] = []
    for x in reversed(list(creations)):
        if str(dig(x.json, "guid")) in text or x.status == HTTPStatus.ACCEPTED:
            needed.insert(0, x)
            text += f" {x.path} {x.request_body}"
    return needed


def _changing(evidence: Evidence) -> Iterator[Exchange]:
    """Yield the requests that changed something, in order, but those of the cleanup."""
    for x in evidence.exchanges:
        is_sent = Tag.SUPERSEDED not in x.tags and x.scenario is not Scenario.CLEANUP
        if is_sent and x.succeeded and x.role == ADMIN and x.method not in SAFE_METHODS:
            yield x


def _is_admin_purge(x: Exchange) -> bool:
    return is_purge(x.method, x.path) and x.role == ADMIN
