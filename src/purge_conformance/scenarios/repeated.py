"""The same again and again, for what goes wrong now and then: a purge that is watched, and purges that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import ANONYMOUS
from purge_conformance.scenarios import authorization as access
from purge_conformance.scenarios import purge as purging

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


def repeat_purges(client: Client, foundation: SuiteApps) -> None:
    """Purge as often as was asked for beyond the first time, with an ordinary event there to be destroyed, and again.

    After that, one is tried as nobody and one with each token that is valid and no admin's; each must be refused.
    """
    others = [ANONYMOUS, *(who for who in access.non_admin_credentials(client) if who.kind == "valid")]
    rejected = [[Request("POST", PURGE_PATH, "credential", who, tags={"credential": who.kind})] for who in others]
    for number in range(1, client.settings.repeat):
        foundation.record_event()
        purging.purge_between_snapshots(client, Request("POST", PURGE_PATH, f"{number}.purge"), f"{number}.")
        client.post(PURGE_PATH, f"{number}.again")
        look.take_snapshot(client, f"{number}.again.after")
        foundation.record_event()
        access.send_and_observe(client, foundation, *rejected, retry=False)
