"""Links that a response fills with guids of the target: only what reaches its operation is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, LIST_OPERATION, PURGE_OPERATION, PURGE_PATH
from purge_conformance.evidence.tag_values import CaseMode, GeneratedAuth
from purge_conformance.scenarios.generated import follow_links
from purge_conformance.scenarios.generated.schemathesis import Case
from purge_conformance.target.apps import suite_apps_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.scenarios.generated.schemathesis import Send


@pytest.mark.parametrize(
    ("operation", "path", "is_sent"),
    [
        (GET_OPERATION, f"{EVENTS_PATH}/a-guid", True),
        (GET_OPERATION, f"{EVENTS_PATH}/a%2Fb?x=..", True),
        (GET_OPERATION, f"{EVENTS_PATH}/..", False),
        (GET_OPERATION, f"{EVENTS_PATH}/..%2F..%2Fapps", False),
        (GET_OPERATION, "/v3/apps/x", False),
        (LIST_OPERATION, f"{EVENTS_PATH}?page=2", True),
        (LIST_OPERATION, "/v3/apps?page=2", False),
        (PURGE_OPERATION, f"{PURGE_PATH}/..", False),
    ],
)
def test_only_paths_of_the_operation_are_sent(
    operation: str, path: str, stub_server: StubServer, make_client: Callable[..., Client], *, is_sent: bool
) -> None:
    """A case whose path leaves its operation is not sent; the walk goes on without a response."""
    none = GeneratedAuth.NONE
    case = Case(operation, "stateful", CaseMode.POSITIVE, "a link", "GET", path, (), None, None, none)

    def walk(send: Send, _max_purges: int) -> None:
        assert (send(case) is not None) is is_sent

    client = make_client()
    follow_links(client, suite_apps_for(client), walk)
    assert stub_server.targets == ([path] if is_sent else [])
