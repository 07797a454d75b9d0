"""Purges by the admin: the first two, one after changes, one per unexpected input, one without started apps."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path, is_usable_guid
from purge_conformance.client.auth.credentials import GARBAGE, for_role
from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import read_pages, take_snapshot
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, READ_ONLY_ROLES
from purge_conformance.errors import TargetUnusable
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    APPS,
    GUARANTEED_PAGE_SIZE,
    STARTED,
    app_of_event,
    resources,
    sample_evenly,
)
from purge_conformance.evidence.steps import UNEXPECTED_INPUTS, App, Part, Phase, Place, Step
from purge_conformance.evidence.tag_values import GOOD_LAST, CredentialKind, HeaderSet
from purge_conformance.scenarios.authorization import AttemptRecorder, non_admin_credentials
from purge_conformance.scenarios.budget import note_left_out
from purge_conformance.scenarios.observed_purge import purge_between_snapshots
from purge_conformance.scenarios.purge_headers import purge_with_spare_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

SAMPLE_SIZE = 5  # events to get from each end of a list
SPREAD_SIZE = 9  # events to get from all of a list; odd, so that the middle one is included
BESIDE_PLANNED = 2  # purges that are left: the planned one, and one that the target may do or refuse
JSON, ANY_TYPE = "application/json", "*/*"  # the latter is that of curl
INPUTS = {  # step -> query, content type, body; the documentation describes none of them
    Step.TRUNCATED_JSON: ("", JSON, '{"confirm": tru'),
    Step.JSON_OBJECT: ("", JSON, '{"guids": [], "dry_run": true, "unexpected": null}'),
    Step.JSON_ARRAY: ("", JSON, '["unexpected", 1, null]'),
    Step.NOT_JSON: ("", JSON, "\u2028 neither JSON nor anything else"),
    Step.FORM: ("", "application/x-www-form-urlencoded", "confirm=true&dry_run=1"),
    Step.LONG_TEXT: ("", "text/plain", "purge " * 12_000),
    Step.UNKNOWN_PARAMETER: ("?no_such_parameter=1", None, None),
}


def first_purge(client: Client, _: SuiteApps) -> None:
    """Purge between snapshots; then get destroyed and seeded events and search for destroyed ones, in several roles."""
    with client.span(Step.PURGE) as place:
        before = take_snapshot(client, place.at(Phase.BEFORE))
        answer = client.post(PURGE_PATH, place)
        after = take_snapshot(client, place.at(Phase.AFTER))
    _require_admin(client, answer)
    destroyed = {g: row for g, row in before.by_guid.items() if g not in after.by_guid and is_usable_guid(g)}
    for query in _filters_for_destroyed(list(destroyed.values())):
        full_query = urlencode({**query, "per_page": GUARANTEED_PAGE_SIZE}, errors="replace")
        client.get(f"{EVENTS_PATH}?{full_query}", Step.SEARCH_DESTROYED)
    for guid in dict.fromkeys([*_sample_ends(list(destroyed)), *sample_evenly(list(destroyed), SPREAD_SIZE)]):
        client.get(event_path(guid), Step.GET_DESTROYED)
    for credential in _reader_credentials(client):
        for guid in list(destroyed)[-1:]:
            client.get(event_path(guid), Step.GET_DESTROYED, credential=credential)
            by_guid = urlencode({"guids": guid}, errors="replace")
            client.get(f"{EVENTS_PATH}?{by_guid}", Step.SEARCH_DESTROYED, credential=credential)
    _get_seeded(client, _sample_ends(_seed_guids(after.by_guid)))


def _require_admin(client: Client, answer: Exchange) -> None:
    """Require that a rejected purge is the target's fault: a token that shows no admin scope may not be an admin's.

    Raises:
        TargetUnusable: it may not.
    """
    is_rejected = answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if is_rejected and ADMIN_SCOPE not in (scopes(client.tokens[ADMIN]) or ()):
        raise TargetUnusable(
            f"The first purge as admin got {answer.status}, and the scope {ADMIN_SCOPE} cannot be read from the "
            "admin's token; expected a token with that scope. No further purge was sent. Give a token of an admin: "
            "--token admin=SOURCE. If this one is, give it as a JSON Web Token with its scopes: then the answer is "
            "judged.",
            "authentication",
        )


def second_purge(client: Client, _: SuiteApps) -> None:
    """Purge a second time, at once, and take a snapshot."""
    client.post(PURGE_PATH, Step.PURGE)
    take_snapshot(client, Place(Step.PURGE, phase=Phase.AFTER))


def purge_after_changes(client: Client, apps: SuiteApps) -> None:
    """Purge after changes of apps, the last of them a restart, a new droplet and new names of one; get some seeds.

    The guids of these may have been used before. The purge has the `Accept` of the documentation's example.
    """
    apps.restart(App.SCALED)
    apps.change_droplet(App.SCALED)
    apps.rename(App.SCALED)  # the same app: PURGE-06 leaves out the one that was changed last
    request = Request("POST", PURGE_PATH, Step.PURGE, headers={"Accept": ANY_TYPE})
    response = purge_with_spare_headers(client, request, HeaderSet.ALL)
    pages = client.recorded(response.place.at(Phase.AFTER).of(Part.EVENTS))
    rows = {row["guid"]: row for page in pages for row in resources(page)}
    _get_seeded(client, _seed_guids(rows)[:SAMPLE_SIZE])


def _get_seeded(client: Client, guids: Iterable[str]) -> None:
    """Get seeded events; after an answer 404, list all events, which shows whether others purged meanwhile."""
    answers = [client.get(event_path(guid), Step.GET_SEEDED) for guid in guids]
    if any(x.status == HTTPStatus.NOT_FOUND for x in answers):
        read_pages(client, EVENTS_PATH, Step.CLOSING)


def purge_with_unexpected_input(client: Client, apps: SuiteApps) -> None:
    """Purge with undocumented bodies and with an undocumented query; before each, record an event to destroy.

    Before the last of them, a purge has two Authorization headers, of which the last one is good. The last input is
    hardly ever refused: the changes of apps that follow have to come after a purge, not after a refused one.
    """
    note_left_out(client, list(UNEXPECTED_INPUTS.values())[client.planned_purges :])
    for step in list(UNEXPECTED_INPUTS)[: client.planned_purges]:
        query, media_type, body = INPUTS[step]
        apps.record_event()
        if step is [*UNEXPECTED_INPUTS][-1]:
            _purge_with_good_header_last(client, apps)
        headers = {"Content-Type": media_type} if media_type else {}
        purge_between_snapshots(client, Request("POST", PURGE_PATH + query, step, headers=headers, body=body))


def _purge_with_good_header_last(client: Client, apps: SuiteApps) -> None:
    """Purge with an Authorization header that is no token and then a good one, between pages of the newest events.

    The target may refuse that, and then it is no purge of the run. If it may have done it, another event is recorded.
    """
    if client.guard.purges_left < BESIDE_PLANNED:
        note_left_out(client, [GOOD_LAST])
        return
    good = for_role(ADMIN, client.tokens[ADMIN])
    who = replace(good, role=GOOD_LAST, second=GARBAGE, is_last=True)
    AttemptRecorder(client).send([Request("POST", PURGE_PATH, Step.TWO_CREDENTIALS, who)])
    if not client.recorded(Step.TWO_CREDENTIALS)[-1].rejected:
        client.guard.count_purge()
        apps.record_event()


def purge_without_started_apps(client: Client, apps: SuiteApps) -> None:
    """Stop all started apps, if all are the suite's own, and purge; the apps stay stopped."""
    own = [app for app in apps.apps if app in apps.started]
    if not own:
        return
    every = read_pages(client, APPS, Step.ALL_APPS)
    started = {row["guid"] for row in every.rows if row.get("state") == STARTED}
    if not (every.complete and started <= set(apps.apps.values())):
        return
    if all(apps.stop(app) for app in own):
        purge_with_spare_headers(client, Request("POST", PURGE_PATH, Step.PURGE), HeaderSet.CLIENTS)


def _filters_for_destroyed(destroyed: list[Row]) -> Iterator[dict[str, str]]:
    """Yield filters and an order that may still find destroyed events."""
    for row in destroyed[:1]:
        yield {"guids": ",".join(str(row.get("guid")) for row in sample_evenly(destroyed, GUARANTEED_PAGE_SIZE))}
        yield {"after_guid": str(row.get("guid"))}
        yield {"after_guid": str(row.get("guid")), "order_by": "-created_at", "page": "1"}
        if moment := clock.parse_rfc3339(row.get("created_at")):
            yield {"created_ats": moment.strftime(clock.FILTER_FORMAT)}
        yield {"order_by": "created_at"}


def _reader_credentials(client: Client) -> list[Credential]:
    """Return the credentials of roles that can read all events, as an admin can; without any, those of one other."""
    others = [who for who in non_admin_credentials(client) if who.kind is CredentialKind.VALID]
    return [who for who in others if who.role in READ_ONLY_ROLES] or others[:1]


def _seed_guids(rows: Mapping[str, Row]) -> list[str]:
    return [guid for guid, row in rows.items() if app_of_event(row) == guid and is_usable_guid(guid)]


def _sample_ends(guids: list[str]) -> list[str]:
    return guids if len(guids) <= 2 * SAMPLE_SIZE else guids[:SAMPLE_SIZE] + guids[-SAMPLE_SIZE:]
