"""Profile upstream: the members of an event, and what a purge writes into them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import simple_apps
from purge_conformance.analysis.app_changes import changes
from purge_conformance.analysis.assertions import NotExercised, hold, need, readable
from purge_conformance.analysis.purge_series import with_apps
from purge_conformance.analysis.schema import is_undated_seed
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import app_of_process, dig, resources, split_url
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

FORMAT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
MEMBERS = (
    ("guid",),
    ("created_at",),
    ("updated_at",),
    ("state", "current"),
    ("state", "previous"),
    ("app", "guid"),
    ("app", "name"),
    ("process", "guid"),
    ("process", "type"),
    ("space", "guid"),
    ("space", "name"),
    ("organization", "guid"),
    ("buildpack", "guid"),
    ("buildpack", "name"),
    ("task", "guid"),
    ("task", "name"),
    ("memory_in_mb_per_instance", "current"),
    ("memory_in_mb_per_instance", "previous"),
    ("instance_count", "current"),
    ("instance_count", "previous"),
    ("links", "self"),
)


@pytest.mark.requirement("UP-FIELD-01")
def test_members_are_complete(seen: Seen) -> None:
    """An event MUST have every documented member."""
    hold(
        Finding(".".join(names), f"no such member in {row.get('guid')}", x.n)
        for x, row in _events(seen)
        for names in MEMBERS
        if not _has(row, *names)
    )


@pytest.mark.requirement("UP-FIELD-02")
def test_timestamps_are_formatted(seen: Seen) -> None:
    """Timestamps MUST have the format YYYY-MM-DDThh:mm:ssZ."""
    hold(
        Finding(f"{name} of {row.get('guid')} as 2020-06-30T23:49:04Z", repr(row.get(name)), x.n)
        for x, row in _events(seen)
        for name in ("created_at", "updated_at")
        if not FORMAT.fullmatch(str(row.get(name)))
        and not (is_undated_seed(row) and row.get(name) == row.get("created_at"))  # SEED-07 names it
    )


@pytest.mark.requirement("UP-FIELD-03")
def test_events_are_never_updated(seen: Seen) -> None:
    """The member `updated_at` MUST be identical to `created_at`."""
    hold(
        Finding(f"updated_at {row.get('created_at')} in {row.get('guid')}", str(row.get("updated_at")), x.n)
        for x, row in _events(seen)
        if row.get("updated_at") != row.get("created_at")
    )


@pytest.mark.requirement("UP-FIELD-04")
def test_self_leads_to_event(seen: Seen) -> None:
    """The link `self` of an event MUST lead to the event."""
    hold(
        Finding(f"a link that ends in {EVENTS_PATH}/{row.get('guid')}", str(dig(row, "links", "self", "href")), x.n)
        for x, row in _events(seen)
        if not (parts := split_url(str(dig(row, "links", "self", "href"))))
        or not parts.path.endswith(f"{EVENTS_PATH}/{row.get('guid')}")
    )


@pytest.mark.requirement("UP-SEED-01")
def test_seeded_state_started(seen: Seen) -> None:
    """The member `state.current` of a seeded event MUST be STARTED."""
    hold(
        Finding(f"state.current STARTED for the app {app}", str(dig(row, "state", "current")), trial.last)
        for trial, app, row in _seeded(seen)
        if dig(row, "state", "current") != "STARTED"
    )


@pytest.mark.requirement("UP-SEED-02")
def test_seeded_place_is_apps(seen: Seen) -> None:
    """A seeded event MUST name the app, its space and its organization."""
    homes = _homes(seen)
    for trial, app, row in _seeded(seen):
        due = {"app.name": str(trial.after.apps.by_guid[app].get("name")), **homes.get(app, {})}
        hold(
            Finding(f"{name} {value} in the event of the app {app}", str(dig(row, *name.split("."))), trial.last)
            for name, value in due.items()
            if dig(row, *name.split(".")) != value
        )


@pytest.mark.requirement("UP-SEED-03")
def test_seeded_size_is_processes(seen: Seen) -> None:
    """A seeded event MUST have the instance count and the memory of the app's process."""
    pairs = [(trial, app, row, process) for trial, app, row in _seeded(seen) if (process := _process(trial, app, row))]
    if not pairs:
        raise NotExercised("no seeded event could be put down to one process")
    hold(
        Finding(f"{name}.current {process.get(size)} for the app {app}", str(dig(row, name, "current")), trial.last)
        for trial, app, row, process in pairs
        for name, size in (("instance_count", "instances"), ("memory_in_mb_per_instance", "memory_in_mb"))
        if dig(row, name, "current") != process.get(size)
    )


@pytest.mark.requirement("UP-SEED-04")
def test_seeded_process_is_apps(seen: Seen) -> None:
    """A seeded event that names a process MUST name one of the app's."""
    trials = [trial for trial in with_apps(seen) if trial.after.processes.complete]
    if not trials:
        readable(with_apps(seen)[0].after.processes, "processes")
    owners = {trial.last: _owners(trial) for trial in trials}
    named = [
        (trial, app, str(guid))
        for trial, app, row in _seeded(seen)
        if trial.last in owners and (guid := dig(row, "process", "guid")) is not None
    ]
    if not named:
        raise NotExercised("no seeded event named a process")
    hold(
        Finding(f"a process of the app {app}", f"{guid}, of {owner or 'no app'}", trial.last)
        for trial, app, guid in named
        if (owner := owners[trial.last].get(guid)) != app
    )


@pytest.mark.requirement("UP-RECORD-01")
def test_change_is_recorded_once(seen: Seen) -> None:
    """A change of an app after a purge MUST be recorded once for each of its processes."""
    lifecycle = changes(seen, "lifecycle", *("start", "stop", "scale", "scale-memory", "scale-down"))
    done = [*lifecycle, *changes(seen, "late", "start", "scale", "stop")]
    if not done:
        raise NotExercised("no app of the suite's own could be started, stopped or scaled", Cause.CONFIGURATION)
    hold(
        Finding(f"one event of the {change.name} of the app {change.app}", f"{row['guid']} as well", change.last)
        for change in done
        for row in change.repeated()
    )


def _process(found: Purged, app: str, event: Row) -> Row | None:
    """Return the process that a seeded event is for: the one with its guid, or else the only one of its app."""
    processes = found.after.processes
    if event["guid"] in processes.by_guid:
        return processes.by_guid[event["guid"]]
    own = found.after.processes_of(app)
    return own[0] if len(own) == 1 else None


def _events(seen: Seen) -> Iterator[tuple[Exchange, Row]]:
    """Yield each event of the lists, with the page that shows it."""
    pages = [*need(seen, "purge", "after.events", why="no list was read"), *seen.of("lists", "opening")]
    found = [(page, row) for page in pages for row in resources(page)]
    if not found:
        raise NotExercised("the list was empty", Cause.CONFIGURATION)
    yield from found


def _seeded(seen: Seen) -> Iterator[tuple[Purged, str, Row]]:
    """Yield each trial with each app that was started all the time and each event for it that names no other app.

    Of apps that were seeded too often nobody knows which event is the right one; SEED-02 names them.
    """
    own = simple_apps(seen)
    for trial in with_apps(seen):
        populated, repeated = trial.populated(besides_changes=True), trial.repeated(own)
        events = ((app, row) for app in trial.started if app not in repeated for row in populated.get(app, ()))
        yield from ((trial, app, row) for app, row in events if dig(row, "app", "guid") in {app, None})


def _owners(trial: Purged) -> dict[str, str | None]:
    """Return the app of each process."""
    return {guid: app_of_process(row) for guid, row in trial.after.processes.by_guid.items()}


def _homes(seen: Seen) -> dict[str, dict[str, str]]:
    """Return, for each app of the suite's own, where it is, by the answers that made its space and its organization."""
    made = {str(x.json.get("guid")): x.json for x in seen.of("foundation", "create") if isinstance(x.json, dict)}
    homes = {}
    for guid, thing in made.items():
        space = dig(thing, "relationships", "space", "data", "guid")
        if space in made:
            homes[guid] = {
                "space.guid": space,
                "space.name": str(made[space].get("name")),
                "organization.guid": str(dig(made[space], "relationships", "organization", "data", "guid")),
            }
    return homes


def _has(row: Row, *names: str) -> bool:
    value: object = row
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
