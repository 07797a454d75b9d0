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
from purge_conformance.target.doctor.probe import OPEN, examine

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

MORE_THAN_A_PAGE = 55  # events; 50 are a page unless asked otherwise


def reach(client: Client, _: SuiteApps) -> None:
    """Look at target and tokens, note what is not as it should be, and go no further where a run makes no sense.

    Raises:
        TargetUnusable: neither apps nor events can be read, or what would be judged is a wrong token.
    """
    found = [
        check
        for check in doctor.checks_before_run(examine(client, ROLES), client.settings)
        if check.status is not Status.OK
    ]
    client.note("doctor", [str(check) for check in found if not check.is_fatal])
    for check in found:
        if check.is_fatal:
            raise TargetUnusable(str(check), check.cause)


def build(_: Client, foundation: SuiteApps) -> None:
    """Make the suite's own apps."""
    foundation.build()


def fill(client: Client, foundation: SuiteApps) -> None:
    """Make ordinary events until there are more than a page of the default size takes; wait for the first of them."""
    missing = MORE_THAN_A_PAGE - (total_results(client.get(OPEN, "total")) or 0)
    made = 0
    while made < missing and foundation.record_event():
        made += 1
    if made:
        await_event(client, foundation, foundation.apps["mover"], ())


def archive(client: Client, _: SuiteApps) -> None:
    """Read all events that exist, since the next experiment destroys them."""
    look.read_pages(client, EVENTS_PATH, "events")
