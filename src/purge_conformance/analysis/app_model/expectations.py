"""Differences between the model and the list, for one app after one step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import State
from purge_conformance.evidence.listing import app_of_event, event_identity, is_crash_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from purge_conformance.analysis.app_model.state import App
    from purge_conformance.evidence.listing import Row

    Events = tuple[Row, ...]
    Difference = tuple["DisagreementKind", str, str]  # kind, expected, got


class DisagreementKind(StrEnum):
    """In which way a target disagrees with the model."""

    PURGE_FAILED = "a purge failed"
    PURGE_NOT_REJECTED = "a purge was not rejected"
    EVENT_SURVIVED = "an event survived a purge"
    WRONG_SEED = "a purge seeded other events"
    CHANGE_UNRECORDED = "a change was not recorded"
    EVENT_LOST = "an event disappeared"
    SEED_REWRITTEN = "a seeded event changed"
    UNEXPECTED_EVENT = "an event without a change"
    WRONG_READ = "a read with parameters is wrong"


@dataclass(frozen=True, slots=True)
class AppObservation:
    """One app and its events around a step.

    Attributes:
        name: its name in the sequence.
        guid: its guid.
        app: its state in the model after the step.
        before: its events in the list before the step.
        after: its events in the list after the step.
        seeds: its events in the list right after the last purge.
        seed_guids: guids of all events, of any app, in the lists right after purges.
    """

    name: str
    guid: str
    app: App
    before: Events
    after: Events
    seeds: Events
    seed_guids: Collection[object]


def events_of_app(rows: Iterable[Row], guid: str) -> Events:
    """Return the events that have the guid of an app or name it, except crashes, which no step causes."""
    matching = (row for row in rows if guid in {row.get("guid"), app_of_event(row)})
    return tuple(row for row in matching if not is_crash_event(row))


def differences_after_purge(observation: AppObservation, processes: int) -> Iterator[Difference]:
    """Yield the events that a purge should have destroyed, and the differences of those that it seeded."""
    reusable_guids = {*observation.seed_guids, observation.guid}
    survivors = {guid for row in observation.before if (guid := row["guid"]) not in reusable_guids} & _guids(
        observation.after
    )
    if survivors:
        yield (
            DisagreementKind.EVENT_SURVIVED,
            f"no event of {observation.name} from before the purge",
            _join_guids(survivors),
        )
    seeded = _guids(observation.after) - survivors
    description = f"{observation.name}, which is {observation.app.state}"
    if not observation.app.is_seeded and seeded:
        yield DisagreementKind.WRONG_SEED, f"no event of {description}", _join_guids(seeded)
    elif observation.app.is_seeded and observation.guid not in seeded:
        yield (
            DisagreementKind.WRONG_SEED,
            f"an event with the guid of {description}, {observation.guid}",
            _join_guids(seeded),
        )
    elif len(observation.after) - len(survivors) > processes:
        yield (
            DisagreementKind.WRONG_SEED,
            f"one event of {description}",
            f"{len(observation.after)}: {_join_guids(seeded)}",
        )


def differences_without_purge(observation: AppObservation) -> Iterator[Difference]:
    """Yield the changes that should have been recorded, and the events that should not have changed."""
    if observation.app.state is State.DELETED:
        return
    after = {event_identity(row) for row in observation.after}
    for row in observation.before:
        if event_identity(row) not in after:
            yield (
                DisagreementKind.EVENT_LOST,
                f"the event {row['guid']} of {observation.name}, since nothing was purged",
                "it disappeared",
            )
    for row in observation.seeds:
        if event_identity(row) in after and row not in observation.after:
            yield (
                DisagreementKind.SEED_REWRITTEN,
                f"the seeded event {row['guid']} of {observation.name} unchanged",
                "it changed",
            )
    seeded = _guids(observation.seeds)
    recorded = _guids(observation.after) - seeded
    if len(recorded) < observation.app.min_recorded:
        description = f"{observation.app.min_recorded} changes of {observation.name} since the last purge recorded"
        yield (
            DisagreementKind.CHANGE_UNRECORDED,
            f"{description}, besides {len(seeded)} seeded events",
            f"{len(recorded)}: {_join_guids(recorded)}",
        )
    if recorded and not observation.app.min_recorded and not observation.app.is_uncertain:
        yield (
            DisagreementKind.UNEXPECTED_EVENT,
            f"only the seeded events of {observation.name}, since it did not change",
            _join_guids(recorded),
        )


def _guids(rows: Iterable[Row]) -> set[str]:
    return {str(row["guid"]) for row in rows}


def _join_guids(guids: Collection[str]) -> str:
    return ", ".join(sorted(guids)) or "none"
