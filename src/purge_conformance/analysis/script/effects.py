"""What a purge, a request that must not purge, or changes of apps did to the events: a part of a script's program."""

from __future__ import annotations

from typing import Any

from purge_conformance.analysis.script.look import Row, describe, dig, rows


class Snapshot:
    """The events, the apps and the processes that three files hold."""

    def __init__(self, name: str) -> None:
        """Read the files."""
        self.events = rows(f"{name}.events")
        self.apps = {row["guid"]: row for row in rows(f"{name}.apps")}
        self.processes: dict[str, list[Row]] = {}
        for row in rows(f"{name}.processes"):
            app = dig(row, "relationships", "app", "data", "guid") or row["guid"]
            self.processes.setdefault(app, []).append(row)

    def size(self, app: str) -> list[tuple[Any, Any]]:
        """Return instances and memory of each process of an app."""
        return sorted((row.get("instances"), row.get("memory_in_mb")) for row in self.processes.get(app, []))

    def of(self, app: str) -> list[Row]:
        """Return the events of an app."""
        return [row for row in self.events if dig(row, "app", "guid") == app]


def purged(before: str, after: str, changed: str = "", *_: str) -> list[str]:
    """Return what is wrong after a purge; of apps that changed during it, only what no order explains."""
    old, new = Snapshot(before), Snapshot(after)
    seeds = {*new.apps, *old.apps, *(row["guid"] for each in new.processes.values() for row in each)}
    left = {(row["guid"], row["created_at"]) for row in old.events if row["guid"] not in seeds}
    found = [
        f"from before the purge: {describe(row)}" for row in new.events if (row["guid"], row["created_at"]) in left
    ]
    for app, row in new.apps.items():
        if app not in changed:
            found += seeded(new, app, row)
    for app, row in old.apps.items():
        if app not in changed:
            now = new.apps.get(app, {})
            found += [
                f"the app {row['name']} had {member} {row[member]}, and now {now.get(member)}"
                for member in ("state", "name")
                if row[member] != now.get(member)
            ]
            if old.size(app) != new.size(app):
                found.append(f"the app {row['name']} had (instances, MB) {old.size(app)}, and now {new.size(app)}")
    orphans = [row for row in new.events if row["guid"] not in seeds and dig(row, "app", "guid") not in new.apps]
    return found + [f"an event of no app: {describe(row)}" for row in orphans]


def seeded(new: Snapshot, app: str, row: Row) -> list[str]:
    """Return what is wrong with the events of an app that did not change since the purge."""
    events, label = new.of(app), f"the app {row['name']} ({row['state']}, {new.size(app)})"
    if row["state"] != "STARTED":
        return [f"{label} has an event: {describe(each)}" for each in events]
    if not events:
        return [f"{label} has no event"]
    most = max(1, len(new.size(app)))
    found = [f"{label} has {len(events)} events, at most {most} expected"] if len(events) > most else []
    for each in events if most == 1 else ():
        found += [f"{label}: its event has the guid {each['guid']}, expected {app}"] if each["guid"] != app else []
        if [shows(each)] != ([("STARTED", *size) for size in new.size(app)] or [shows(each)]):
            found.append(f"{label}: its event shows {shows(each)}")
        if dig(each, "app", "name") != row["name"]:
            found.append(f"{label}: its event names the app {dig(each, 'app', 'name')}")
    return found


def kept(before: str, after: str, *_: str) -> list[str]:
    """Return which events are gone or new after a request that must not purge."""
    old, new = ({(row["guid"], row["created_at"]): row for row in rows(f"{name}.events")} for name in (before, after))
    gone = [f"destroyed: {describe(row)}" for key, row in old.items() if key not in new]
    return gone + [f"populated: {describe(row)}" for key, row in new.items() if key not in old]


def failed(before: str, after: str, *_: str) -> list[str]:
    """Return what is wrong after a purge that failed (5xx): it neither left everything as it was nor is complete."""
    changes, flaws = kept(before, after), purged(before, after)
    return changes + flaws if changes and flaws else []


def recorded(before: str, after: str, changed: str, purge: str = "", *_: str) -> list[str]:
    """Return what is wrong after these apps changed: each has a newest event that shows its state now.

    Without a purge the events from before stay as they were.
    """
    old, new = Snapshot(before), Snapshot(after)
    there = [] if purge else [row for row in old.events if row not in new.events]
    found = [f"gone or changed: {describe(row)}" for row in there]
    for app in changed.split():
        if app in new.apps and len(new.size(app)) <= 1:
            found += newest(new, app, new.apps[app])
    return found


def newest(new: Snapshot, app: str, row: Row) -> list[str]:
    """Return what is wrong with the newest events of an app."""
    state, events = str(row["state"]), new.of(app)
    last = max((str(each["created_at"]) for each in events), default="")
    shown = [shows(each) for each in events if str(each["created_at"]) == last]
    sizes = new.size(app)
    label = f"the app {row['name']} ({state}, {sizes})"
    if state == "STOPPED":
        return (
            [f"{label}: its newest event shows {shown}"]
            if shown and not any(each[0] == state for each in shown)
            else []
        )
    if not shown:
        return [f"{label} has no event"]
    is_shown = any(each[0] == state and (not sizes or each[1:] == sizes[0]) for each in shown)
    return [] if is_shown else [f"{label}: its newest event shows {shown}"]


def shows(row: Row) -> tuple[Any, ...]:
    """Return the state, the instances and the memory that an event shows."""
    return tuple(dig(row, name, "current") for name in ("state", "instance_count", "memory_in_mb_per_instance"))
