"""Requests that must be rejected, while requests of the admin are in progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS, GARBAGE
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import read_pages
from purge_conformance.config.roles import READ_ONLY_ROLES
from purge_conformance.evidence.intermediaries import is_of_target
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.scenarios.authorization import AttemptRecorder, non_admin_credentials, send_and_observe
from purge_conformance.target.doctor.probe import ONE_EVENT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

READERS, MAX_READS = 2, 8  # threads of the admin, and lists of each, while the others' requests are in progress
DELAY, MAX_PURGE_SECONDS = 0.2, 1.0  # part of the duration of a purge; longest one that counts
ROLES = 2  # without the admin scope, beside reads, with an invalid token; requests without one are limited
REJECTED_KINDS = {CredentialKind.EXPIRED, CredentialKind.INVALID}
STEP = Step.CONCURRENT_CREDENTIAL


class ReadsBeside(AttemptRecorder):
    """Sends the attempts of a group one after the other, while the admin reads the list in two other threads."""

    def send(self, requests: Iterable[Request]) -> Exchange:
        """Send attempts and reads, read the page after them, and return it."""
        pending = [True]
        readers = [_reads(pending) for _ in range(READERS)]
        done = self._client.send_concurrently(_until_done(requests, pending), *readers)
        self._sent += [x for x in done if x.place.step is STEP and is_of_target(x)]
        return self.read()


def send_beside_reads(client: Client, apps: SuiteApps) -> None:
    """Purge in other roles and with invalid tokens, and list so, while the admin reads the list.

    The whole list is read before: it shows what earlier attempts destroy later. A role that may not get events lists
    once more when no other request is in progress.
    """
    read_pages(client, EVENTS_PATH, Step.CLOSING)
    apps.record_event()
    others = _others(client)
    roles = [who for who in others if who.kind is CredentialKind.VALID]
    restricted = [who for who in roles if who.role not in READ_ONLY_ROLES]
    lists = [_list(who) for who in restricted[:1]]
    for request in lists:
        client.send(request)
    with_role = dict.fromkeys((*restricted[:1], *roles[:ROLES]))
    purges = [*[*with_role][:ROLES], *(who for who in others if who.kind is CredentialKind.EXPIRED), GARBAGE]
    requests = [_list(GARBAGE), *lists, *map(_purge, purges), *lists, _list(GARBAGE)]
    send_and_observe(client, apps, requests, recorder=ReadsBeside(client))


def rejected_purges(client: Client, index: int, of: int, *, is_late: bool = False) -> Iterator[Request]:
    """Yield the purges to send during the admin's purges: in roles, or with an expired or altered token, and in none.

    They come at the same time as the admin's; or, `is_late`, after a part of the duration of the first purge: a target
    that admits one purge at a time then admits one of the admin's. Only then one without a token comes first, as few
    requests without credentials may be sent.

    Args:
        client: that of the run.
        index: of the place: 0 beside a single purge, or the number of a round. Each has other credentials.
        of: to how many places the credentials are distributed.
        is_late: as above.
    """
    *others, invalid = _others(client)
    if is_late:
        earlier = client.recorded(Step.PURGE, Scenario.PURGE)
        time.sleep(DELAY * min([MAX_PURGE_SECONDS, *(x.elapsed for x in earlier)]))
    first = [ANONYMOUS] if is_late and client.may_send(ANONYMOUS) else []
    for who in (*first, *others[index % of :: of], invalid):
        yield _purge(who, index)


def _others(client: Client) -> list[Credential]:
    """Return the credentials of roles without the admin scope, an expired and an altered token, and an invalid one."""
    others = non_admin_credentials(client)
    rejected = {who.kind: who for who in others if who.kind in REJECTED_KINDS}
    return [*(who for who in others if who.kind is CredentialKind.VALID), *rejected.values(), GARBAGE]


def _list(who: Credential) -> Request:
    return Request("GET", ONE_EVENT_PATH, STEP, who, tags={Tag.CREDENTIAL: who.kind})


def _purge(who: Credential, index: int | None = None) -> Request:
    return Request("POST", PURGE_PATH, Place(STEP, index), who, tags={Tag.CREDENTIAL: who.kind})


def _until_done(requests: Iterable[Request], pending: list[bool]) -> Iterator[Request]:
    """Send requests one after the other; after the last response, empty `pending`."""
    yield from requests
    pending.clear()


def _reads(pending: list[bool]) -> Iterator[Request]:
    """Read the list repeatedly while an attempt is pending."""
    for _ in range(MAX_READS):
        yield Request("GET", ONE_EVENT_PATH, Step.CONCURRENT_READ)
        if not pending:
            break
