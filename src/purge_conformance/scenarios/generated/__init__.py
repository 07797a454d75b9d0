"""Sends what Schemathesis generates from openapi.yaml, within what is left of the budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import ANONYMOUS, Credential
from purge_conformance.errors import RequestBlocked
from purge_conformance.evidence.listing import resources
from purge_conformance.scenarios import purge as purging
from purge_conformance.scenarios.generated import schemathesis as contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.scenarios.generated.schemathesis import Case, Walk
    from purge_conformance.target.apps import SuiteApps

RESERVED_REQUESTS = 200  # requests that the experiments after the generated cases need


def send_generated_cases(client: Client, foundation: SuiteApps, generated: Callable[[], tuple[Case, ...]]) -> None:
    """Send a fair share of the generated cases; those that need an event get one of the target's."""
    found = resources(client.get(f"{EVENTS_PATH}?per_page=1", "event"))
    guid = str(found[0].get("guid")) if found else None
    for case in contract.select_cases((x for x in generated() if client.guard.allows(x.method)), _case_limits(client)):
        _send(client, foundation, contract.with_existing_guid(case, guid) if guid else case)


def follow_links(client: Client, foundation: SuiteApps, walk: Walk) -> None:
    """Follow the links of openapi.yaml from answer to answer: purge, list, get."""

    def send(case: Case) -> Exchange | None:
        try:
            return _send(client, foundation, case)
        except RequestBlocked as reason:
            client.note_cut_short(reason)
            return None

    walk(send, min(1, client.guard.purges_left))


def _send(client: Client, foundation: SuiteApps, case: Case) -> Exchange:
    """Send a case; a purge by the admin is looked at from both sides, with an ordinary event there to be destroyed."""
    request = _request(case, case.operation_id)
    if case.operation_id != PURGE_OPERATION or case.auth != "token":
        return client.send(request)
    foundation.record_event()
    return purging.purge_between_snapshots(client, request, f"purge {client.guard.purges}.")


def _case_limits(client: Client) -> dict[str, int]:
    remaining = max(0, client.guard.requests_left - RESERVED_REQUESTS)
    limits = dict(contract.MAX_CASES)
    limits[LIST_OPERATION] = max(
        0, min(limits[LIST_OPERATION], remaining - limits[GET_OPERATION] - limits[PURGE_OPERATION])
    )
    return limits


def _request(case: Case, step: str) -> Request:
    headers = dict(case.headers)
    generated_header = headers.pop("Authorization", "")
    credentials = {
        "token": None,
        "none": ANONYMOUS,
        "generated": Credential("generated", generated_header, generated_header, "malformed"),
    }
    tags = {"phase": case.phase, "mode": case.mode, "about": case.about, "auth": case.auth}
    if case.media_type:
        headers["Content-Type"] = case.media_type
    return Request(case.method, case.path, step, credentials[case.auth], headers, case.body, tags)
