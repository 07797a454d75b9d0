"""A sequence as it was taken on a target, and where the target disagrees with the model for the first time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.expectations import (
    AppObservation,
    DisagreementKind,
    differences_after_purge,
    differences_without_purge,
    events_of_app,
)
from purge_conformance.analysis.app_model.reads import read_differences
from purge_conformance.analysis.app_model.state import Action, ModelState, State
from purge_conformance.evidence.listing import app_of_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.analysis.app_model.expectations import Difference
    from purge_conformance.analysis.app_model.state import Step
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

    Rows = Mapping[str, tuple[Row, ...]]  # by the name of the app that they are for

RESULTING_STATES = {Action.START: "STARTED", Action.STOP: "STOPPED"}  # the state that the app then tells of
INDETERMINATE_STATUSES = {None, 429, 502, 503, 504}  # after these nobody knows what was done


@dataclass(frozen=True, slots=True)
class ExecutedStep:
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

    position: int
    step: Step
    response: Exchange
    listing: Listing | None = None
    walks: tuple[Listing, ...] = ()
    is_confirmed: bool = True
    created_guid: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the target said that it did it."""
        return (self.response.status or 0) // 100 == 2  # noqa: PLR2004 -- 2xx


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

    kind: DisagreementKind
    position: int
    step: Step
    expected: str
    got: str
    exchange: int
    suggests_foreign_purge: bool


@dataclass(frozen=True, slots=True)
class SequenceTrace:
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
    model: ModelState = field(default_factory=ModelState)
    guids: Mapping[str, str] = field(default_factory=dict)
    listing: Listing | None = None
    seeds: Rows = field(default_factory=dict)
    seed_guids: frozenset[object] = frozenset()
    disagreement: Disagreement | None = None
    abort_reason: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether a further step could tell nothing."""
        return bool(self.disagreement or self.abort_reason)

    @property
    def seeded_events(self) -> list[Row]:
        """All events of these apps right after the last purge."""
        return [row for rows in self.seeds.values() for row in rows]

    def with_step(self, execution: ExecutedStep) -> SequenceTrace:
        """Return the history with one more step."""
        if execution.response.status in INDETERMINATE_STATUSES:
            outcome = execution.response.status or execution.response.error
            return replace(self, abort_reason=f"{execution.step} had no answer ({outcome})")
        if difference := _wrong_response(execution):
            return replace(self, disagreement=self._to_disagreement(execution, difference, execution.response.n))
        return self._with_model_step(execution)._with_listing(execution)  # noqa: SLF001 -- the same class

    def _with_model_step(self, execution: ExecutedStep) -> SequenceTrace:
        step = execution.step
        if not execution.succeeded or step.action in {Action.REJECTED_PURGE, Action.READ}:
            return self
        if step.action is Action.CREATE and not execution.created_guid:
            return self
        guids = {**self.guids, step.argument: execution.created_guid} if execution.created_guid else self.guids
        model = self.model.after(step)
        return replace(
            self, model=model if execution.is_confirmed else model.with_unknown_state(step.argument), guids=guids
        )

    def _with_listing(self, execution: ExecutedStep) -> SequenceTrace:
        """Compare what the list shows; a purge leaves what counts as seeded from then on."""
        listing = execution.listing
        if listing is None:
            return replace(self, disagreement=self._check_reads(execution, self.listing)) if self.listing else self
        if not listing.complete:
            return replace(self, abort_reason="the list could not be read to its end")
        rows = {name: events_of_app(listing.rows, guid) for name, guid in self.guids.items()}
        n = listing.exchanges[-1].n
        disagreement = next(
            (self._to_disagreement(execution, words, n) for words in self._differences(execution, rows)), None
        )
        if disagreement is None:
            disagreement = self._check_reads(execution, listing)
        if execution.step.action is not Action.PURGE:
            return replace(self, listing=listing, disagreement=disagreement)
        guids = self.seed_guids | {row["guid"] for some in rows.values() for row in some}
        return replace(self, listing=listing, disagreement=disagreement, seeds=rows, seed_guids=guids)

    def _differences(self, execution: ExecutedStep, rows: Rows) -> Iterator[Difference]:
        for name, app in self.model.apps.items():
            guid = self.guids[name]
            before = events_of_app(self.listing.rows, guid) if self.listing else ()
            observation = AppObservation(name, guid, app, before, rows[name], self.seeds.get(name, ()), self.seed_guids)
            if app.state is State.UNKNOWN:
                continue
            yield from (
                differences_after_purge(observation, self.processes)
                if execution.step.action is Action.PURGE
                else differences_without_purge(observation)
            )

    def _check_reads(self, execution: ExecutedStep, listing: Listing) -> Disagreement | None:
        for walk in execution.walks:
            for expected, got in read_differences(
                walk, (self.listing or listing, listing), self.guids.values(), self.seeded_events
            ):
                return self._to_disagreement(
                    execution, (DisagreementKind.WRONG_READ, expected, got), walk.exchanges[-1].n
                )
        return None

    def _to_disagreement(self, execution: ExecutedStep, difference: Difference, exchange: int) -> Disagreement:
        kind, expected, got = difference
        return Disagreement(
            kind, execution.position, execution.step, expected, got, exchange, self._suggests_foreign_purge(execution)
        )

    def _suggests_foreign_purge(self, execution: ExecutedStep) -> bool:
        """Whether no recorded event, whosoever it was, outlived a step that purges nothing."""
        if execution.step.action is Action.PURGE or not (self.listing and execution.listing):
            return False
        recorded = {str(row["guid"]) for row in self.listing.rows if row["guid"] != app_of_event(row)}
        return bool(recorded) and not recorded & set(execution.listing.by_guid)


def _wrong_response(execution: ExecutedStep) -> Difference | None:
    status = execution.response.status
    if execution.step.action is Action.PURGE and not execution.succeeded:
        return DisagreementKind.PURGE_FAILED, "the purge answered with success", str(status)
    if execution.step.action is Action.REJECTED_PURGE and execution.succeeded:
        return DisagreementKind.PURGE_NOT_REJECTED, "the purge refused", str(status)
    return None
