"""The space and the droplet that the user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import Api
from meta.support.doctor import checks_by_name
from purge_conformance.config.apps import AppSettings

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer


@pytest.mark.parametrize(
    ("status", "headers", "body", "effects"),
    [
        (200, {}, b'{"state": "STAGED"}', ["ok", "ok"]),
        (404, {}, b"{}", ["refusal", "refusal"]),
        (404, {"X_Cf_Routererror": "unknown_route"}, b"{}", ["warning", "warning"]),
        (403, {}, b"{}", ["warning", "warning"]),
        (503, {}, b"{}", ["warning", "warning"]),
        (200, {}, b'{"state": "EXPIRED"}', ["ok", "refusal"]),
        (200, {}, b"[]", ["ok", "ok"]),
    ],
)
def test_only_a_404_of_the_api_refuses(
    status: int, headers: dict[str, str], body: bytes, effects: list[str], stub_server: StubServer
) -> None:
    """What the API does not find, or a droplet that is not staged, stops a run; other answers do not."""
    api = Api()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if "/v3/spaces/" in handler.path or "/v3/droplets/" in handler.path:
            stub_server.respond(handler, status, body, **headers)
        else:
            api(handler)

    stub_server.answer = answer
    checks = checks_by_name(stub_server.url, apps=AppSettings(space="one", droplet="two"))
    found = [checks["space"], checks["droplet"]]
    assert [str(check.status if check.status == "ok" else check.effect) for check in found] == effects


def test_not_found_in_passing_does_not_count(stub_server: StubServer) -> None:
    """A 404 is asked once more."""
    api, seen = Api(), []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/v3/spaces/one":
            seen.append(handler.path)
            stub_server.respond(handler, 404 if len(seen) == 1 else 200)
        else:
            api(handler)

    stub_server.answer = answer
    assert str(checks_by_name(stub_server.url, apps=AppSettings(space="one"))["space"].status) == "ok"


def test_guid_is_quoted(stub_server: StubServer) -> None:
    """A guid is one segment of the path, whatever it contains."""
    stub_server.answer = Api()
    checks_by_name(stub_server.url, apps=AppSettings(space="x/y?z"))
    assert "/v3/spaces/x%2Fy%3Fz" in stub_server.targets


def test_target_that_is_no_api_finds_nothing(stub_server: StubServer) -> None:
    """The 404 of a server that is not the API does not accuse the space."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 404)
    assert "space" not in checks_by_name(stub_server.url, apps=AppSettings(space="one"))
