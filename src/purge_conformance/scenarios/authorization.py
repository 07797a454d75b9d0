"""Reads with every credential, and purges that must be rejected: credentials, other methods and unknown routes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.client.auth.close_tokens import close_credentials, forge_token, other_scheme_credentials
from purge_conformance.client.auth.credentials import ANONYMOUS, SCHEME, invalid_credentials
from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import NEWEST_EVENTS
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, EXPIRED, READ_ONLY_ROLES
from purge_conformance.evidence.intermediaries import is_of_target
from purge_conformance.evidence.listing import resources, total_results, usable_rows
from purge_conformance.evidence.records import numbers
from purge_conformance.evidence.steps import WAITS, YES, App, Phase, Place, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.scenarios.role_reads import read_as_roles
from purge_conformance.target.doctor.probe import NEWEST_EVENT, ONE_EVENT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

WAIT_SECONDS = 1.0
MAX_RETRIES = 4  # of an attempt after which events are gone
RESERVED = 20  # requests without credentials that later scenarios send
CONFIRMATIONS = 2  # repetitions of the first such attempt after which events must be gone, too
OTHER_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
CLOSE_READS = {"altered-middle", "cut-end", "extended", "other-case", "scheme-basic", "glued-scheme"}  # of credentials
WRITE_METHODS = ("PUT", "PATCH", "POST")
UNKNOWN_GUID: UUID = UUID("00000000-0000-4000-8000-7075726765aa")  # version 4, like a guid of the target
UNKNOWN_ROUTES = (
    ("GET", f"{EVENTS_PATH}/actions/no_such_action"),
    ("POST", f"{EVENTS_PATH}/actions/no_such_action"),
    ("POST", f"{PURGE_PATH}/no_such_route"),
    ("GET", f"{EVENTS_PATH}/{UNKNOWN_GUID}/no_such_route"),
)
UNUSUAL_HEADERS = (  # and how the scheme of the credential is written, whose letters may be of either case
    (Step.LIST, "Bearer", {"Accept": "text/html"}),
    (Step.LIST, "BEARER", {"Range": "bytes=0-99"}),
    (Step.LIST, SCHEME, {"If-None-Match": '"purge-conformance"'}),
    (Step.GET, "Bearer", {"If-Modified-Since": "Wed, 01 Jul 2026 12:00:00 GMT"}),
    (Step.GET, "BEARER", {"Content-Type": "application/x-no-such-type"}),
)


class AttemptRecorder:
    """Reads the newest page before and after attempts, and records a span for each step between two such pages.

    If the target does not answer the request for a page, the next page ends the span.

    Attributes:
        page: the last page.
    """

    def __init__(self, client: Client) -> None:
        """Read the page before the first attempt."""
        self._client = client
        self._before: tuple[int, ...] = ()
        self._sent: list[Exchange] = []
        self.page = self.read()

    def send(self, requests: Iterable[Request]) -> Exchange:
        """Send attempts, read the page after them, and return it.

        Attempts without credentials are left out once the run has sent as many as it may.
        """
        for request in (each for each in requests if self._client.may_send(each.credential)):
            self._sent.append(self._client.send(request))
        return self.read()

    def read(self) -> Exchange:
        """Read the newest page, record the spans since the last page, and return it."""
        self.page = self._client.get(NEWEST_EVENTS, Step.NEWEST_PAGE)
        if is_of_target(self.page):
            self.record_spans((self.page.n,))
            self._before, self._sent = (self.page.n,), []
        return self.page

    def record_spans(self, after: tuple[int, ...] = ()) -> None:
        """Record a span for each step that was sent since the last page; `after` is the number of the next page."""
        for place in dict.fromkeys(x.place for x in self._sent):
            self._client.record_span(place, self._before, numbers(x for x in self._sent if x.place == place), after)


def read_as_everyone(client: Client, apps: SuiteApps) -> None:
    """List, and get an existing event, with every credential; as the admin also with an unknown guid, other headers."""
    page = client.get(ONE_EVENT_PATH, Step.LIST)
    rows = usable_rows(resources(page))
    paths = {Step.LIST: ONE_EVENT_PATH}
    if rows:
        paths[Step.GET] = event_path(rows[0]["guid"])
        client.get(paths[Step.GET], Step.GET)
    credentials = non_admin_credentials(client)
    for credential in credentials:
        for step, path in paths.items():
            client.send(Request("GET", path, step, credential, tags={Tag.CREDENTIAL: credential.kind}))
    _read_with_close_tokens(client, paths)
    roles = [who for who in credentials if who.kind is CredentialKind.VALID and who.role not in READ_ONLY_ROLES]
    for row in rows[:1]:
        read_as_roles(client, roles, row, total=total_results(page) or 0)
    stopped_app = apps.apps.get(App.STOPPED_WITHOUT_INSTANCES)  # a purge seeds no event for a stopped app
    for guid in filter(None, (str(UNKNOWN_GUID), stopped_app)):
        client.get(event_path(guid), Step.GET_UNKNOWN)
    for step, scheme, headers in UNUSUAL_HEADERS:
        if step in paths:
            client.send(Request("GET", paths[step], Step.OTHER_HEADERS, headers=headers, scheme=scheme))


def _read_with_close_tokens(client: Client, paths: Mapping[Step, str]) -> None:
    """Read with tokens close to the admin's, with that token under other schemes, and with a forged one in a query."""
    tokens = {role: client.tokens[role] for role in client.tokens if client.tokens.is_usable(role)}
    credentials = [
        *((Step.CLOSE_TOKEN, who) for who in close_credentials(tokens) if who.role in CLOSE_READS),
        *((Step.OTHER_SCHEME, who) for who in other_scheme_credentials(tokens) if who.role in CLOSE_READS),
    ]
    forged = urlencode({"access_token": forge_token(), "token": forge_token("none", "")})
    for path in paths.values():
        for step, credential in credentials:
            client.send(Request("GET", path, step, credential, tags={Tag.CREDENTIAL: credential.kind}))
        query = f"{path}{'&' if '?' in path else '?'}{forged}"
        client.send(Request("GET", query, Step.FORGED_TOKEN, ANONYMOUS, tags={Tag.CREDENTIAL: ANONYMOUS.kind}))


def send_rejected_purges(client: Client, apps: SuiteApps) -> None:
    """Send each request that must not purge, between two pages of the newest events.

    If no attempt destroyed events only once, wait for delayed effects of the purges with other credentials.
    """
    apps.record_event()
    newest = usable_rows(resources(client.get(NEWEST_EVENT, Step.NEWEST_EVENT)))
    credentials = [
        Request("POST", PURGE_PATH, Step.CREDENTIAL, who, tags={Tag.CREDENTIAL: who.kind})
        for who in non_admin_credentials(client)
    ]
    others = [
        *(Request(method, PURGE_PATH, Step.METHOD) for method in OTHER_METHODS),
        *(Request(method, EVENTS_PATH, Step.METHOD) for method in ("DELETE", *WRITE_METHODS)),
        *(Request(method, f"{EVENTS_PATH}/actions", Step.METHOD) for method in ("DELETE", "POST")),
        *(
            Request(method, event_path(row["guid"]), Step.METHOD)
            for row in newest
            for method in ("POST", "PUT", "PATCH", "DELETE")
        ),
        *(Request(method, path, Step.UNKNOWN_ROUTE) for method, path in UNKNOWN_ROUTES),
    ]
    if not send_and_observe(client, apps, *([request] for request in [*credentials, *others])):
        _wait_for_delayed_effects(client, apps, credentials)


def send_and_observe(
    client: Client,
    apps: SuiteApps,
    *groups: list[Request],
    retry: bool = True,
    recorder: AttemptRecorder | None = None,
) -> bool:
    """Send each group of attempts between two pages; return whether no attempt destroyed events only once.

    A group after which events are gone is sent again, at most `MAX_RETRIES` times: events that are gone only once may
    have been destroyed by another client, or by an earlier attempt. The recorder sends the attempts; by default it
    sends them one after the other.
    """
    recorder = recorder or AttemptRecorder(client)
    try:
        return all([*_observe_groups(recorder, apps, groups, retry=retry)])  # a list: every group is sent
    finally:
        recorder.record_spans()


def _observe_groups(
    recorder: AttemptRecorder, apps: SuiteApps, groups: Iterable[list[Request]], *, retry: bool
) -> Iterator[bool]:
    """Send each group; yield whether it destroyed nothing, or destroyed events again when it was sent again.

    The first group that destroys events is sent again until it did so twice more: other clients may purge at the same
    moments. After that, one repetition is enough.
    """
    needed = CONFIRMATIONS
    for group in groups:
        before, after = recorder.page, recorder.send(group)
        is_lossy = _has_fewer_events(before, after)
        is_confirmed = retry and is_lossy and _confirm(recorder, apps, group, needed)
        needed = 1 if is_confirmed else needed
        yield is_confirmed or not (retry and is_lossy)
        is_emptied = is_confirmed or (is_lossy and not retry)
        if is_emptied and apps.record_event():  # the next attempt needs an event to destroy
            recorder.read()


def _confirm(recorder: AttemptRecorder, apps: SuiteApps, group: list[Request], needed: int) -> bool:
    """Send a group again, until events are gone after that many repetitions; return whether they were."""
    repeated = [replace(request, tags={**request.tags, Tag.REPEATED: YES}) for request in group]
    losses = 0
    for _ in range(MAX_RETRIES):
        if not apps.record_event():
            time.sleep(WAIT_SECONDS)  # in another second, a purge seeds events with another time
        before = recorder.read()
        losses += _has_fewer_events(before, recorder.send(repeated))
        if losses == needed:
            return True
    return False


def _wait_for_delayed_effects(client: Client, apps: SuiteApps, rejected: list[Request]) -> None:
    """Alternate waits after reads and waits after rejected purges, while only the latter lose events."""
    time.sleep(WAIT_SECONDS)  # for effects of earlier requests
    reads = [Request("GET", ONE_EVENT_PATH, Step.WAIT_AFTER_READS)] * len(rejected)
    for index in range(WAITS):
        if _loses_events(client, apps, Place(Step.WAIT_AFTER_READS, index), reads):
            return
        if not _loses_events(client, apps, Place(Step.WAIT_AFTER_REJECTED, index), rejected):
            return


def _loses_events(client: Client, apps: SuiteApps, where: Place, group: list[Request]) -> bool:
    """Send a group and wait; return whether events are gone then."""
    apps.record_event()
    with client.span(where) as place:
        before = client.get(NEWEST_EVENTS, place.at(Phase.BEFORE))
        for request in (each for each in group if client.may_send(each.credential, RESERVED)):
            client.send(replace(request, where=place))
        time.sleep(WAIT_SECONDS)
        after = client.get(NEWEST_EVENTS, place.at(Phase.AFTER))
    return _has_fewer_events(before, after)


def _has_fewer_events(before: Exchange, after: Exchange) -> bool:
    """Whether a page shows fewer events than the one before, in its rows or in its total."""
    totals = [total_results(page) or 0 for page in (before, after)]
    return totals[1] < totals[0] or len(resources(after)) < len(resources(before))


def non_admin_credentials(client: Client) -> tuple[Credential, ...]:
    """Return every credential that is not an admin's; a token with the admin's scope is left out."""
    tokens = {role: client.tokens[role] for role in client.tokens if client.tokens.is_usable(role)}
    admins = {role for role, token in tokens.items() if ADMIN_SCOPE in (scopes(token) or ())}
    others = [client.credentials[role] for role in tokens if role not in {ADMIN, EXPIRED, *admins}]
    return (*invalid_credentials(tokens), *others)
