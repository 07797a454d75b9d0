"""Curl lines: a real shell sends the same request again, and runs nothing else."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from purge_conformance import curl
from purge_conformance.client import Request
from purge_conformance.credentials import NOBODY, Credential, refused
from purge_conformance.guard import EVENTS, PURGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Story, Stub, Whole

    from purge_conformance.client import Client

TOKEN = "e30.cGF5bG9hZC1wYXlsb2Fk.c2lnbmF0dXJlLXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's
WEIRD = "bearer $(touch pwned) `touch pwned` \"; touch pwned; ' $HOME \\"


def shell(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line in a POSIX shell."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


REQUESTS = [
    Request("GET", f"{EVENTS}?per_page=1&guids=a,b", "s"),
    Request("GET", f"{EVENTS}/../it's%20$HOME;(id)?a=!*", "s"),
    Request("HEAD", PURGE, "s"),
    Request("DELETE", PURGE, "s", NOBODY),
    Request("POST", PURGE, "s", headers={"Content-Type": "application/json"}, body='{"a": "$(touch pwned)\' \\n@x"}'),
    Request("POST", PURGE, "s", headers={"Content-Type": "a'b$HOME\"c"}, body="@/etc/passwd"),
    Request("POST", PURGE, "s", body="no type"),
    *(Request("POST", PURGE, "s", who) for who in refused({"admin": TOKEN})),
    Request("GET", EVENTS, "s", Credential("generated", WEIRD, WEIRD, "malformed")),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_curl_sends_the_same(request_: Request, connect: Callable[..., Client], stub: Stub, tmp_path: Path) -> None:
    """A shell with the token as a variable sends the same line and headers again, and runs no command on the way."""
    exchange = connect(tokens={"admin": TOKEN}).send(request_)
    shell(curl.command(exchange, stub.url), tmp_path, ADMIN_TOKEN=TOKEN)
    (line, headers), (again, headers_again) = stub.got
    assert line == again
    assert plain(headers) == plain(headers_again)
    assert not (tmp_path / "pwned").exists()


def plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that say something of the request; that there is no body may be said or not."""
    left_out = {("content-length", "0")}
    return {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in {"user-agent", "accept-encoding", "connection"} and (name.lower(), value) not in left_out
    }


@pytest.mark.parametrize(("step", "status"), [("list", "200"), ("unknown", "404")])
def test_curl_gets_the_same(
    step: str, status: str, served: tuple[str, dict[str, str]], whole: Whole, tmp_path: Path
) -> None:
    """The line of a recorded request gets the same status from another server, with that server's token."""
    url, tokens = served
    exchange = whole.evidence.of("reads", step)[0]
    done = shell(curl.command(exchange, url), tmp_path, ADMIN_TOKEN=tokens["admin"])
    assert done.stdout.split()[1] == status, done.stderr
    assert tokens["admin"] not in curl.command(exchange, url)


def test_curl_expands_nothing_recorded(story: Story, tmp_path: Path) -> None:
    """Of recorded evidence, whoever wrote it, the line runs no command, whichever role it claims."""
    sent = (("Authorization", WEIRD), ("X-A", WEIRD), ("$(touch pwned)", "x"))
    exchange = story.say(
        "e", "s", method="$(touch pwned)", path="/$(touch pwned)", request_headers=sent, request_body=WEIRD
    )
    shell(curl.command(exchange, "http://127.0.0.1:1"), tmp_path)
    assert not (tmp_path / "pwned").exists()
