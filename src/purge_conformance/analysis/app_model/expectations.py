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
    Difference = tuple["Kind", str, str]  # in which way, expected, got


class Kind(StrEnum):
    """In which way a target disagrees with the model."""

    FAILED = "a purge failed"
    ACCEPTED = "a purge was not refused"
    KEPT = "a purge kept an event"
    SEEDED = "a purge seeded otherwise"
    UNRECORDED = "a change was not recorded"
    LOST = "an event is gone"
    REWRITTEN = "a seeded event was changed"
    INVENTED = "an event of nothing"
    READ = "parameters show something else"


@dataclass(frozen=True, slots=True)
class Sight:
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
    now: Events
    seeds: Events
    seed_guids: Collection[object]


def of_app(rows: Iterable[Row], guid: str) -> Events:
    """Return the events that are for an app, its guid is theirs, or they name it; of crashes no step tells."""
    own = (row for row in rows if guid in {row.get("guid"), app_of_event(row)})
    return tuple(row for row in own if not is_crash_event(row))


def after_purge(sight: Sight, processes: int) -> Iterator[Difference]:
    """Yield what a purge should have destroyed, and what it should have seeded otherwise."""
    may_stay = {*sight.seed_guids, sight.guid}
    kept = {guid for row in sight.before if (guid := row["guid"]) not in may_stay} & _guids(sight.now)
    if kept:
        yield Kind.KEPT, f"no event of {sight.name} from before the purge", _words(kept)
    seeded = _guids(sight.now) - kept
    what = f"{sight.name}, which is {sight.app.state}"
    if not sight.app.seeded and seeded:
        yield Kind.SEEDED, f"no event of {what}", _words(seeded)
    elif sight.app.seeded and sight.guid not in seeded:
        yield Kind.SEEDED, f"an event with the guid of {what}, {sight.guid}", _words(seeded)
    elif len(sight.now) - len(kept) > processes:
        yield Kind.SEEDED, f"one event of {what}", f"{len(sight.now)}: {_words(seeded)}"


def beside_purge(sight: Sight) -> Iterator[Difference]:
    """Yield what should have been recorded, and what should have stayed as it was."""
    if sight.app.state is State.DELETED:
        return
    now = {event_identity(row) for row in sight.now}
    for row in sight.before:
        if event_identity(row) not in now:
            yield Kind.LOST, f"the event {row['guid']} of {sight.name} still there, nothing was purged", "it is gone"
    for row in sight.seeds:
        if event_identity(row) in now and row not in sight.now:
            yield Kind.REWRITTEN, f"the seeded event {row['guid']} of {sight.name} as it was", "it says something else"
    seeded = _guids(sight.seeds)
    recorded = _guids(sight.now) - seeded
    if len(recorded) < sight.app.recorded:
        what = f"{sight.app.recorded} changes of {sight.name} since the last purge recorded"
        yield Kind.UNRECORDED, f"{what}, beside {len(seeded)} seeded", f"{len(recorded)}: {_words(recorded)}"
    if recorded and not sight.app.recorded and not sight.app.perhaps:
        yield Kind.INVENTED, f"no event of {sight.name} but the seeded ones, nothing was done to it", _words(recorded)


def _guids(rows: Iterable[Row]) -> set[str]:
    return {str(row["guid"]) for row in rows}


def _words(guids: Collection[str]) -> str:
    return ", ".join(sorted(guids)) or "none"
