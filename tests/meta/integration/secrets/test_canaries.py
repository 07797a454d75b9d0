"""No command writes or prints a token, wherever the target repeats it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from meta.support.leaks import CANARY, encodings_of, find_canary
from purge_conformance.cli.group import main
from purge_conformance.target.apps import jobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


COMMANDS = ("run", "observed", "plan", "archive", "doctor", "cleanup", "pinned", "dies", "misplaced")


@pytest.mark.parametrize("kind", COMMANDS)
def test_command_writes_no_canary(
    kind: str, command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """No command writes a token to a file or a stream, if the target repeats it, stops, or does not respond."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if kind == "dies" and len(stub_server.received) > 4:
            handler.wfile.write(f"{CANARY}\r\n\r\n".encode())
            handler.close_connection = True
        else:
            forms = "\n".join(encodings_of(CANARY))
            stub_server.respond(handler, body=forms.encode() + CANARY.replace("/", "\\/").encode(), X_You=quote(CANARY))

    stub_server.answer = answer
    out = tmp_path / "out"
    run = ("run", stub_server.url, "--max-requests=60", "--verbose", "--out", str(out))
    (tmp_path / "broken.yaml").write_text(
        f"target: {stub_server.url}\ntokens: {{admin: [{CANARY}]}}\n", encoding="utf-8"
    )
    arguments = {
        "observed": (*run, "--profile=observe-only"),
        "plan": ("plan", stub_server.url),
        "archive": ("archive", stub_server.url, "--out", str(tmp_path / "events.jsonl.gz")),
        "doctor": ("doctor", stub_server.url),
        "cleanup": ("cleanup", stub_server.url),
        "pinned": (*run, f"--fingerprint={'0' * 64}"),
        "misplaced": (*run, f"--config={tmp_path}/broken.yaml"),
    }.get(kind, run)
    done = command(*arguments, "--token=admin=env:ADMIN_SECRET", folder=out, env=os.environ | {"ADMIN_SECRET": CANARY})
    (tmp_path / "broken.yaml").unlink()
    assert done.code in {0, 1, 2, 3}
    assert find_canary(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("kind", ["apps", "jobs"])
def test_cleanup_prints_no_canary(
    kind: str, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cleanup` prints no token, though the target uses it as the name of an app and in an error."""
    row: dict[str, object] = {"guid": "left", "name": CANARY, "created_at": "2026-07-01T12:00:00Z"}
    row["metadata"] = {"labels": {"purge-conformance-run": CANARY}}
    page = json.dumps({"pagination": {"total_results": 1, "next": None}, "resources": [row]}).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "DELETE" and kind == "apps":
            stub_server.respond(
                handler, 422, json.dumps({"errors": [{"code": 1, "title": CANARY, "detail": CANARY}]}).encode()
            )
        else:
            stub_server.respond(handler, body=page)

    stub_server.answer = answer
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))
    arguments = ("cleanup", stub_server.url, "--token=admin=env:ADMIN_SECRET")
    done = CliRunner().invoke(main, arguments, env={"ADMIN_SECRET": CANARY})
    assert ("left" in done.output, find_canary(tmp_path, done.output)) == (True, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_gets_no_token(
    status: int,
    command: Callable[..., CommandResult],
    stub_server: StubServer,
    second_stub_server: StubServer,
    tmp_path: Path,
) -> None:
    """No request is sent to the host of a redirect, and the target does not count as lost."""
    place = second_stub_server.url.replace("127.0.0.1", "localhost")
    stub_server.answer = lambda handler: stub_server.respond(handler, status, Location=f"{place}{handler.path}")
    done = command(
        *("run", stub_server.url, "--token=admin=env:ADMIN_SECRET", "--out", tmp_path / "out"),
        folder=tmp_path / "out",
        env=os.environ | {"ADMIN_SECRET": CANARY},
    )
    assert (done.code, second_stub_server.received, stub_server.purges) == (3, [], 0)
    assert done.evidence.exchanges[0].status == status
