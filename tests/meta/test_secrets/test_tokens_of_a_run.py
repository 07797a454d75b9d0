"""No token, and no part of one, stands in anything that a run leaves or shows."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.client import Request
from purge_conformance.client.credentials import invalid_credentials
from purge_conformance.errors import TargetUnreachable

from .conftest import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]

SIGNATURE = "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PAYLOAD = "eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{SIGNATURE}"
PARTS = (PAYLOAD, SIGNATURE, SIGNATURE[::-1])


def secrets_of(token: str) -> set[str]:
    """Return what of a token must not be seen: its payload and its signature, either way round; or the whole."""
    parts = token.split(".")[1:] or [token]
    return {*parts, *(part[::-1] for part in parts)}


def echo(handler: BaseHTTPRequestHandler) -> None:
    """Answer with what was sent as Authorization, in header and body, in several ways."""
    sent = handler.headers.get("Authorization") or ""
    body = f'{{"resources": [{{"guid": "{sent}"}}], "you": "{sent.upper()} {sent}", "bare": "{sent[7:]}"}}'.encode()
    handler.send_response(200)
    for name, value in {"X-You": sent, "Location": f"/?t={sent[7:]}", "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("role", ["admin", "global_auditor", "expired", "space_developer"])
def test_folder_holds_no_token(role: str, full_run: FullRun) -> None:
    """No file of a run holds a token, its payload or its signature."""
    for path in full_run.folder.rglob("*"):
        text = unpacked(path)
        assert [path.name for secret in secrets_of(full_run.tokens[role]) if secret in text] == []


def test_output_holds_no_token(full_run: FullRun) -> None:
    """Nothing that a run prints holds one either, with --verbose too."""
    shown = full_run.stdout + full_run.stderr
    assert [role for role, token in full_run.tokens.items() for secret in secrets_of(token) if secret in shown] == []


def test_evidence_names_variables(full_run: FullRun) -> None:
    """In their place stand the variables, by role."""
    shown = {value for x in full_run.evidence.exchanges for name, value in x.request_headers if name == "Authorization"}
    assert {"bearer $ADMIN_TOKEN", "bearer $GLOBAL_AUDITOR_TOKEN", "bearer $EXPIRED_TOKEN"} <= shown


@pytest.mark.parametrize("who", invalid_credentials({"admin": TOKEN}), ids=lambda who: who.role)
def test_echo_is_redacted(who: object, make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """A server that sends Authorization back, in header and body, gives nothing away, whichever variation was tried."""
    stub_server.answer = echo
    make_client(tokens={"admin": TOKEN}).send(Request("GET", "/v3", "s", who))  # type: ignore[arg-type] # a credential
    text = (tmp_path / "client-0" / "evidence.jsonl").read_text(encoding="utf-8")
    assert [part for part in PARTS if part in text] == []


def test_echo_of_run_is_redacted(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A run against a server that echoes leaves no secret in any file or line, though it takes it all for answers."""
    stub_server.answer = echo
    done = command(
        *("run", stub_server.url, "--token=admin=env:ADMIN_SECRET", "--verbose", "--max-requests=60", "--select=P*"),
        *("--out", tmp_path),
        folder=tmp_path,
        env=os.environ | {"ADMIN_SECRET": TOKEN},
    )
    files = {path.name: unpacked(path) for path in tmp_path.iterdir()}
    assert {"evidence.jsonl", "archive.jsonl.gz", "report.json", "report.html"} <= set(files)
    places = files | {"stdout": done.stdout, "stderr": done.stderr}
    assert [name for name, text in places.items() for secret in PARTS if secret in text] == []


def test_exception_tells_no_token(make_client: Connect, stub_server: StubServer) -> None:
    """What is said of a lost target holds no token, even where the target answered with it instead of HTTP."""

    def junk(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"{TOKEN}\r\n\r\n".encode())
        handler.close_connection = True

    stub_server.answer = junk
    client = make_client(tokens={"admin": TOKEN})
    for _ in range(2):
        client.get("/v3", "s")
    with pytest.raises(TargetUnreachable) as caught:
        client.get("/v3", "s")
    assert [part for part in PARTS if part in str(caught.value)] == []


def test_client_hides_credentials(make_client: Connect) -> None:
    """Neither a client nor what it holds shows a token when it is printed."""
    client = make_client(tokens={"admin": TOKEN})
    assert not re.search("|".join(PARTS), f"{client!r} {vars(client)!r}")


def test_archive_is_unchanged(full_run: FullRun) -> None:
    """The archive holds the events as they were, with nothing redacted: no token resembled what a server says."""
    assert "_TOKEN" not in unpacked(full_run.folder / "archive.jsonl.gz")
