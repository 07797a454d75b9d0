"""Repeats purges and rejected purges, to find intermittent failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import take_snapshot
from purge_conformance.evidence.steps import Phase, Place, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.scenarios.authorization import non_admin_credentials, send_and_observe
from purge_conformance.scenarios.observed_purge import purge_between_snapshots

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


def repeat_purges(client: Client, apps: SuiteApps, *, with_admin: bool = True) -> None:
    """Do N - 1 times, for --repeat N: record an event, purge twice, and try to purge without a valid admin token.

    The rejected purges carry no credential, and each valid token that is not an admin's. Without the admin, only these
    are sent.
    """
    others = [ANONYMOUS, *(who for who in non_admin_credentials(client) if who.kind is CredentialKind.VALID)]
    rejected = [[Request("POST", PURGE_PATH, Step.CREDENTIAL, who, tags={Tag.CREDENTIAL: who.kind})] for who in others]
    for number in range(1, client.settings.repeat):
        apps.record_event()
        if with_admin:
            _purge_twice(client, number)
            apps.record_event()
        send_and_observe(client, apps, *rejected, retry=False)


def _purge_twice(client: Client, number: int) -> None:
    purge_between_snapshots(client, Request("POST", PURGE_PATH, Place(Step.PURGE, number)))
    second = Place(Step.SECOND_PURGE, number)
    client.post(PURGE_PATH, second)
    take_snapshot(client, second.at(Phase.AFTER))
