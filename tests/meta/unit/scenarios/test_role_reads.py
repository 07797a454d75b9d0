"""Lists in the roles that may not get events: which queries each role sends, and in turn."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from meta.support.client import recorded_evidence
from purge_conformance.client.auth.credentials import for_role
from purge_conformance.evidence.steps import Step
from purge_conformance.scenarios.role_reads import MAX_LISTS, read_as_roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

FILTERS = {"guids", "after_guid", "created_ats[lte]", "order_by"}


@pytest.mark.parametrize(("roles", "per_query"), [(1, 1), (4, 4), (9, 4)])
def test_roles_take_turns(
    roles: int, per_query: int, stub_server: StubServer, builder: EvidenceBuilder, make_client: Callable[..., Client]
) -> None:
    """Each role sends the query with all filters; each other query is sent by several roles if there are many."""
    page = {"pagination": {"total_results": 3, "next": None}, "resources": [builder.event("b", "a")]}
    stub_server.answer = lambda handler: stub_server.respond(handler, body=json.dumps(page).encode())
    client = make_client()
    names = [f"role{number}" for number in range(roles)]
    first = {**builder.event("a", "a"), "created_at": "2026-07-01T12:00:00Z"}
    read_as_roles(client, [for_role(name, f"token-of-{name}") for name in names], first, total=3)
    lists = [x for x in recorded_evidence(client).exchanges if x.step is Step.FILTERED_LIST]
    assert len(lists) <= MAX_LISTS
    assert [x.role for x in lists if FILTERS.issubset(x.query)] == names
    sent = Counter(tuple(x.query) for x in lists if not FILTERS.issubset(x.query))
    assert {("created_ats",), ("order_by",), ("guids",), ("per_page", "page"), ()} <= sent.keys()
    assert min(sent.values()) >= min(per_query, roles)
