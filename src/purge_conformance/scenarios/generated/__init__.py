"""Sends the cases that Schemathesis generates from openapi.yaml, within the remaining budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from purge_conformance.catalogue.api import (
    EVENTS_PATH,
    GET_OPERATION,
    LIST_OPERATION,
    PURGE_OPERATION,
    PURGE_PATH,
    is_usable_guid,
)
from purge_conformance.client.auth.credentials import ANONYMOUS, Credential
from purge_conformance.client.client import Request
from purge_conformance.errors import BudgetExhausted, RequestBlocked
from purge_conformance.evidence.listing import resources, usable_rows
from purge_conformance.evidence.steps import Place, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth
from purge_conformance.scenarios import purge_headers
from purge_conformance.scenarios.generated import schemathesis
from purge_conformance.scenarios.observed_purge import purge_between_snapshots
from purge_conformance.target.doctor.probe import ONE_EVENT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.tag_values import HeaderSet
    from purge_conformance.scenarios.generated.schemathesis import Case, Cases, Walk
    from purge_conformance.target.apps import SuiteApps

STEPS = {
    PURGE_OPERATION: Step.GENERATED_PURGE,
    LIST_OPERATION: Step.GENERATED_LIST,
    GET_OPERATION: Step.GENERATED_GET,
}


def send_generated_cases(client: Client, apps: SuiteApps, cases: Cases) -> None:
    """Send the selected cases; a case for an existing event gets the guid of one."""
    rows = usable_rows(resources(client.get(ONE_EVENT_PATH, Step.EXISTING_EVENT)))
    guid = rows[0]["guid"] if rows else None
    allowed = (case for case in cases() if client.guard.allows(case.method))
    end = client.guard.purges + client.planned_purges
    header_sets = purge_headers.planned_sets(client, purge_headers.OF_GENERATED)
    limits = _case_limits(client)
    selected = schemathesis.select_cases(allowed, limits)
    for case in selected:
        is_planned = not _purges_as_admin(case) or client.guard.purges < end
        if is_planned and client.may_send(_credential(case)):
            _send(client, apps, schemathesis.with_existing_guid(case, guid) if guid else case, header_sets)
    of_list = sum(case.operation_id == LIST_OPERATION for case in selected)
    if limits[LIST_OPERATION] < schemathesis.MAX_CASES[LIST_OPERATION] and of_list >= limits[LIST_OPERATION]:
        limit, more = client.settings.limits.max_requests, client.guard.more_requests
        client.note_cut_short(
            BudgetExhausted(f"--max-requests {limit} leaves {of_list} generated lists. Give --max-requests {more}.")
        )


def follow_links(client: Client, apps: SuiteApps, walk: Walk) -> None:
    """Follow the links of openapi.yaml from response to response: purge, list, get."""
    header_sets = purge_headers.planned_sets(client, purge_headers.OF_WALK)

    def send(case: Case) -> Exchange | None:
        try:
            is_sent = _reaches_operation(case) and client.may_send(_credential(case))
            return _send(client, apps, case, header_sets) if is_sent else None
        except RequestBlocked as reason:
            client.note_cut_short(reason)
            return None

    walk(send, client.planned_purges)


def _reaches_operation(case: Case) -> bool:
    """Whether the path of a case is one of its operation: a link fills it with what the target responded."""
    route = case.path.partition("?")[0]
    if case.operation_id == GET_OPERATION:
        return route.startswith(f"{EVENTS_PATH}/") and is_usable_guid(unquote(route.removeprefix(f"{EVENTS_PATH}/")))
    return route == {LIST_OPERATION: EVENTS_PATH, PURGE_OPERATION: PURGE_PATH}[case.operation_id]


def _send(client: Client, apps: SuiteApps, case: Case, header_sets: Iterator[HeaderSet]) -> Exchange:
    """Send a case; a purge by the admin between snapshots, with an event to destroy and the next set of headers."""
    request = _request(case, Place(STEPS[case.operation_id]))
    if not _purges_as_admin(case):
        return client.send(request)
    purge = replace(request, where=Place(Step.GENERATED_PURGE, client.guard.purges))
    if name := next(header_sets, None):
        return purge_headers.purge_with_headers(client, apps, purge, name)
    apps.record_event()
    return purge_between_snapshots(client, purge)


def _purges_as_admin(case: Case) -> bool:
    return case.operation_id == PURGE_OPERATION and case.auth is GeneratedAuth.TOKEN


def _case_limits(client: Client) -> dict[str, int]:
    limits = dict(schemathesis.MAX_CASES)
    for_list = client.planned_requests - limits[GET_OPERATION] - limits[PURGE_OPERATION]
    limits[LIST_OPERATION] = max(0, min(limits[LIST_OPERATION], for_list))
    return limits


def _credential(case: Case) -> Credential | None:
    """Return the credential of a case; None is the admin's."""
    header = dict(case.headers).get("Authorization", "")
    credentials = {
        GeneratedAuth.TOKEN: None,
        GeneratedAuth.NONE: ANONYMOUS,
        GeneratedAuth.GENERATED: Credential("generated", header, header, CredentialKind.MALFORMED),
    }
    return credentials[case.auth]


def _request(case: Case, place: Place) -> Request:
    headers = {name: value for name, value in case.headers if name != "Authorization"}
    tags = {Tag.GENERATION: case.phase, Tag.MODE: case.mode, Tag.ABOUT: case.about, Tag.AUTH: case.auth}
    if case.media_type:
        headers["Content-Type"] = case.media_type
    return Request(case.method, case.path, place, _credential(case), headers, case.body, tags)
