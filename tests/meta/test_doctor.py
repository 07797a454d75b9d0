"""The doctor: each finding, provoked by a server that gives cause for it, and named with its cure."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli import main
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer
    from purge_conformance.target.doctor import Check

ROOT = {"links": {"cloud_controller_v3": {"href": "/v3", "meta": {"version": "3.195.0"}}}}
clock = BaseHTTPRequestHandler.date_time_string
OLD = "2026-07-01T12:00:00Z"


def jwt(*scopes: str, ends_in: float = 86_400) -> str:
    """Return a token with these scopes that ends in so many seconds."""
    claims = json.dumps({"scope": scopes, "exp": time.time() + ends_in}).encode()
    return f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


ADMIN = jwt("cloud_controller.admin")


@dataclass
class Api:
    """What the stub answers with as an API.

    Attributes:
        root: of `/`.
        statuses: token -> status of what it asks for; 200 otherwise.
        headers: of every answer.
        age: of the newest event, seconds; it is of long ago otherwise.
        date: of every answer, seconds from now.
    """

    root: Any = field(default_factory=lambda: ROOT)
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    age: float | None = None
    date: float = 0.0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        token = (handler.headers.get("Authorization") or "").removeprefix("bearer ")
        created_at = OLD if self.age is None else datetime.fromtimestamp(time.time() - self.age, UTC).isoformat()
        row = {"guid": "the-newest", "created_at": created_at}
        page = {"pagination": {"total_results": 1234}, "resources": [row]}
        setattr(handler, "date_time_string", lambda: clock(handler, time.time() + self.date))  # noqa: B010 -- its own
        status = self.statuses.get(token, 200)
        body = self.root if handler.path in {"/", "/v3"} else page
        handler.send_response(status)
        content = json.dumps(body).encode()
        for name, value in {"Content-Length": str(len(content)), **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)


def found(url: str, tokens: dict[str, str] | None = None, **more: Any) -> dict[str, Check]:  # noqa: ANN401 -- settings
    """Return what the doctor finds, by name."""
    return {check.name: check for check in run_checks(Settings(Target(url), tokens or {"admin": ADMIN}, **more))}


def test_all_well(stub_server: StubServer) -> None:
    """Of a target where all is well every check says so, with what was seen."""
    stub_server.answer = Api()
    checks = found(stub_server.url, {"admin": ADMIN, "expired": jwt("cloud_controller.admin", ends_in=-60)})
    assert {name: str(check.status) for name, check in checks.items()} == dict.fromkeys(checks, "ok")
    assert [*checks] == [
        *(
            "reachable",
            "API",
            "clock",
            "rate limit",
            "latency",
            "token of admin",
            "token of expired",
            "fingerprint",
            "apps",
        ),
        "events",
    ]
    assert checks["API"].got == "API 3.195.0"
    assert checks["apps"].got == "1,234 can be seen"
    assert checks["events"].got.startswith("1,234 are there; the newest is the-newest, ")


def test_reference_is_well(reference_server: tuple[str, dict[str, str]]) -> None:
    """Of the reference server nothing is a problem, whichever role's token is looked at."""
    url, tokens = reference_server
    assert {str(check.status) for name, check in found(url, tokens).items() if name != "events"} == {"ok"}


def test_few_reads_are_sent(stub_server: StubServer) -> None:
    """Half a dozen requests and one for each further token are sent, and each only reads."""
    stub_server.answer = Api()
    roles = ("admin", "global_auditor", "space_developer", "expired")
    found(stub_server.url, dict.fromkeys(roles, "an-opaque-secret"))
    assert {line.split()[0] for line, _ in stub_server.received} == {"GET"}
    assert len(stub_server.received) == 4 + len(roles) - 1


@pytest.mark.parametrize(
    ("api", "name", "got", "cure"),
    [
        (Api(date=90), "clock", "ahead of this machine's", "NTP"),
        (Api(date=-90), "clock", "behind this machine's", "NTP"),
        (Api(headers={"X-RateLimit-Remaining": "7"}), "rate limit", "7 requests are left", "--max-requests"),
        (Api(root={"hello": "you"}), "API", "without the links of a root", "path of the URL"),
        (Api(age=0), "events", "the-newest", "all who bill"),
    ],
)
def test_warnings(api: Api, name: str, got: str, cure: str, stub_server: StubServer) -> None:
    """What a run can suffer from is a warning."""
    stub_server.answer = api
    check = found(stub_server.url)[name]
    assert (str(check.status), got in check.got, cure in check.next_step, bool(check.expected)) == (
        *("warning", True, True, True),
    ), check


def test_pinned_fingerprint_is_compared(stub_server: StubServer) -> None:
    """The fingerprint is shown, to be pinned; another one than was pinned is a problem."""
    stub_server.answer = Api()
    shown = found(stub_server.url)["fingerprint"].got.partition(",")[0]
    assert str(found(stub_server.url, fingerprint=shown)["fingerprint"].status) == "ok"
    other = found(stub_server.url, fingerprint="0" * 64)["fingerprint"]
    assert (str(other.status), other.got, "pin this one" in other.next_step) == ("problem", shown, True)


def test_large_rate_limit_is_fine(stub_server: StubServer) -> None:
    """A limit that leaves room for a run is none to be told of; one that is no number is none."""
    for left in ("5000", "many", "9" * 40):
        stub_server.answer = Api(headers={"X-RateLimit-Remaining": left})
        assert str(found(stub_server.url)["rate limit"].status) == "ok"


def test_slow_target_is_a_warning(stub_server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that take long are told, with how long."""
    monkeypatch.setattr("purge_conformance.target.doctor.connectivity.SLOW_RESPONSE_S", 0.0)
    stub_server.answer = Api()
    check = found(stub_server.url)["latency"]
    assert (str(check.status), " ms" in check.got) == ("warning", True)


@pytest.mark.parametrize(
    ("role", "token", "status", "got", "cure"),
    [
        ("global_auditor", jwt("x"), 401, "refuses it with 401", "--token global_auditor=SOURCE"),
        ("global_auditor", ADMIN, 200, "it has the scope cloud_controller.admin", "Give a token of a global_auditor"),
        ("expired", ADMIN, 200, "s more", "leave this role out"),
    ],
    ids=["refused", "admin's", "not-expired"],
)
def test_wrong_tokens_are_problems(
    role: str, token: str, status: int, got: str, cure: str, stub_server: StubServer
) -> None:  # noqa: PLR0913, PLR0917 -- a row of a table
    """A token that the target refuses, or one of another role, is a problem."""
    stub_server.answer = Api(statuses={token: status})
    check = found(stub_server.url, {"admin": jwt("cloud_controller.admin", "y"), role: token})[f"token of {role}"]
    assert (str(check.status), got in check.got, cure in check.next_step) == ("problem", True, True), check


@pytest.mark.parametrize(
    ("role", "token", "got"),
    [
        ("admin", jwt("cloud_controller.read"), "it has no scope cloud_controller.admin"),
        ("global_auditor", jwt("cloud_controller.read"), "it has no scope cloud_controller.global_auditor"),
        ("expired", "an-opaque-secret", "when it ends cannot be read, and it is accepted"),
    ],
    ids=["admin", "auditor", "expired"],
)
def test_doubtful_tokens_are_warnings(role: str, token: str, got: str, stub_server: StubServer) -> None:
    """A token that may be one of another role is a warning; what cannot be read is not judged."""
    stub_server.answer = Api()
    check = found(stub_server.url, {"admin": ADMIN} | {role: token})[f"token of {role}"]
    assert (str(check.status), check.got) == ("warning", got)


def test_opaque_tokens_are_fine(stub_server: StubServer) -> None:
    """Of a token that is no JWT only the target's answer is looked at."""
    stub_server.answer = Api()
    tokens = {"admin": "an-opaque-secret", "global_auditor": "another-secret"}
    assert {str(check.status) for check in found(stub_server.url, tokens).values()} == {"ok"}


@pytest.mark.parametrize(
    ("status", "expected", "cure", "blame"),
    [
        (401, "the lists", "Give a valid one", "authentication"),
        (503, "the lists", "Run again when it is", "network"),
        (404, "Cloud Foundry's API v3", "Check the URL", "configuration"),
        (302, "the lists", "It redirects to https://other.example", "configuration"),
    ],
)
def test_no_api_is_a_problem(status: int, expected: str, cure: str, blame: str, stub_server: StubServer) -> None:
    """Where neither apps nor events can be read, the cure depends on what was answered."""
    stub_server.answer = Api(root={}, statuses={ADMIN: status}, headers={"Location": "https://other.example"})
    check = found(stub_server.url)["API"]
    assert (str(check.status), check.expected, cure in check.next_step, check.cause) == (
        "problem",
        expected,
        True,
        blame,
    )
    assert check.is_fatal


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("http://127.0.0.1:1", "Check the URL, the network"),
        ("http://no-such-host.invalid", "Check the host in the URL"),
    ],
)
def test_unreachable_is_a_problem(url: str, cure: str) -> None:
    """A target that does not answer is the one finding then, and the network is blamed."""
    checks = found(url, limits=Limits(timeout=5))
    reachable = checks["reachable"]
    assert (str(reachable.status), cure in reachable.next_step, reachable.cause) == ("problem", True, "network"), (
        reachable
    )
    assert {str(check.status) for name, check in checks.items() if name != "reachable"} <= {"warning"}


@pytest.mark.parametrize(("api", "code", "words"), [(Api(), 0, "ok "), (Api(statuses={ADMIN: 401}), 2, "cure  ")])
def test_command_exits_by_problems(api: Api, code: int, words: str, stub_server: StubServer, tmp_path: Path) -> None:
    """`doctor` shows each finding and exits with 0, or with 2 where one is a problem; it gives no token away."""
    stub_server.answer = api
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    done = CliRunner().invoke(main, ["doctor", stub_server.url, f"--token=admin=file:{tmp_path / 'admin'}"])
    assert (done.exit_code, words in done.output, ADMIN[-20:] in done.output) == (code, True, False), done.output
    assert "token of admin" in done.output


def test_run_tells_what_is_doubtful(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """`run` looks first as well, and its reports note what is not as it should be."""
    stub_server.answer = Api(date=90)
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    asked = ("--select=ROUTE-01", "--max-requests=50", "--max-purges=0", f"--token=admin=file:{tmp_path / 'admin'}")
    done = command("run", stub_server.url, *asked, "--out", tmp_path / "out", folder=tmp_path / "out")
    assert [note for note in done.report["notes"] if re.match(r"clock: the target.s is \d+ s ahead", note)] != []
    assert stub_server.targets[:3] == ["/", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]


def test_run_stops_at_a_wrong_token(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A run in which an admin's token stands for another role would accuse the target, so it ends before any change."""
    stub_server.answer = Api()
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    tokens = [f"--token={role}=file:{tmp_path / 'admin'}" for role in ("admin", "global_auditor")]
    done = command("run", stub_server.url, *tokens, "--out", tmp_path / "out", folder=tmp_path / "out")
    assert (done.code, done.causes, {line.split()[0] for line, _ in stub_server.received}) == (
        3,
        {"configuration"},
        {"GET"},
    )
    assert "Give a token of a global_auditor" in done.stdout
