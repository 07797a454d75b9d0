"""The client sends each request unchanged, over a connection that fits, and records it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS, GARBAGE, Credential
from purge_conformance.client.client import Request
from purge_conformance.errors import PurgeBlocked
from purge_conformance.evidence.steps import Step
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


@pytest.mark.parametrize(
    "path",
    [
        "/v3/a//b",
        "/v3/a/../b",
        "/v3/a/./b",
        "/v3/%2E%2E/b",
        "/v3/a%2Fb?x=%00&y=%FF",
        "/v3/a;b=c?x='$!*(1)&x=2&y",
        "//v3/a",
    ],
)
def test_path_is_sent_unchanged(path: str, make_client: Connect, stub_server: StubServer) -> None:
    """A path reaches the target and the evidence as the scenario wrote it."""
    assert make_client().get(path, Step.LIST).path == path
    assert stub_server.targets == [path]


def test_request_is_recorded(make_client: Connect, stub_server: StubServer) -> None:
    """The exchange contains request and response, with the headers in order and repeated headers."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 201, b"\xff", X_One="1", x_one="2")
    found = make_client().post("/v3/apps", Step.CREATE, data={"name": "ü"})
    assert (found.n, found.status, found.body, found.method, found.role) == (1, 201, b"\xff", "POST", "admin")
    assert [value for key, value in found.response_headers if key.lower() == "x-one"] == ["1", "2"]
    assert found.request_body == '{"name": "\\u00fc"}'
    assert dict(found.request_headers)["Content-Type"] == "application/json"
    assert found.elapsed > 0


@pytest.mark.parametrize(
    ("who", "sent"),
    [
        (None, "bearer an-opaque-secret"),
        (ANONYMOUS, None),
        (Credential("empty", "", "", CredentialKind.NONE), ""),
        (Credential("basic", "Basic YTph", "Basic YTph"), "Basic YTph"),
    ],
)
def test_credential_is_sent(
    who: Credential | None, sent: str | None, make_client: Connect, stub_server: StubServer
) -> None:
    """Each request carries its credential, which may be empty, or none."""
    make_client().get("/v3", Step.V3_ROOT, credential=who)
    assert stub_server.received[0][1].get("Authorization") == sent


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, {"Content-Length": "0"}),
        ({"Content-Length": None}, {}),
        ({"Transfer-Encoding": "chunked"}, {"Transfer-Encoding": "chunked"}),
    ],
)
def test_post_without_body(
    headers: dict[str, str | None], sent: dict[str, str], make_client: Connect, stub_server: StubServer
) -> None:
    """It has a Content-Length of 0, or none at all, or the end of a chunked body; the next request is answered, too."""
    client, framing = make_client(), {"Content-Length", "Transfer-Encoding"}
    rests: list[bytes] = []

    def read_all(handler: BaseHTTPRequestHandler) -> None:
        rests.append(handler.rfile.read(5) if "Transfer-Encoding" in handler.headers else b"")
        stub_server.respond(handler, body=b"{}")

    stub_server.answer = read_all
    found = client.send(Request("POST", "/v3/apps", Step.CREATE, headers=headers))
    assert {name: value for name, value in stub_server.received[0][1].items() if name in framing} == sent
    assert {name: value for name, value in found.request_headers if name in framing} == sent
    assert rests == [b"0\r\n\r\n" if "Transfer-Encoding" in sent else b""]
    assert client.get("/v3", Step.V3_ROOT).status == HTTPStatus.OK


def test_upgraded_connection_is_not_used_again(make_client: Connect, stub_server: StubServer) -> None:
    """After a request with Upgrade, which a server may take for the last one in HTTP/1.1, there is a new connection."""
    client, peers = make_client(), []

    def note(handler: BaseHTTPRequestHandler) -> None:
        peers.append(handler.client_address)
        stub_server.respond(handler, body=b"{}")

    stub_server.answer = note
    client.send(Request("POST", PURGE_PATH, Step.PURGE, headers={"Connection": "Upgrade", "Upgrade": "h2"}))
    client.get("/v3", Step.V3_ROOT)
    client.get("/v3", Step.V3_ROOT)
    assert len(set(peers)) == 2
    assert peers[1] == peers[2]


@pytest.mark.parametrize("proxied", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_environment_is_ignored(
    proxied: str, make_client: Connect, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No .netrc, proxy or certificate bundle of the environment affects a request."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    monkeypatch.setenv(proxied, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert make_client().get("/v3", Step.V3_ROOT, credential=ANONYMOUS).status == 200
    assert "Authorization" not in stub_server.received[0][1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int, make_client: Connect, stub_server: StubServer) -> None:
    """A redirect is a response like any other: a purge is never sent to a host without consent."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, status, b"moved", Location=f"{stub_server.url}/elsewhere"
    )
    found = make_client().post(PURGE_PATH, Step.PURGE)
    assert (found.status, found.text) == (status, "moved")
    assert len(stub_server.received) == 1


def test_cookies_are_returned(make_client: Connect, stub_server: StubServer) -> None:
    """A cookie is returned to its server, as load balancers demand; the evidence contains no value of it."""
    stub_server.answer = lambda handler: stub_server.respond(handler, Set_Cookie="__VCAP_ID__=0; Path=/; HttpOnly")
    client = make_client()
    found = [client.get("/v3", Step.V3_ROOT) for _ in range(2)]
    assert [dict(x.request_headers).get("Cookie") for x in found] == [None, "__VCAP_ID__=$COOKIE"]
    assert {x.header("Set-Cookie") for x in found} == {"__VCAP_ID__=$COOKIE; Path=/; HttpOnly"}
    assert [headers.get("Cookie") for _, headers in stub_server.received] == [None, "__VCAP_ID__=0"]


def test_cookies_are_separated_by_token(make_client: Connect, stub_server: StubServer) -> None:
    """A cookie is never sent with a token other than that of the response that set it."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, Set_Cookie=f"session={len(stub_server.received)}; Path=/"
    )
    client = make_client()
    for who in (None, ANONYMOUS, None, ANONYMOUS):
        client.get("/v3", Step.V3_ROOT, credential=who)
    assert [headers.get("Cookie") for _, headers in stub_server.received] == [None, None, "session=1", "session=2"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_changes_use_new_connections(method: str, make_client: Connect, stub_server: StubServer) -> None:
    """A request that may change something never uses a persistent connection, which may close at that moment."""
    served: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        served.append(handler.client_address[1])
        stub_server.respond(handler)

    stub_server.answer = answer
    client = make_client()
    for each in ("GET", method, "GET", method):
        client.send(Request(each, "/v3", Step.V3_ROOT))
    assert [served[n] == served[n - 1] for n in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("name", ["Upgrade", "expect"])
def test_request_that_unsettles_its_connection_is_its_last(
    name: str, make_client: Connect, stub_server: StubServer
) -> None:
    """A server may answer such a request before it has read its body: the next one does not use the connection."""
    served: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        served.append(handler.client_address[1])
        stub_server.respond(handler)

    stub_server.answer = answer
    client = make_client()
    client.send(Request("POST", "/v3", Step.V3_ROOT, headers={name: "something"}))
    client.get("/v3", Step.V3_ROOT)
    client.get("/v3", Step.V3_ROOT)
    assert [served[n] == served[n - 1] for n in (1, 2)] == [False, True]


def test_blocked_request_is_not_sent(make_client: Connect, stub_server: StubServer) -> None:
    """A request that the guard blocks does not reach the target, and is no exchange."""
    client = make_client(max_purges=0)
    with pytest.raises(PurgeBlocked):
        client.post(PURGE_PATH, Step.PURGE)
    assert (stub_server.received, client.recorded(Step.PURGE)) == ([], ())


def test_observer_receives_every_exchange(make_client: Connect) -> None:
    """The observer receives every exchange after it is recorded."""
    observed: list[tuple[int, int]] = []
    client = make_client(on_send=lambda client, x: observed.append((x.n, len(client.recorded(Step.V3_ROOT)))))
    client.get("/v3", Step.V3_ROOT)
    client.get("/v3", Step.V3_ROOT)
    assert observed == [(1, 1), (2, 2)]


def test_two_credentials_are_two_lines(make_client: Connect, stub_server: StubServer) -> None:
    """A second credential is a second Authorization header, in this order; the evidence has both, redacted."""
    client = make_client(tokens={"admin": "x", "org_user": "the-secret-of-a-user"})
    who = replace(GARBAGE, second=client.credentials["org_user"])
    exchange = client.send(Request("POST", PURGE_PATH, Step.TWO_CREDENTIALS, who))
    assert stub_server.received[-1][1]["Authorization"] == "bearer garbage, bearer the-secret-of-a-user"
    sent = [value for name, value in exchange.request_headers if name == "Authorization"]
    assert sent == ["bearer garbage", "bearer $ORG_USER_TOKEN"]
    client.get("/v3", Step.V3_ROOT)
    assert stub_server.received[-1][1]["Authorization"] == "bearer x"
