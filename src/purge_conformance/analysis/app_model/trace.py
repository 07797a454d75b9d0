"""A sequence as it was executed on a target, up to the first disagreement between the target and the model."""

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

    Rows = Mapping[str, tuple[Row, ...]]  # app name -> its events

RESULTING_STATES = {Action.START: "STARTED", Action.STOP: "STOPPED"}  # the state that the API then shows
INDETERMINATE_STATUSES = {None, 429, 502, 503, 504}  # after these it is unknown whether the step was done


@dataclass(frozen=True, slots=True)
class ExecutedStep:
    """A step that was executed.

    Attributes:
        position: in its sequence, from 1.
        step: the planned step.
        response: the request and its response; for a read, the last page.
        listing: the complete list after it; None if it was not read.
        walks: the pages that a read returned.
        is_confirmed: whether later reads show the effect that the response announced.
        created_guid: guid of the created app; None if there is none.
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
        """Whether the response is 2xx."""
        return self.response.succeeded


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first step after which a target disagrees with the model.

    Attributes:
        kind: in which way.
        position: of the step in its sequence, from 1.
        step: the step.
        expected: what the model expects, in words.
        got: what the target shows instead, in words.
        exchange: number of the exchange that shows it best.
        suggests_foreign_purge: whether a purge by another client would explain it.
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
    """A sequence, as far as it was executed.

    Attributes:
        processes: how many processes an app has; each of them may have an event.
        model: the state of the model after the last step.
        guids: name -> guid of the created apps.
        listing: the last list.
        seeds: the events of each app right after the last purge.
        seed_guids: guids of all events of these apps in the lists right after purges.
        disagreement: the first disagreement; None if there is none.
        abort_reason: why further steps cannot be judged; empty if they can.
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
        """Whether further steps are not judged."""
        return bool(self.disagreement or self.abort_reason)

    @property
    def seeded_events(self) -> list[Row]:
        """All events of these apps right after the last purge."""
        return [row for rows in self.seeds.values() for row in rows]

    def with_step(self, execution: ExecutedStep) -> SequenceTrace:
        """Return the trace with one more step."""
        if execution.response.status in INDETERMINATE_STATUSES:
            outcome = execution.response.status or execution.response.error
            return replace(self, abort_reason=f"{execution.step} had no definite response ({outcome})")
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
        """Compare the list with the model; the events after a purge are the seeded ones from then on."""
        listing = execution.listing
        if listing is None:
            return replace(self, disagreement=self._check_reads(execution, self.listing)) if self.listing else self
        if not listing.complete:
            last = listing.exchanges[-1] if listing.exchanges else None
            response = (last.status or last.error) if last else "no request"
            return replace(self, abort_reason=f"the list could not be read to its end ({response})")
        rows = {name: events_of_app(listing.rows, guid) for name, guid in self.guids.items()}
        n = listing.exchanges[-1].n
        disagreement = next(
            (self._to_disagreement(execution, difference, n) for difference in self._differences(execution, rows)), None
        )
        if disagreement is None:
            disagreement = self._check_reads(execution, listing)
        if execution.step.action is not Action.PURGE:
            return replace(self, listing=listing, disagreement=disagreement)
        guids = self.seed_guids | {row["guid"] for events in rows.values() for row in events}
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
        """Whether no recorded event of any app survived a step that does not purge."""
        if execution.step.action is Action.PURGE or not (self.listing and execution.listing):
            return False
        recorded = {str(row["guid"]) for row in self.listing.rows if row["guid"] != app_of_event(row)}
        return bool(recorded) and not recorded & set(execution.listing.by_guid)


def _wrong_response(execution: ExecutedStep) -> Difference | None:
    status = execution.response.status
    if execution.step.action is Action.PURGE and not execution.succeeded:
        return DisagreementKind.PURGE_FAILED, "a purge answered with 2xx", str(status)
    if execution.step.action is Action.REJECTED_PURGE and execution.succeeded:
        return DisagreementKind.PURGE_NOT_REJECTED, "a purge rejected", str(status)
    return None
