"""Who may do what: reads and purges with every credential but the right one, other methods, other routes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.client import pagination as look
from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import invalid_credentials
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, EXPIRED
from purge_conformance.evidence.listing import resources, total_results

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.client.credentials import Credential
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

WAIT_SECONDS = 1.0
RETRY_TAG, MAX_RETRIES = "again", 3  # tag of what is tried again, and how often at most
WAIT_ROUNDS = (
    5  # times that what comes later is waited for: somebody else purges by such turns about once in 4 ** 5 runs
)
OTHER_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
WRITE_METHODS = ("PUT", "PATCH", "POST")
UNKNOWN_GUID = UUID("00000000-0000-4000-8000-7075726765aa")  # version 4, like a guid, and nobody's
UNKNOWN_ROUTES = (
    ("GET", f"{EVENTS_PATH}/actions/no_such_action"),
    ("POST", f"{EVENTS_PATH}/actions/no_such_action"),
    ("POST", f"{PURGE_PATH}/no_such_route"),
    ("GET", f"{EVENTS_PATH}/{UNKNOWN_GUID}/no_such_route"),
)

UNUSUAL_HEADERS = (
    ("list", {"Accept": "text/html"}),
    ("list", {"Range": "bytes=0-99"}),
    ("list", {"If-None-Match": '"purge-conformance"'}),
    ("get", {"If-Modified-Since": "Wed, 01 Jul 2026 12:00:00 GMT"}),
    ("get", {"Content-Type": "application/x-no-such-type"}),
)


def read_as_everyone(client: Client, foundation: SuiteApps) -> None:
    """List, and get an existing event, with every credential; as the admin get an unknown one, and ask otherwise."""
    rows = resources(client.get(f"{EVENTS_PATH}?per_page=1", "list"))
    paths = {"list": f"{EVENTS_PATH}?per_page=1"}
    if rows:
        paths["get"] = event_path(rows[0].get("guid"))
        client.get(paths["get"], "get")
    for credential in non_admin_credentials(client):
        for step, path in paths.items():
            client.send(Request("GET", path, step, credential, tags={"credential": credential.kind}))
    for guid in filter(None, (UNKNOWN_GUID, foundation.apps.get("paused"))):  # no purge has seeded a stopped app
        client.get(event_path(guid), "unknown")
    for step, headers in UNUSUAL_HEADERS:
        if step in paths:
            client.send(Request("GET", paths[step], "headers", headers=headers))


def send_rejected_purges(client: Client, foundation: SuiteApps) -> None:
    """Try to purge in every way that must be refused; look at the list before the first and after each."""
    foundation.record_event()
    newest = resources(client.get(f"{EVENTS_PATH}?order_by=-created_at&per_page=1", "newest"))
    attempts = [
        *(
            Request("POST", PURGE_PATH, "credential", who, tags={"credential": who.kind})
            for who in non_admin_credentials(client)
        ),
        *(Request(method, PURGE_PATH, "method") for method in OTHER_METHODS),
        *(Request(method, EVENTS_PATH, "method") for method in ("DELETE", *WRITE_METHODS)),
        *(Request(method, f"{EVENTS_PATH}/actions", "method") for method in ("DELETE", "POST")),
        *(
            Request(method, event_path(row["guid"]), "method")
            for row in newest
            for method in ("POST", "PUT", "PATCH", "DELETE")
        ),
        *(Request(method, path, "route") for method, path in UNKNOWN_ROUTES),
    ]
    if not send_and_observe(client, foundation, *([request] for request in attempts)):
        _send_and_wait(client, foundation, [request for request in attempts if request.step == "credential"])


def send_and_observe(client: Client, foundation: SuiteApps, *groups: list[Request], retry: bool = True) -> bool:
    """Send each group of attempts; look at the list before the first and after each.

    Where events are gone after a group, it is sent `again`, some times: what is gone but once was perhaps purged by
    somebody else, or comes of an earlier one. Return whether there was nothing of that.
    """
    before = client.get(look.NEWEST_EVENTS, "look")
    is_reproducible = True
    for group in groups:
        after = _send_group(client, group)
        lost_events = retry and _has_fewer_events(before, after)
        for _ in range(MAX_RETRIES if lost_events else 0):
            before = _record_and_read_newest(client, foundation)
            after = _send_group(
                client, [replace(request, tags={**request.tags, RETRY_TAG: "yes"}) for request in group]
            )
            if _has_fewer_events(before, after):
                break
        is_reproducible = is_reproducible and not (lost_events and not _has_fewer_events(before, after))
        if _has_fewer_events(before, after) and foundation.record_event():  # there must be an event that no purge seeds
            after = client.get(look.NEWEST_EVENTS, "look")
        before = after
    return is_reproducible


def _send_and_wait(client: Client, foundation: SuiteApps, requests: list[Request]) -> None:
    """Send what is refused and wait, and wait after as many reads, by turns, while but the one loses anything."""
    time.sleep(WAIT_SECONDS)  # let go what is on its way
    rejected = [replace(request, step="later") for request in requests]
    reads_only = [Request("GET", f"{EVENTS_PATH}?per_page=1", "idle")] * len(rejected)
    for number in range(WAIT_ROUNDS):
        if _loses_events_later(client, foundation, f"idle {number}", reads_only):
            return
        if not _loses_events_later(client, foundation, f"later {number}", rejected):
            return


def _loses_events_later(client: Client, foundation: SuiteApps, name: str, group: list[Request]) -> bool:
    """Send a group and wait; return whether anything is gone then."""
    foundation.record_event()
    before = client.get(look.NEWEST_EVENTS, name)
    for request in group:
        client.send(request)
    time.sleep(WAIT_SECONDS)
    return _has_fewer_events(before, client.get(look.NEWEST_EVENTS, name))


def _send_group(client: Client, group: list[Request]) -> Exchange:
    for request in group:
        client.send(request)
    return client.get(look.NEWEST_EVENTS, "look")


def _record_and_read_newest(client: Client, foundation: SuiteApps) -> Exchange:
    """Look when there is an event that no purge seeds; or else in another second, when a purge would seed others."""
    if not foundation.record_event():
        time.sleep(WAIT_SECONDS)
    return client.get(look.NEWEST_EVENTS, "look")


def _has_fewer_events(before: Exchange, after: Exchange) -> bool:
    """Whether a look shows fewer events than the one before, on its page or altogether."""
    totals = [total_results(look) or 0 for look in (before, after)]
    return totals[1] < totals[0] or len(resources(after)) < len(resources(before))


def non_admin_credentials(client: Client) -> tuple[Credential, ...]:
    """Return every credential that is not an admin's; a token whose scope makes its user one is left out."""
    tokens = {role: client.tokens[role] for role in client.tokens if client.tokens.is_usable(role)}
    admins = {role for role, token in tokens.items() if ADMIN_SCOPE in (scopes(token) or ())}
    others = [client.credentials[role] for role in tokens if role not in {ADMIN, EXPIRED, *admins}]
    return (*invalid_credentials(tokens), *others)
