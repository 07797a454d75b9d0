"""The doctor probes an HTTP hook with a request that induces nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.hook import check_hook

if TYPE_CHECKING:
    from meta.support.stub import StubServer


@pytest.mark.parametrize("status", [200, 204, 501])
def test_http_hook_is_available(status: int, stub_server: StubServer, second_stub_server: StubServer) -> None:
    """A hook gets one request; a hook that does not support the state is available too."""
    second_stub_server.answer = lambda handler: second_stub_server.respond(handler, status, b"")
    assert str(check_hook(stub_server.url, second_stub_server.url).status) == "ok"
    assert [line.split()[0] for line, _ in second_stub_server.received] == ["POST"]


@pytest.mark.parametrize(("status", "body"), [(404, b"no such page"), (302, b""), (200, b"<html>")])
def test_other_service_is_a_problem(
    status: int, body: bytes, stub_server: StubServer, second_stub_server: StubServer
) -> None:
    """Another service at the address is a problem, with its response."""
    second_stub_server.answer = lambda handler: second_stub_server.respond(handler, status, body, Location="/")
    check = check_hook(stub_server.url, second_stub_server.url)
    assert (str(check.status), body.decode() in check.got, "spec/hook.md" in check.next_step) == ("problem", True, True)


def test_missing_hook_is_a_problem(stub_server: StubServer) -> None:
    """A hook that is missing is a problem with a next step."""
    check = check_hook(stub_server.url, "http://127.0.0.1:1/")
    assert (str(check.status), "gave no answer" in check.got, "Start it" in check.next_step) == ("problem", True, True)
    assert check.expected == "200, 204 or 501"
