"""A response to a creation that names a resource of others: it is neither changed nor deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.evidence.listing import RUN_LABEL
from purge_conformance.target.apps.resources import ResourceManager
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

OTHERS: dict[str, Any] = {"guid": "others", "name": "shop", "metadata": {"labels": {}}}
LABELLED: dict[str, Any] = {**OTHERS, "metadata": {"labels": {RUN_LABEL: "another-run"}}}


def answer_with(stub_server: StubServer, guid: object, row: dict[str, Any]) -> None:
    """Answer each creation with this guid and each read of one resource with this row; lists are empty."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        page = {"pagination": {"total_results": 0}, "resources": []}
        is_list = handler.command == "GET" and "?" in handler.path
        data = page if is_list else {"guid": guid} if handler.command == "POST" else row
        stub_server.respond(handler, 201 if handler.command == "POST" else 200, json.dumps(data).encode())

    stub_server.answer = answer


@pytest.mark.parametrize(
    ("guid", "row"),
    [
        ("others", OTHERS),
        ("others", LABELLED),
        ("others", {}),
        ("../../v3/organizations/x", OTHERS),
        ("..", OTHERS),
        (7, OTHERS),
    ],
)
def test_resource_of_others_is_left_alone(
    guid: object, row: dict[str, Any], stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """Neither a change nor a deletion is sent for what the response names, and no path leaves the collection."""
    answer_with(stub_server, guid, row)
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    suite_apps.delete_apps()
    assert not suite_apps.apps
    assert "named nothing that can be read and is this run's" in suite_apps.error
    lines = [line for line, _ in stub_server.received]
    assert [line for line in lines if not line.startswith("GET ")] == ["POST /v3/organizations HTTP/1.1"]
    assert not [line for line in lines if ".." in line]


def test_own_resource_is_known_by_its_label(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A resource with the label of the run is its own whatever its name; it is deleted by its quoted guid."""
    resources = ResourceManager(make_client())
    row = {"name": "renamed", "metadata": {"labels": {RUN_LABEL: resources.run}}}
    answer_with(stub_server, "a/b", row)
    assert resources.create("/v3/apps", "name")[1] == "a/b"
    assert resources.remove_all() == []
    assert stub_server.received[-1][0] == "DELETE /v3/apps/a%2Fb HTTP/1.1"
