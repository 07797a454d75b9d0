"""The fingerprint: a foundation that was not pinned is not purged, and is not shown the token."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer

OTHER = "0" * 64


def links(**more: object) -> bytes:
    """Return a root document."""
    return json.dumps({"links": {"self": {"href": "http://api"}, "uaa": None, **more}}).encode()


def test_upgrade_keeps_fingerprint(builder: EvidenceBuilder) -> None:
    """What else a link tells, and the order of the links, changes nothing; another address does."""
    first = fingerprint_of(
        builder.add_exchange("s", "root", body=links(v3={"href": "http://api/v3", "meta": {"version": "3.1.0"}}))
    )
    later = {"links": {"v3": {"href": "http://api/v3", "meta": {}}, "uaa": None, "self": {"href": "http://api"}}}
    assert first == fingerprint_of(builder.add_exchange("s", "root", data=later))
    assert first != fingerprint_of(builder.add_exchange("s", "root", body=links(v3={"href": "http://elsewhere/v3"})))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"links": {}}', b'{"links": []}', b"<html>"])
def test_no_links_are_no_fingerprint(body: bytes, builder: EvidenceBuilder) -> None:
    """An answer without links has no fingerprint."""
    assert fingerprint_of(builder.add_exchange("s", "root", body=body)) is None


@pytest.mark.parametrize("body", [links(), b"<html>"])
def test_stranger_is_not_purged(
    body: bytes, command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """A target that is not the pinned one ends the run with 2: it got one request, without a token, and no folder."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    out = tmp_path / "out"
    environment = os.environ | {"ADMIN_SECRET": "an-opaque-secret", "PURGE_CONFORMANCE_FINGERPRINT": OTHER}
    done = command("run", stub_server.url, "--token=admin=env:ADMIN_SECRET", "--out", out, folder=out, env=environment)
    assert (done.code, out.exists(), [line for line, _ in stub_server.received]) == (2, False, ["GET / HTTP/1.1"])
    assert "Authorization" not in stub_server.received[0][1]
    assert "got" in done.stderr
    assert f"expected {OTHER}" in done.stderr


def test_pinned_target_is_judged(
    command: Callable[..., CommandResult], stub_server: StubServer, builder: EvidenceBuilder, tmp_path: Path
) -> None:
    """The target that was pinned is judged, by the command and by plain pytest."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=links())
    pinned = fingerprint_of(builder.add_exchange("s", "root", body=links()))
    done = command(
        *(
            "run",
            stub_server.url,
            "--token=admin=env:ADMIN_SECRET",
            f"--fingerprint={pinned}",
            "--out",
            tmp_path / "out",
        ),
        folder=tmp_path / "out",
        env=os.environ | {"ADMIN_SECRET": "an-opaque-secret"},
    )
    assert (done.code, done.report["verdict"]) == (3, "inconclusive")  # it is no API, but it was asked
