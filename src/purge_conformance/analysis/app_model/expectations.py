"""What the list must show of one app after a step, and what it shows instead."""

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
    Difference = tuple["DisagreementKind", str, str]  # in which way, expected, got


class DisagreementKind(StrEnum):
    """In which way a target disagrees with the model."""

    PURGE_FAILED = "a purge failed"
    PURGE_NOT_REJECTED = "a purge was not refused"
    EVENT_SURVIVED = "a purge kept an event"
    WRONG_SEED = "a purge seeded otherwise"
    CHANGE_UNRECORDED = "a change was not recorded"
    EVENT_LOST = "an event is gone"
    SEED_REWRITTEN = "a seeded event was changed"
    UNEXPECTED_EVENT = "an event of nothing"
    WRONG_READ = "parameters show something else"


@dataclass(frozen=True, slots=True)
class AppObservation:
    """What was seen of one app.

    Attributes:
        name: its name in the sequence.
        guid: its guid.
        app: what the model says of it.
        before: its events at the look before the step.
        now: its events after it.
        seeds: those that stood there right after the last purge.
        seed_guids: guids of all events, of any app, that ever stood there right after a purge.
    """

    name: str
    guid: str
    app: App
    before: Events
    after: Events
    seeds: Events
    seed_guids: Collection[object]


def events_of_app(rows: Iterable[Row], guid: str) -> Events:
    """Return the events that are for an app, its guid is theirs, or they name it; of crashes no step tells."""
    matching = (row for row in rows if guid in {row.get("guid"), app_of_event(row)})
    return tuple(row for row in matching if not is_crash_event(row))


def differences_after_purge(observation: AppObservation, processes: int) -> Iterator[Difference]:
    """Yield what a purge should have destroyed, and what it should have seeded otherwise."""
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
    """Yield what should have been recorded, and what should have stayed as it was."""
    if observation.app.state is State.DELETED:
        return
    now = {event_identity(row) for row in observation.after}
    for row in observation.before:
        if event_identity(row) not in now:
            yield (
                DisagreementKind.EVENT_LOST,
                f"the event {row['guid']} of {observation.name} still there, nothing was purged",
                "it is gone",
            )
    for row in observation.seeds:
        if event_identity(row) in now and row not in observation.after:
            yield (
                DisagreementKind.SEED_REWRITTEN,
                f"the seeded event {row['guid']} of {observation.name} as it was",
                "it says something else",
            )
    seeded = _guids(observation.seeds)
    recorded = _guids(observation.after) - seeded
    if len(recorded) < observation.app.min_recorded:
        description = f"{observation.app.min_recorded} changes of {observation.name} since the last purge recorded"
        yield (
            DisagreementKind.CHANGE_UNRECORDED,
            f"{description}, beside {len(seeded)} seeded",
            f"{len(recorded)}: {_join_guids(recorded)}",
        )
    if recorded and not observation.app.min_recorded and not observation.app.is_uncertain:
        yield (
            DisagreementKind.UNEXPECTED_EVENT,
            f"no event of {observation.name} but the seeded ones, nothing was done to it",
            _join_guids(recorded),
        )


def _guids(rows: Iterable[Row]) -> set[str]:
    return {str(row["guid"]) for row in rows}


def _join_guids(guids: Collection[str]) -> str:
    return ", ".join(sorted(guids)) or "none"
