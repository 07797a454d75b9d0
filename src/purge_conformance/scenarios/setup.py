"""What comes before anything may be destroyed: is the target there, is the admin one, are its events safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination as look
from purge_conformance.config.options import ROLES
from purge_conformance.errors import TargetUnusable
from purge_conformance.evidence.listing import total_results
from purge_conformance.scenarios.app_changes import await_event
from purge_conformance.target import doctor
from purge_conformance.target.doctor import Status
from purge_conformance.target.doctor.probe import ONE_EVENT_PATH, probe_target

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

MIN_EVENTS = 55  # events; 50 are a page unless asked otherwise


def preflight(client: Client, _: SuiteApps) -> None:
    """Look at target and tokens, note what is not as it should be, and go no further where a run makes no sense.

    Raises:
        TargetUnusable: neither apps nor events can be read, or what would be judged is a wrong token.
    """
    problems = [
        check
        for check in doctor.checks_before_run(probe_target(client, ROLES), client.settings)
        if check.status is not Status.OK
    ]
    client.note("doctor", [str(check) for check in problems if not check.is_fatal])
    for check in problems:
        if check.is_fatal:
            raise TargetUnusable(str(check), check.cause)


def create_apps(_: Client, foundation: SuiteApps) -> None:
    """Make the suite's own apps."""
    foundation.build()


def fill_page(client: Client, foundation: SuiteApps) -> None:
    """Make ordinary events until there are more than a page of the default size takes; wait for the first of them."""
    missing = MIN_EVENTS - (total_results(client.get(ONE_EVENT_PATH, "total")) or 0)
    created = 0
    while created < missing and foundation.record_event():
        created += 1
    if created:
        await_event(client, foundation, foundation.apps["mover"], ())


def read_all_events(client: Client, _: SuiteApps) -> None:
    """Read all events that exist, since the next experiment destroys them."""
    look.read_pages(client, EVENTS_PATH, "events")
