"""Purges by the admin: the first, the second, one after changes, ones with odd bodies, one with nothing to seed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Request
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    APPS,
    GUARANTEED_PAGE_SIZE,
    STARTED,
    app_of_event,
    resources,
    sample_evenly,
)
from purge_conformance.scenarios.authorization import non_admin_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.client.client import Client
    from purge_conformance.client.credentials import Credential
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

SAMPLE_SIZE = 5  # events got one by one, from either end of a list
SPREAD_SIZE = 9  # and from all over it; an odd number, so that the one in the middle is among them
READ_ONLY_ROLES = ("admin_read_only", "global_auditor")
JSON = "application/json"
UNEXPECTED_INPUTS = {  # name -> query, content type, body; none of it is documented
    "cut-json": ("", JSON, '{"confirm": tru'),
    "json-object": ("", JSON, '{"guids": [], "dry_run": true, "unexpected": null}'),
    "json-array": ("", JSON, '["unexpected", 1, null]'),
    "no-json": ("", JSON, "\u2028 neither JSON nor anything else"),
    "form": ("", "application/x-www-form-urlencoded", "confirm=true&dry_run=1"),
    "long-text": ("", "text/plain", "purge " * 12_000),
    "unknown-query": ("?no_such_parameter=1", None, None),
}


def first_purge(client: Client, _: SuiteApps) -> None:
    """Look, purge, look; then get destroyed and seeded events by their guids, and look for them in other roles too."""
    before = look.take_snapshot(client, "before")
    client.post(PURGE_PATH, "purge")
    after = look.take_snapshot(client, "after")
    remaining = after.by_guid
    destroyed = {guid: row for guid, row in before.by_guid.items() if guid not in remaining}
    for query in _filters_for_destroyed(list(destroyed.values())):
        client.get(
            f"{EVENTS_PATH}?{urlencode({**query, 'per_page': GUARANTEED_PAGE_SIZE}, errors='replace')}", "search"
        )
    for guid in dict.fromkeys([*_sample_ends(list(destroyed)), *sample_evenly(list(destroyed), SPREAD_SIZE)]):
        client.get(event_path(guid), "destroyed")
    for credential in _reader_credentials(client):
        for guid in list(destroyed)[-1:]:
            client.get(event_path(guid), "destroyed", credential=credential)
            client.get(f"{EVENTS_PATH}?guids={quote(guid)}", "search", credential=credential)
    for guid in _sample_ends(_seed_guids(remaining)):
        client.get(event_path(guid), "seeded")


def second_purge(client: Client, _: SuiteApps) -> None:
    """Purge a second time, right away, and look."""
    client.post(PURGE_PATH, "purge")
    look.take_snapshot(client, "after")


def purge_after_changes(client: Client, _: SuiteApps) -> None:
    """Purge after apps were started and stopped, and look; get some seeded events, which may have been got before."""
    purge_between_snapshots(client, Request("POST", PURGE_PATH, "purge"))
    rows = {row["guid"]: row for page in client.exchanges_of("changed", "after.events") for row in resources(page)}
    for guid in _seed_guids(rows)[:SAMPLE_SIZE]:
        client.get(event_path(guid), "seeded")


def purge_with_unexpected_input(client: Client, foundation: SuiteApps) -> None:
    """Purge with bodies and a query that nobody asked for; each time an ordinary event is there to be destroyed."""
    for name, (query, media_type, body) in UNEXPECTED_INPUTS.items():
        foundation.record_event()
        headers = {"Content-Type": media_type} if media_type else {}
        purge_between_snapshots(
            client, Request("POST", PURGE_PATH + query, name, headers=headers, body=body), f"{name}."
        )


def purge_without_started_apps(client: Client, foundation: SuiteApps) -> None:
    """Purge when no app is started at all, where nobody else's is; the suite's own are stopped for that, for good."""
    apps = look.read_pages(client, APPS, "apps")
    started = {row["guid"] for row in apps.rows if row.get("state") == STARTED}
    own = [label for label in foundation.apps if label in foundation.started]
    if not (own and apps.complete and started <= set(foundation.apps.values())):
        return
    if all(foundation.stop(label) for label in own):
        purge_between_snapshots(client, Request("POST", PURGE_PATH, "purge"))


def purge_between_snapshots(client: Client, purge: Request, prefix: str = "") -> Exchange:
    """Send a purge between two looks, whose steps begin with `name`; then get one of the events that it destroyed."""
    before = look.take_snapshot(client, f"{prefix}before")
    response = client.send(purge)
    after = look.take_snapshot(client, f"{prefix}after")
    for guid in [guid for guid in before.by_guid if guid not in after.by_guid][-1:]:
        client.get(event_path(guid), f"{prefix}destroyed")
    return response


def _filters_for_destroyed(destroyed: list[Row]) -> Iterator[dict[str, str]]:
    """Yield the filters and the order that could bring destroyed events to light."""
    for row in destroyed[:1]:
        yield {"guids": ",".join(str(row.get("guid")) for row in sample_evenly(destroyed, GUARANTEED_PAGE_SIZE))}
        yield {"after_guid": str(row.get("guid"))}
        if moment := clock.parse_rfc3339(row.get("created_at")):
            yield {"created_ats": moment.strftime(clock.FILTER_FORMAT)}
        yield {"order_by": "created_at"}


def _reader_credentials(client: Client) -> list[Credential]:
    """Return the roles that may read whatever an admin may, as far as they were given, or else any other."""
    others = [who for who in non_admin_credentials(client) if who.kind == "valid"]
    return [who for who in others if who.role in READ_ONLY_ROLES] or others[:1]


def _seed_guids(rows: Mapping[str, Row]) -> list[str]:
    return [guid for guid, row in rows.items() if app_of_event(row) == guid]


def _sample_ends(guids: list[str]) -> list[str]:
    return guids if len(guids) <= 2 * SAMPLE_SIZE else guids[:SAMPLE_SIZE] + guids[-SAMPLE_SIZE:]
