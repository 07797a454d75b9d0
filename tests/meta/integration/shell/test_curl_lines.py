"""Curl lines: a shell repeats the same request and runs no other command."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema
import pytest

from meta.support.paths import SPEC
from meta.support.shell import run_in_shell
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.close_tokens import close_credentials, other_scheme_credentials
from purge_conformance.client.auth.credentials import ANONYMOUS, GARBAGE, Credential, for_role, invalid_credentials
from purge_conformance.client.client import Request
from purge_conformance.engine import reference_process
from purge_conformance.evidence import curl
from purge_conformance.evidence.records import Header
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, HeaderSet
from purge_conformance.scenarios.header_sets import SETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from meta.support.command import FullRun
    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

TOKEN = "e30.cGF5bG9hZC1wYXlsb2Fk.c2lnbmF0dXJlLXNpZ25hdHVyZQ"  # noqa: S105 -- not a real token
OTHER = "an-opaque-secret-of-a-developer"
WEIRD = "bearer $(touch pwned) `touch pwned` \"; touch pwned; ' $HOME \\"


def curl_line(exchange: Exchange, url: str, **settings: object) -> str:
    """Return the line that repeats a request to a target."""
    return curl.command(exchange, Header("0", {}, url, settings, ""))


BEYOND_ASCII = {HeaderSet.LONG, HeaderSet.ALL}  # sets whose bytes no shell line shows
REQUESTS = [
    Request("GET", f"{EVENTS_PATH}?per_page=1&guids=a,b", Step.LIST),
    Request("GET", f"{EVENTS_PATH}/../it's%20$HOME;(id)?a=!*", Step.LIST),
    Request("HEAD", PURGE_PATH, Step.LIST),
    Request("POST", f"{PURGE_PATH}?access_token={OTHER}&x=$HOME", Step.PURGE, ANONYMOUS),
    Request("DELETE", PURGE_PATH, Step.PURGE, ANONYMOUS),
    Request(
        "POST",
        PURGE_PATH,
        Step.PURGE,
        headers={"Content-Type": "application/json"},
        body='{"a": "$(touch pwned)\' \\n@x"}',
    ),
    Request("POST", PURGE_PATH, Step.PURGE, headers={"Content-Type": "a'b$HOME\"c"}, body="@/etc/passwd"),
    Request("POST", PURGE_PATH, Step.PURGE, body="no type"),
    *(Request("POST", PURGE_PATH, Step.PURGE, who) for who in invalid_credentials({"admin": TOKEN})),
    *(Request("POST", PURGE_PATH, Step.CLOSE_TOKEN, who) for who in close_credentials({"admin": TOKEN})),
    *(Request("POST", PURGE_PATH, Step.OTHER_SCHEME, who) for who in other_scheme_credentials({"admin": TOKEN})),
    Request("POST", PURGE_PATH, Step.TWO_CREDENTIALS, replace(for_role("space_developer", OTHER), second=GARBAGE)),
    *(
        Request("POST", PURGE_PATH, Step.PURGE, headers={**headers, "Authorization": None}, scheme="Bearer")
        for headers in (make("http://127.0.0.1:1") for name, make in SETS.items() if name not in BEYOND_ASCII)
    ),
    Request("GET", EVENTS_PATH, Step.LIST, Credential("generated", WEIRD, WEIRD, CredentialKind.MALFORMED)),
]


@pytest.mark.parametrize("program", ["sh", "bash"])
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_curl_repeats_request(
    request_: Request, program: str, make_client: Callable[..., Client], stub_server: StubServer, tmp_path: Path
) -> None:
    """A shell with the token variables sends the same line and headers, and runs no other command."""
    exchange = make_client(tokens={"admin": TOKEN, "space_developer": OTHER}).send(request_)
    line = curl_line(exchange, stub_server.url)
    assert OTHER not in line
    run_in_shell(line, tmp_path, program, ADMIN_TOKEN=TOKEN, SPACE_DEVELOPER_TOKEN=OTHER)
    (line, headers), (again, headers_again) = stub_server.received
    assert line == again
    assert relevant_headers(headers) == relevant_headers(headers_again)
    assert not (tmp_path / "pwned").exists()


def relevant_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that describe the request; an explicit empty body is optional."""
    left_out = {("content-length", "0"), ("connection", "keep-alive")}
    return {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() != "accept-encoding"
        and (name.lower(), value) not in left_out
        and not (name.lower() == "user-agent" and value.startswith(("purge-conformance/", "curl/")))
    }


@pytest.mark.parametrize(("step", "status"), [(Step.LIST, "200"), (Step.GET_UNKNOWN, "404")])
def test_curl_gets_same_status(
    step: Step, status: str, reference_server: tuple[str, dict[str, str]], full_run: FullRun, tmp_path: Path
) -> None:
    """The line of a recorded request gets the same status from another server, with that server's token."""
    url, tokens = reference_server
    exchange = full_run.evidence.of(Scenario.READS, step)[0]
    process = run_in_shell(curl_line(exchange, url), tmp_path, ADMIN_TOKEN=tokens["admin"])
    assert process.stdout.split()[1] == status, process.stderr
    assert tokens["admin"] not in curl_line(exchange, url)


def test_curl_expands_no_recorded_text(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A line from recorded evidence runs no command, for any role."""
    sent = (("Authorization", WEIRD), ("X-A", WEIRD), ("$(touch pwned)", "x"))
    exchange = builder.add_exchange(
        *(Scenario.INDUCED_ERRORS, Step.INDUCED_LIST),
        method="$(touch pwned)",
        path="/$(touch pwned)$A_TOKEN`touch pwned`",
        request_headers=sent,
        request_body=WEIRD,
        tags={Tag.STATE: WEIRD},
    )
    way = dict.fromkeys(("ca_bundle", "client_cert", "client_key", "insecure", "proxy"), f"{WEIRD}$PROXY_USER{WEIRD}")
    for hook in ("command", "url", WEIRD):
        run_in_shell(
            curl_line(exchange, "http://127.0.0.1:1", transport=way, hook=hook), tmp_path, PURGE_CONFORMANCE_HOOK="true"
        )
    assert not (tmp_path / "pwned").exists()


def test_curl_calls_http_hook_first(
    full_run: FullRun, reference_server: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """The line of a request with an induced error calls the hook first and gets the same error."""
    url, tokens = reference_server
    induced = full_run.evidence.of(Scenario.INDUCED_ERRORS, Step.INDUCED_LIST)
    (exchange,) = (x for x in induced if x.tags[Tag.INDUCED] == "503")
    line = curl_line(exchange, url, hook="url")
    process = run_in_shell(
        line, tmp_path, ADMIN_TOKEN=tokens["admin"], PURGE_CONFORMANCE_HOOK=reference_process.hook_url(url)
    )
    assert process.stdout.split()[1] == "503", process.stderr
    assert reference_process.hook_url(url) not in line


@pytest.mark.parametrize(("program", "is_sent"), [("tee asked", True), ("false", False)])
def test_curl_calls_command_hook_first(
    program: str, builder: EvidenceBuilder, stub_server: StubServer, tmp_path: Path, *, is_sent: bool
) -> None:
    """The line calls a command hook with its request; if the hook fails, nothing is sent."""
    exchange = builder.add_exchange(
        *(Scenario.INDUCED_ERRORS, Step.INDUCED_PURGE),
        method="POST",
        path=PURGE_PATH,
        status=409,
        tags={Tag.INDUCED: "409", Tag.STATE: "conflict for the next request"},
    )
    line = curl_line(exchange, stub_server.url, hook="command")
    run_in_shell(line, tmp_path, PURGE_CONFORMANCE_HOOK=f"command:{program}")
    assert stub_server.purges == is_sent
    if is_sent:
        request = json.loads((tmp_path / "asked").read_text(encoding="utf-8"))
        jsonschema.validate(request, json.loads((SPEC / "hook.schema.json").read_text(encoding="utf-8")))
        assert request["params"] == {"operation": "purge"}
