"""A sequence as it was taken on a target, and where the target disagrees with the model for the first time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.expectations import Kind, Sight, after_purge, beside_purge, of_app
from purge_conformance.analysis.app_model.reads import differences
from purge_conformance.analysis.app_model.state import Deed, State, World
from purge_conformance.evidence.listing import app_of_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.analysis.app_model.expectations import Difference
    from purge_conformance.analysis.app_model.state import Step
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

    Rows = Mapping[str, tuple[Row, ...]]  # by the name of the app that they are for

BECOMES = {Deed.START: "STARTED", Deed.STOP: "STOPPED"}  # the state that the app then tells of
NO_ANSWER = {None, 429, 502, 503, 504}  # after these nobody knows what was done


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken.

    Attributes:
        place: in its sequence, from 1.
        step: what was asked for.
        answer: what the target said to it; for a read, its last page.
        look: the whole list after it; None where nobody looked.
        reads: what a read showed.
        settled: whether what the target said that it did was seen to be done.
        guid: of the app that was made; None where none was.
    """

    place: int
    step: Step
    answer: Exchange
    look: Listing | None = None
    reads: tuple[Listing, ...] = ()
    settled: bool = True
    guid: str | None = None

    @property
    def done(self) -> bool:
        """Whether the target said that it did it."""
        return (self.answer.status or 0) // 100 == 2  # noqa: PLR2004 -- 2xx


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first step after which a target disagrees with the model.

    Attributes:
        kind: in which way.
        place: of the step in its sequence, from 1.
        step: the step.
        expected, got: in words.
        exchange: number of the exchange that shows it best.
        others: whether it looks as if somebody else had purged.
    """

    kind: Kind
    place: int
    step: Step
    expected: str
    got: str
    exchange: int
    others: bool


@dataclass(frozen=True, slots=True)
class History:
    """A sequence as far as it was taken.

    Attributes:
        processes: how many processes an app has; each of them may have an event.
        world: what the model says by now.
        guids: name -> guid of the apps that were made.
        look: the last look.
        seeds: the events of each app right after the last purge.
        seed_guids: the guids of all events of these apps that ever stood there right after a purge.
        found: where the target disagrees, once it does.
        lost: why the rest cannot be judged, once that is so.
    """

    processes: int = 1
    world: World = field(default_factory=World)
    guids: Mapping[str, str] = field(default_factory=dict)
    look: Listing | None = None
    seeds: Rows = field(default_factory=dict)
    seed_guids: frozenset[object] = frozenset()
    found: Disagreement | None = None
    lost: str = ""

    @property
    def ended(self) -> bool:
        """Whether a further step could tell nothing."""
        return bool(self.found or self.lost)

    @property
    def seeded(self) -> list[Row]:
        """All events of these apps right after the last purge."""
        return [row for rows in self.seeds.values() for row in rows]

    def then(self, taken: Taken) -> History:
        """Return the history with one more step."""
        if taken.answer.status in NO_ANSWER:
            return replace(self, lost=f"{taken.step} had no answer ({taken.answer.status or taken.answer.error})")
        if wrong := _answered_wrongly(taken):
            return replace(self, found=self._disagreement(taken, wrong, taken.answer.n))
        return self._done(taken)._looked(taken)  # noqa: SLF001 -- the same class

    def _done(self, taken: Taken) -> History:
        step = taken.step
        if not taken.done or step.deed in {Deed.REFUSED, Deed.READ}:
            return self
        if step.deed is Deed.CREATE and not taken.guid:
            return self
        guids = {**self.guids, step.what: taken.guid} if taken.guid else self.guids
        world = self.world.after(step)
        return replace(self, world=world if taken.settled else world.losing_sight_of(step.what), guids=guids)

    def _looked(self, taken: Taken) -> History:
        """Compare what the list shows; a purge leaves what counts as seeded from then on."""
        look = taken.look
        if look is None:
            return replace(self, found=self._read(taken, self.look)) if self.look else self
        if not look.complete:
            return replace(self, lost="the list could not be read to its end")
        rows = {name: of_app(look.rows, guid) for name, guid in self.guids.items()}
        n = look.exchanges[-1].n
        found = next((self._disagreement(taken, words, n) for words in self._differences(taken, rows)), None)
        if found is None:
            found = self._read(taken, look)
        if taken.step.deed is not Deed.PURGE:
            return replace(self, look=look, found=found)
        guids = self.seed_guids | {row["guid"] for some in rows.values() for row in some}
        return replace(self, look=look, found=found, seeds=rows, seed_guids=guids)

    def _differences(self, taken: Taken, rows: Rows) -> Iterator[Difference]:
        for name, app in self.world.apps.items():
            guid = self.guids[name]
            before = of_app(self.look.rows, guid) if self.look else ()
            sight = Sight(name, guid, app, before, rows[name], self.seeds.get(name, ()), self.seed_guids)
            if app.state is State.UNKNOWN:
                continue
            yield from after_purge(sight, self.processes) if taken.step.deed is Deed.PURGE else beside_purge(sight)

    def _read(self, taken: Taken, look: Listing) -> Disagreement | None:
        for walk in taken.reads:
            for expected, got in differences(walk, (self.look or look, look), self.guids.values(), self.seeded):
                return self._disagreement(taken, (Kind.READ, expected, got), walk.exchanges[-1].n)
        return None

    def _disagreement(self, taken: Taken, difference: Difference, exchange: int) -> Disagreement:
        kind, expected, got = difference
        return Disagreement(kind, taken.place, taken.step, expected, got, exchange, self._purged_by_others(taken))

    def _purged_by_others(self, taken: Taken) -> bool:
        """Whether no recorded event, whosoever it was, outlived a step that purges nothing."""
        if taken.step.deed is Deed.PURGE or not (self.look and taken.look):
            return False
        recorded = {str(row["guid"]) for row in self.look.rows if row["guid"] != app_of_event(row)}
        return bool(recorded) and not recorded & set(taken.look.by_guid)


def _answered_wrongly(taken: Taken) -> Difference | None:
    status = taken.answer.status
    if taken.step.deed is Deed.PURGE and not taken.done:
        return Kind.FAILED, "the purge answered with success", str(status)
    if taken.step.deed is Deed.REFUSED and taken.done:
        return Kind.ACCEPTED, "the purge refused", str(status)
    return None
