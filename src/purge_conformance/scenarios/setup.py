"""Prepares a run: checks the target and the tokens, creates the suite's apps, and reads the existing events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.pagination import read_pages
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import total_results
from purge_conformance.evidence.steps import App, Place, Step
from purge_conformance.scenarios.app_changes import await_event
from purge_conformance.target import doctor
from purge_conformance.target.archive import MAX_WALKS, Extent, check_pages
from purge_conformance.target.doctor import Effect, Status
from purge_conformance.target.doctor.probe import ONE_EVENT_PATH, probe_target

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps
    from purge_conformance.target.doctor.duration import Work

MIN_SHARE = 10  # of the requests that are left, each walk after the first takes at most a tenth
MIN_EVENTS = 55  # more than a page of the default size, 50, has


def preflight(client: Client, work: Work) -> None:
    """Check the target and what the user gave, and note the warnings; `work` is what the run is expected to do.

    Raises:
        ChecksFailed: a token, the space or the droplet is wrong.
        TargetUnusable: neither apps nor events can be read.
    """
    checks = doctor.checks_before_run(probe_target(client, work), client.settings)
    problems = [check for check in checks if check.status is not Status.OK]
    client.note(notes.WARNINGS, [str(check) for check in problems if check.effect is Effect.WARNING])
    doctor.require_ready(checks)


def create_apps(_: Client, apps: SuiteApps) -> None:
    """Create the suite's own apps."""
    apps.build()


def fill_page(client: Client, apps: SuiteApps) -> None:
    """Record events until there are more than a page of the default size has; wait for the first of them."""
    missing = MIN_EVENTS - (total_results(client.get(ONE_EVENT_PATH, Step.COUNT_EVENTS)) or 0)
    created = 0
    while created < missing and apps.record_event():
        created += 1
    if created:
        await_event(client, apps, apps.apps[App.TOGGLED], ())


def read_all_events(client: Client, _: SuiteApps) -> None:
    """Read all existing events, since the first purge destroys them; again if the list changed meanwhile."""
    for number in range(MAX_WALKS):
        pages = read_pages(client, EVENTS_PATH, Place(Step.EXISTING_EVENTS, number or None)).exchanges
        reading = check_pages(pages).reading(client.settings.limits)
        if reading.extent is not Extent.CHANGED or client.guard.requests_left < MIN_SHARE * len(pages):
            return


def delete_apps(_: Client, apps: SuiteApps) -> None:
    """Delete the suite's own apps."""
    apps.delete_apps()
