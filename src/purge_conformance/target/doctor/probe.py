"""Reads a few resources of a target, for `doctor` and at the beginning of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence.steps import Step
from purge_conformance.target import doctor
from purge_conformance.target.doctor import ProbeResult
from purge_conformance.target.doctor.connectivity import is_root

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings

ONE_EVENT_PATH = f"{EVENTS_PATH}?per_page=1"
NEWEST_EVENT = f"{EVENTS_PATH}?order_by=-created_at&per_page=1"


def run_checks(settings: Settings) -> tuple[doctor.Check, ...]:
    """Return all findings about a target; sends about six reads, and one per token."""
    with unrecorded_client(settings, max_requests=2 * CLEANUP_RESERVE + len(settings.tokens)) as client:
        probe = probe_target(client, settings.tokens)
        if client.guard.requests > 1 and ADMIN not in probe.expired_tokens:
            probe = replace(probe, answers=(*probe.answers, client.get(NEWEST_EVENT, Step.NEWEST_EVENT)))
        return doctor.checks(probe, settings)


def probe_target(client: Client, roles: Collection[str]) -> ProbeResult:
    """Read the root without a token, apps and events as admin, and events in each other role."""
    responses = [client.get("/", Step.ROOT, credential=ANONYMOUS)]
    expired: dict[str, str] = {}
    if responses[0].status is None:
        return ProbeResult(tuple(responses))
    if not is_root(responses[0]):
        responses.append(client.get("/v3", Step.V3_ROOT, credential=ANONYMOUS))
    others = [credential for role, credential in client.credentials.items() if role in roles and role != ADMIN]
    for path, step, reader in (
        ("/v3/apps?per_page=1", Step.APPS, None),
        (ONE_EVENT_PATH, Step.EVENTS, None),
        *((ONE_EVENT_PATH, Step.EVENTS_AS_ROLE, who) for who in others),
    ):
        try:
            responses.append(client.get(path, step, credential=reader))
        except TokenExpired as reason:
            client.note_cut_short(reason)
            expired[ADMIN if reader is None else reader.role] = str(reason)
    return ProbeResult(tuple(responses), expired)
