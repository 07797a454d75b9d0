"""What a snapshot shows of an app, in words: what a purge must not change, and everything that is listed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import app_of_event, dig, event_identity, is_change_event
from purge_conformance.evidence.safe_text import as_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from purge_conformance.evidence.listing import Row, Snapshot

    AppState = Mapping[str, str]  # member -> value in words

MEMBERS = {
    "state": ("state",),
    "name": ("name",),
    "space": ("relationships", "space", "data", "guid"),
    "droplet": ("relationships", "current_droplet", "data", "guid"),
    "labels": ("metadata", "labels"),
    "annotations": ("metadata", "annotations"),
    "lifecycle": ("lifecycle",),
}
PROCESS_MEMBERS = ("type", "health_check", "readiness_health_check", "log_rate_limit_in_bytes_per_second")
NOT_LISTED: AppState = {"state": "not listed"}
MIN_BACK_AND_FORTH = 2  # events of a change and of the way back


def describe_app(snapshot: Snapshot, guid: str, *, with_sizes: bool) -> AppState:
    """Return what a snapshot shows of an app, member -> value in words; `with_sizes` adds those of its processes."""
    row = snapshot.apps.by_guid.get(guid)
    if row is None:
        return NOT_LISTED
    state = {name: as_text(dig(row, *path)) for name, path in MEMBERS.items()}
    if not with_sizes:
        return state
    rows = snapshot.processes_of(guid)
    sizes = (
        f"{row.get('instances')} instances of {row.get('memory_in_mb')} MB, {row.get('disk_in_mb')} MB of disk"
        for row in rows
    )
    others = (words_of({name: row[name] for name in PROCESS_MEMBERS if name in row}) for row in rows)
    return {**state, "processes": "; ".join(sorted(sizes)) or "none", "of processes": "; ".join(sorted(others))}


def describe_all_members(snapshot: Snapshot, guid: str, *, with_sizes: bool) -> AppState:
    """Return every member that a snapshot shows of an app; `with_sizes` adds those of its processes."""
    row = snapshot.apps.by_guid.get(guid)
    if row is None:
        return NOT_LISTED
    processes = snapshot.processes_of(guid) if with_sizes else []
    return {
        name: value
        for part, each in (("", row), *((f"process {process.get('type')} ", process) for process in processes))
        for name, value in _members(each, part)
    }


def describe_difference(was: Mapping[str, object], now: Mapping[str, object]) -> tuple[str, str]:
    """Return the members in which two states of an app or of an event differ, in words: what was, and what is."""
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    old, new = (words_of({name: state[name] for name in names if name in state}) for state in (was, now))
    return old, new


def words_of(values: Mapping[str, object]) -> str:
    """Return members with their values, in words."""
    return ", ".join(f"{name} {as_text(value)}" for name, value in values.items())


def events_back_and_forth(after: Snapshot, known: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return the apps that events record as changed and changed back, as by a restart: app -> the events, in words.

    A purge seeds events, too; those of changes show other values than before, and among them is the app's own state.

    Args:
        after: a snapshot of events and apps.
        known: the identities of the events that earlier snapshots show.
    """
    seedable = after.apps.by_guid.keys() | after.processes.by_guid.keys()
    new: dict[str, list[Row]] = {}
    for row in after.events.rows:
        app = app_of_event(row)
        is_new = row["guid"] not in seedable and event_identity(row) not in known
        if app in after.apps.by_guid and is_new and is_change_event(row):
            new.setdefault(app, []).append(row)
    return {
        app: ", ".join(_describe_event(row) for row in rows)
        for app, rows in new.items()
        if len(rows) >= MIN_BACK_AND_FORTH
        and after.apps.by_guid[app].get("state") in {dig(row, "state", "current") for row in rows}
    }


def _describe_event(row: Row) -> str:
    previous, current = (dig(row, "state", name) for name in ("previous", "current"))
    size = dig(row, "instance_count", "current"), dig(row, "memory_in_mb_per_instance", "current")
    return f"{previous} to {current} with {size[0]} instances of {size[1]} MB"


def _members(row: Row, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the members of a row, nested ones one by one, with their values in words; none of its links."""
    for name, value in row.items():
        if isinstance(value, dict) and value and name != "links":
            yield from _members(value, f"{prefix}{name}.")
        elif name != "links":
            yield f"{prefix}{name}", as_text(value)
