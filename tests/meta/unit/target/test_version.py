"""The versions that a target names, read without a token and without changing anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.build import build_settings
from purge_conformance.errors import TargetUnreachable
from purge_conformance.target.version import MAX_VERSIONS, read_versions

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer

ROOT = {"links": {"self": {"href": "http://t"}, "cloud_controller_v3": {"href": "/v3", "meta": {"version": "3.1.0"}}}}
INFO = {"build": "b7", "version": 2, "osbapi_version": "2.15", "cli_version": {"minimum": "8"}, "name": "n", "now": 17}


def versions_of(stub: StubServer, answers: dict[str, tuple[int, bytes]]) -> dict[str, str]:
    """Return the versions of a target with these answers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stub.respond(handler, *answers.get(handler.path, (404, b"{}")))

    stub.answer = answer
    return read_versions(build_settings({"target": stub.url, "patience": 0}, tokens={"admin": "secret-of-admin"}))


def test_versions_of_both_documents(stub_server: StubServer) -> None:
    """The versions in the root document and in /v3/info are found at any depth; nothing else counts."""
    answers = {"/": (200, json.dumps(ROOT).encode()), "/v3/info": (200, json.dumps(INFO).encode())}
    assert versions_of(stub_server, answers) == {
        "/ links.cloud_controller_v3.meta.version": "3.1.0",
        "/v3/info build": "b7",
        "/v3/info version": "2",
        "/v3/info osbapi_version": "2.15",
        "/v3/info cli_version.minimum": "8",
    }
    assert [line for line, _ in stub_server.received] == ["GET / HTTP/1.1", "GET /v3/info HTTP/1.1"]
    assert not any("Authorization" in headers for _, headers in stub_server.received)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"3", b'{"version": null, "build": {"a": []}}'])
def test_no_version(stub_server: StubServer, body: bytes) -> None:
    """A target may name no version, whatever it answers."""
    assert versions_of(stub_server, {"/": (200, body), "/v3/info": (200, body)}) == {}


def test_error_names_no_version(stub_server: StubServer) -> None:
    """A version in an error, as of a gateway during a deployment, is not that of the target."""
    body = json.dumps(INFO).encode()
    assert versions_of(stub_server, {"/": (404, body), "/v3/info": (200, b'{"version": 1}')}) == {
        "/v3/info version": "1"
    }


def test_hostile_document_is_bounded(stub_server: StubServer) -> None:
    """Of a document full of versions a bounded number of short ones is kept, each on one visible line."""
    document = {f"{number}_version": "\x1b[2J\n" + "x" * 500 for number in range(1_000)}
    found = versions_of(stub_server, {"/": (200, json.dumps(document).encode())})
    assert len(found) == MAX_VERSIONS
    assert all(value.isprintable() and len(value) < 200 for value in found.values())


def test_unreachable_target() -> None:
    """A target that accepts no connection does not respond."""
    with pytest.raises(TargetUnreachable):
        read_versions(build_settings({"target": "http://127.0.0.1:1", "patience": 0}, tokens={}))
