"""Examines a target by itself: it reads a little, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance import doctor
from purge_conformance.client import Client
from purge_conformance.credentials import ADMIN
from purge_conformance.experiments import opening
from purge_conformance.guard import EVENTS, RESERVE, Guard
from purge_conformance.journal import Unwritten

if TYPE_CHECKING:
    from purge_conformance.settings import Settings

NEWEST = f"{EVENTS}?order_by=-created_at&per_page=1"


def examined(settings: Settings) -> tuple[doctor.Check, ...]:
    """Return what half a dozen reads, and one for each token, show of the target and of the tokens."""
    limits = replace(settings.limits, max_requests=2 * RESERVE + len(settings.tokens))
    with Unwritten() as journal:
        client = Client(settings, journal, Guard(limits, reads_only=True), lambda *_: None)
        seen = opening.examine(client, settings.tokens)
        if client.guard.requests > 1 and ADMIN not in seen.ended:
            seen = replace(seen, answers=(*seen.answers, client.get(NEWEST, "newest")))
        return doctor.checks(seen, settings)
