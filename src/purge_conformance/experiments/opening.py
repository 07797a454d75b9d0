"""What comes before anything may be destroyed: is the target there, is the admin one, are its events safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance import doctor, look
from purge_conformance.credentials import ADMIN, NOBODY
from purge_conformance.doctor import Examined, Status
from purge_conformance.doctor.reaching import is_root
from purge_conformance.errors import TargetUnusable, TokenExpired
from purge_conformance.experiments.changing import await_event
from purge_conformance.guard import EVENTS
from purge_conformance.keys import ROLES
from purge_conformance.snapshot import total_results

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.client import Client
    from purge_conformance.foundation import Foundation

OPEN = f"{EVENTS}?per_page=1"
MORE_THAN_A_PAGE = 55  # events; 50 are a page unless asked otherwise


def reach(client: Client, _: Foundation) -> None:
    """Look at target and tokens, note what is not as it should be, and go no further where a run makes no sense.

    Raises:
        TargetUnusable: neither apps nor events can be read, or what would be judged is a wrong token.
    """
    found = [
        check for check in doctor.before_run(examine(client, ROLES), client.settings) if check.status is not Status.OK
    ]
    client.note("doctor", [str(check) for check in found if not check.is_fatal])
    for check in found:
        if check.is_fatal:
            raise TargetUnusable(str(check), check.blame)


def examine(client: Client, roles: Collection[str]) -> Examined:
    """Read the root as nobody, apps and events as the admin, and events in the other roles; return what that showed."""
    seen = [client.get("/", "root", by=NOBODY)]
    ended: dict[str, str] = {}
    if seen[0].status is None:
        return Examined(tuple(seen))
    if not is_root(seen[0]):
        seen.append(client.get("/v3", "v3", by=NOBODY))
    others = [credential for role, credential in client.credentials.items() if role in roles and role != ADMIN]
    for path, step, who in (("/v3/apps?per_page=1", "apps", None), *((OPEN, "events", who) for who in (None, *others))):
        try:
            seen.append(client.get(path, step if who is None else "role", by=who))
        except TokenExpired as reason:
            client.held_back(reason)
            ended[ADMIN if who is None else who.role] = str(reason)
    return Examined(tuple(seen), ended)


def build(_: Client, foundation: Foundation) -> None:
    """Make the suite's own apps."""
    foundation.build()


def fill(client: Client, foundation: Foundation) -> None:
    """Make ordinary events until there are more than a page of the default size takes; wait for the first of them."""
    missing = MORE_THAN_A_PAGE - (total_results(client.get(OPEN, "total")) or 0)
    made = 0
    while made < missing and foundation.stir():
        made += 1
    if made:
        await_event(client, foundation, foundation.apps["mover"], ())


def archive(client: Client, _: Foundation) -> None:
    """Read all events that exist, since the next experiment destroys them."""
    look.walk(client, EVENTS, "events")
