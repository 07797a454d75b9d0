"""Judgments of the profile upstream: the members of events, and their values in seeded events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.analysis.assertions import require_complete, require_no, require_responses
from purge_conformance.analysis.locations import Locations
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.purge_series import require_purges_with_started_apps
from purge_conformance.analysis.schema import is_seed_with_invalid_time
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import app_of_process, dig, resources, split_url
from purge_conformance.evidence.safe_text import as_text
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
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

LOCATION_CASES = {"app": "app.name", "space": "space.name", "organization": "organization.guid"}
SIZES = {"instance_count": "instances", "memory_in_mb_per_instance": "memory_in_mb"}  # of an event -> of a process
CHANGES = {  # change -> its case
    Step.START: "start",
    Step.STOP: "stop",
    **dict.fromkeys((Step.SCALE, Step.SCALE_MEMORY, Step.SCALE_DOWN), "scale"),
}


@pytest.mark.requirement("UP-FIELD-01")
def test_members_are_complete(view: JudgmentView) -> None:
    """An event MUST have every documented member."""
    view.count("all-members", _pages_with_events(view))
    require_no(
        Finding(".".join(names), f"no such member in {row.get('guid')}", x.n)
        for x, row in _listed_events(view)
        for names in MEMBERS
        if not _has_member(row, *names)
    )


@pytest.mark.requirement("UP-FIELD-02")
def test_timestamps_are_formatted(view: JudgmentView) -> None:
    """Timestamps MUST have the format YYYY-MM-DDThh:mm:ssZ."""
    for case in ("created-at", "updated-at"):
        view.count(case, _pages_with_events(view))
    require_no(
        Finding(f"{name} of {row.get('guid')} in the format 2020-06-30T23:49:04Z", as_text(row.get(name)), x.n)
        for x, row in _listed_events(view)
        for name in ("created_at", "updated_at")
        if not TIMESTAMP.fullmatch(str(row.get(name)))
        and not (is_seed_with_invalid_time(row) and row.get(name) == row.get("created_at"))  # SEED-07 judges it
    )


@pytest.mark.requirement("UP-FIELD-03")
def test_updated_at_equals_created_at(view: JudgmentView) -> None:
    """The member `updated_at` MUST be identical to `created_at`."""
    view.count("identical", _pages_with_events(view))
    require_no(
        Finding(f"updated_at {row.get('created_at')} in {row.get('guid')}", as_text(row.get("updated_at")), x.n)
        for x, row in _listed_events(view)
        if row.get("updated_at") != row.get("created_at")
    )


@pytest.mark.requirement("UP-FIELD-04")
def test_self_link_leads_to_event(view: JudgmentView) -> None:
    """The link `self` of an event MUST lead to the event."""
    view.count("self-link", _pages_with_events(view))
    require_no(
        Finding(f"a link that ends in {EVENTS_PATH}/{row.get('guid')}", as_text(dig(row, "links", "self", "href")), x.n)
        for x, row in _listed_events(view)
        if not (parts := split_url(str(dig(row, "links", "self", "href"))))
        or not parts.path.endswith(f"{EVENTS_PATH}/{row.get('guid')}")
    )


@pytest.mark.requirement("UP-SEED-01")
def test_seeded_state_is_started(view: JudgmentView) -> None:
    """The member `state.current` of a seeded event MUST be STARTED."""
    view.count("state", (purge.last_exchange for purge, _, _ in _seeded_events(view)))
    require_no(
        Finding(f"state.current STARTED for the app {app}", as_text(dig(row, "state", "current")), purge.last_exchange)
        for purge, app, row in _seeded_events(view)
        if dig(row, "state", "current") != "STARTED"
    )


@pytest.mark.requirement("UP-SEED-02")
def test_seed_names_space_and_organization(view: JudgmentView) -> None:
    """A seeded event MUST name the app, its space and its organization."""
    locations, seeded = Locations(view), [*_seeded_events(view)]
    first_names = {app: _names(purge, app) for purge, app, _ in reversed(seeded)}
    earlier_names: dict[str, set[str]] = {}
    for purge, app, row in seeded:
        names, number = _names(purge, app), purge.request.n
        expected = {"app.name": names, **locations.members(app, number)}
        cases = [case for case, name in LOCATION_CASES.items() if name in expected]
        cases += [f"renamed-{each}" for each in locations.renamed(app, number)]
        cases += ["renamed-app"] if len(names) == 1 and names != first_names[app] else []
        cases += ["renamed-again"] if len(names) == 1 and len(earlier_names.get(app, names) - names) > 1 else []
        earlier_names.setdefault(app, set()).update(names)
        for case in cases:
            view.count(case, [purge.last_exchange])
        require_no(
            Finding(
                f"{name} {' or '.join(sorted(values))} in the event of the app {app}",
                as_text(dig(row, *name.split("."))),
                purge.last_exchange,
            )
            for name, values in expected.items()
            if dig(row, *name.split(".")) not in values
        )


@pytest.mark.requirement("UP-SEED-03")
def test_seed_size_matches_process(view: JudgmentView) -> None:
    """A seeded event MUST have the instance count and the memory of the app's process."""
    pairs = [
        (purge, app, row, process)
        for purge, app, row in _seeded_events(view)
        if (process := _process_of(purge, app, row))
    ]
    if not pairs:
        raise NotExercised("No seeded event can be attributed to one process.")
    for case in ("instance-count", "memory"):
        view.count(case, (purge.last_exchange for purge, _, _, _ in pairs))
    first_sizes: dict[str, tuple[object, ...]] = {}
    for purge, _, _, process in pairs:
        size = tuple(process.get(name) for name in SIZES.values())
        if first_sizes.setdefault(process["guid"], size) != size:
            view.count("rescaled-app", [purge.last_exchange])
    require_no(
        Finding(
            f"{name}.current {process.get(size)} for the app {app}",
            as_text(dig(row, name, "current")),
            purge.last_exchange,
        )
        for purge, app, row, process in pairs
        for name, size in SIZES.items()
        if dig(row, name, "current") != process.get(size)
    )


@pytest.mark.requirement("UP-SEED-04")
def test_seeded_process_belongs_to_app(view: JudgmentView) -> None:
    """A process that a seeded event names MUST belong to its app."""
    purges = [purge for purge in require_purges_with_started_apps(view) if purge.after.processes.complete]
    if not purges:
        require_complete(require_purges_with_started_apps(view)[0].after.processes, "processes")
    owners = {purge.last_exchange: _app_of_each_process(purge) for purge in purges}
    references = [
        (purge, app, str(guid))
        for purge, app, row in _seeded_events(view)
        if purge.last_exchange in owners and (guid := dig(row, "process", "guid")) is not None
    ]
    if not references:
        raise NotExercised("No seeded event named a process.")
    view.count("process", (purge.last_exchange for purge, _, _ in references))
    require_no(
        Finding(f"a process of the app {app}", f"{guid}, of {owner or 'no app'}", purge.last_exchange)
        for purge, app, guid in references
        if (owner := owners[purge.last_exchange].get(guid)) != app
    )


@pytest.mark.requirement("UP-RECORD-01")
def test_change_is_recorded_once(view: JudgmentView) -> None:
    """A change of an app after a purge MUST be recorded once per process."""
    app_changes = [
        *effective_changes(view, Scenario.APP_CHANGES, *CHANGES),
        *effective_changes(view, Scenario.CHANGES_AFTER_PURGES, Step.START, Step.SCALE, Step.STOP),
    ]
    if not app_changes:
        raise NotExercised("The suite had no app to start, stop or scale.", Cause.CONFIGURATION, get_apps(view))
    for change in app_changes:
        if change.is_identified:
            view.count(CHANGES[change.step], [change.last_exchange])
    require_no(
        Finding(f"one event of the {change.step} of the app {change.app}", f"also {row['guid']}", change.last_exchange)
        for change in app_changes
        for row in change.duplicate_events()
    )


def _process_of(purge: PurgeObservation, app: str, event: Row) -> Row | None:
    """Return the process of a seeded event: the one with its guid, or else the only process of its app."""
    processes = purge.after.processes
    if event["guid"] in processes.by_guid:
        return processes.by_guid[event["guid"]]
    own = purge.after.processes_of(app)
    return own[0] if len(own) == 1 else None


def _pages_with_events(view: JudgmentView) -> list[Exchange]:
    """Return the pages of `_listed_events`."""
    return list({page.n: page for page, _ in _listed_events(view)}.values())


def _listed_events(view: JudgmentView) -> Iterator[tuple[Exchange, Row]]:
    """Yield each listed event with its page."""
    after_purge = view.at(Scenario.PURGE, Place(Step.PURGE, phase=Phase.AFTER, part=Part.EVENTS))
    pages = [
        *require_responses(view, Scenario.PURGE, after_purge, if_none="No list was read."),
        *view.of(Scenario.LISTS, Step.OPENING),
    ]
    events = [(page, row) for page in pages for row in resources(page)]
    if not events:
        raise NotExercised("The list was empty.", Cause.CONFIGURATION, get_apps(view))
    yield from events


def _seeded_events(view: JudgmentView) -> Iterator[tuple[PurgeObservation, str, Row]]:
    """Yield each purge with each app that was started before and after it and each event that names no other app.

    Apps that were seeded too often do not count, since it is unknown which event is right; SEED-02 judges them. Nor
    does an event that a purge may have left, as it left others: it is listed before with the same members.
    """
    own = single_process_apps(view)
    for purge in require_purges_with_started_apps(view):
        new_events, duplicates = purge.new_events_by_app(exclude_changes=True), purge.duplicate_seeds(own)
        events = ((app, row) for app in purge.started_apps if app not in duplicates for row in new_events.get(app, ()))
        left = purge.before.events.by_guid if purge.surviving_events else {}
        yield from (
            (purge, app, row)
            for app, row in events
            if dig(row, "app", "guid") in {app, None} and left.get(str(row.get("guid"))) != row
        )


def _names(purge: PurgeObservation, app: str) -> set[str]:
    """Return the name of an app before and after a purge; two, if it was renamed meanwhile."""
    return {str(snapshot.apps.by_guid[app].get("name")) for snapshot in (purge.before, purge.after)}


def _app_of_each_process(purge: PurgeObservation) -> dict[str, str | None]:
    return {guid: app_of_process(row) for guid, row in purge.after.processes.by_guid.items()}


def _has_member(row: Row, *names: str) -> bool:
    value: object = row
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
