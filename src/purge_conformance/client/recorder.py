"""Records what a scenario observes besides its exchanges: notes, ends of lists and spans."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from purge_conformance.evidence.records import ListEnd, Note, Span, numbers, sort_exchanges
from purge_conformance.evidence.steps import Phase, Scenario, Tag, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from purge_conformance.evidence.bodies import Body
    from purge_conformance.evidence.journal import Journal
    from purge_conformance.evidence.notes import NoteName, Value
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.redaction import Redactor
    from purge_conformance.evidence.steps import Place, Where


class Recorder:
    """Adds the current scenario and its round to every record.

    Attributes:
        scenario, round: set by `begin`; commands without scenarios record a preflight.
        redactor: knows the secrets of the run.
        redact_body: returns the body of a response without secrets.
    """

    def __init__(self, journal: Journal, redactor: Redactor) -> None:
        """Record into a journal."""
        self.scenario, self.round = Scenario.PREFLIGHT, 1
        self._journal = journal
        self.redactor = redactor
        self.redact_body: Callable[[bytes], bytes | Body] = redactor.redact_bytes
        self._lock = Lock()

    def begin(self, scenario: Scenario, round: int = 1) -> None:
        """Begin a round of a scenario."""
        self.scenario, self.round = scenario, round

    def note(self, name: NoteName[Value], value: Value) -> None:
        """Record a fact about the scenario, without secrets."""
        self._add(Note(self.scenario, name.name, self.redactor.redact_value(value), self.round))

    def list_end(self, where: Where, *, complete: bool) -> None:
        """Record that all pages of a place were read, and whether they reach the end of the list."""
        self._add(ListEnd(self.scenario, place_of(where), complete, self.round))

    def recorded(self, where: Where, scenario: Scenario | None = None) -> tuple[Exchange, ...]:
        """Return the exchanges of a place so far whose responses count; `scenario`: those of its first round."""
        key = scenario or self.scenario, 1 if scenario else self.round, place_of(where)
        return sort_exchanges(x for x in self._journal.exchanges if x.key == key and Tag.SUPERSEDED not in x.tags)

    def observation(self, where: Where) -> tuple[int, ...]:
        """Return the numbers of the exchanges of a page, a list or a snapshot at that place so far."""
        key = self.scenario, self.round, place_of(where)
        exchanges = (x for x in self._journal.exchanges if (x.scenario, x.round, x.place.whole) == key)
        return numbers(sort_exchanges(x for x in exchanges if Tag.SUPERSEDED not in x.tags))

    @contextmanager
    def span(
        self, where: Where, *also: Where, before: Iterable[int] | None = None, after: Where | None = None
    ) -> Iterator[Place]:
        """Record a span when the block ends, also where it raises; yield the place of its requests.

        Args:
            where: the place of the requests, which count where the block sends them.
            also: further places whose requests belong to the span.
            before: numbers of an observation before the block; None: the block makes one at `place.at(Phase.BEFORE)`.
            after: the place of the observation after; None: it is `place.at(Phase.AFTER)`.
        """
        place, sent_before = place_of(where), len(self._journal.exchanges)
        places = {place, *map(place_of, also)}
        try:
            yield place
        finally:
            sent = {x.n for x in self._journal.exchanges[sent_before:]}
            requests = sorted(x.n for each in places for x in self.recorded(each) if x.n in sent)
            observed = self.observation(place.at(Phase.BEFORE)) if before is None else before
            self.record_span(place, observed, requests, self.observation(after or place.at(Phase.AFTER)))

    def record_span(self, where: Where, before: Iterable[int], requests: Iterable[int], after: Iterable[int]) -> None:
        """Record requests between two observations, by the numbers of their exchanges; nothing without a request."""
        if sent := tuple(requests):
            self._add(Span(self.scenario, place_of(where), tuple(before), sent, tuple(after), self.round))

    def _add(self, record: Note | ListEnd | Span) -> None:
        with self._lock:
            self._journal.add(record)
