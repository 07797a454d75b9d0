"""Examines a target by itself: it reads a little, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS
from purge_conformance.client.client import Client
from purge_conformance.client.credentials import NOBODY
from purge_conformance.client.guard import RESERVE, Guard
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence.journal import Unwritten
from purge_conformance.target import doctor
from purge_conformance.target.doctor import Examined
from purge_conformance.target.doctor.connectivity import is_root

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings

NEWEST = f"{EVENTS}?order_by=-created_at&per_page=1"


def examined(settings: Settings) -> tuple[doctor.Check, ...]:
    """Return what half a dozen reads, and one for each token, show of the target and of the tokens."""
    limits = replace(settings.limits, max_requests=2 * RESERVE + len(settings.tokens))
    with Unwritten() as journal:
        client = Client(settings, journal, Guard(limits, reads_only=True), lambda *_: None)
        seen = examine(client, settings.tokens)
        if client.guard.requests > 1 and ADMIN not in seen.ended:
            seen = replace(seen, answers=(*seen.answers, client.get(NEWEST, "newest")))
        return doctor.checks(seen, settings)


if TYPE_CHECKING:
    from collections.abc import Collection


OPEN = f"{EVENTS}?per_page=1"


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
