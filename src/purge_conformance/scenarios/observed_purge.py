"""A purge whose effects are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import event_path, is_usable_guid
from purge_conformance.client.pagination import take_snapshot
from purge_conformance.evidence.steps import Phase, Place, Step

if TYPE_CHECKING:
    from purge_conformance.client.client import Client, Request
    from purge_conformance.evidence.records import Exchange


def purge_between_snapshots(client: Client, purge: Request) -> Exchange:
    """Send a purge between two snapshots; then get one of the events that it destroyed."""
    with client.span(purge.place) as place:
        before = take_snapshot(client, place.at(Phase.BEFORE))
        response = client.send(purge)
        after = take_snapshot(client, place.at(Phase.AFTER))
    for guid in [guid for guid in before.by_guid if guid not in after.by_guid and is_usable_guid(guid)][-1:]:
        client.get(event_path(guid), Place(Step.GET_DESTROYED, place.index))
    return response
