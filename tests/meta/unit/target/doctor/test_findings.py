"""The doctor: each finding has a next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN, Api, jwt
from meta.support.doctor import checks_by_name
from purge_conformance.config.settings import Limits
from purge_conformance.target.doctor import Effect

if TYPE_CHECKING:
    from meta.support.stub import StubServer


def test_healthy_target_passes_every_check(stub_server: StubServer) -> None:
    """Every check of a healthy target is ok and reports what it saw."""
    stub_server.answer = Api()
    checks = checks_by_name(stub_server.url, {"admin": ADMIN, "expired": jwt("cloud_controller.admin", expires_in=-60)})
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
            "consent",
            "fingerprint",
            "apps",
        ),
        "events",
    ]
    assert checks["API"].got == "API 3.195.0"
    assert checks["apps"].got == "1,234 listed"
    assert checks["events"].got.startswith("1,234 exist; the newest is the-newest, ")


def test_doctor_only_reads(stub_server: StubServer) -> None:
    """The doctor sends a few GET requests, plus one per further token."""
    stub_server.answer = Api()
    roles = ("admin", "global_auditor", "space_developer", "expired")
    checks_by_name(stub_server.url, dict.fromkeys(roles, "an-opaque-secret"))
    assert {line.split()[0] for line, _ in stub_server.received} == {"GET"}
    assert len(stub_server.received) == 5 + len(roles) - 1


@pytest.mark.parametrize(
    ("api", "name", "got", "next_step"),
    [
        (Api(date=90), "clock", "ahead of this machine's", "NTP"),
        (Api(date=-90), "clock", "behind this machine's", "NTP"),
        (Api(headers={"X-RateLimit-Remaining": "7"}), "rate limit", "7 requests are left", "--max-requests"),
        (Api(root={"hello": "you"}), "API", "without links to API v3", "path of the URL"),
        (Api(age=0), "events", "the-newest", "billing consumer"),
    ],
)
def test_risky_target_causes_warning(api: Api, name: str, got: str, next_step: str, stub_server: StubServer) -> None:
    """A property that can disturb a run is a warning."""
    stub_server.answer = api
    check = checks_by_name(stub_server.url)[name]
    assert (str(check.status), got in check.got, next_step in check.next_step, bool(check.expected)) == (
        *("warning", True, True, True),
    ), check


def test_pinned_fingerprint_is_compared(stub_server: StubServer) -> None:
    """The doctor shows the fingerprint, and reports a problem if it is not the pinned one."""
    stub_server.answer = Api()
    fingerprint = checks_by_name(stub_server.url)["fingerprint"].got.partition(",")[0]
    assert str(checks_by_name(stub_server.url, fingerprint=fingerprint)["fingerprint"].status) == "ok"
    other = checks_by_name(stub_server.url, fingerprint="0" * 64)["fingerprint"]
    assert (str(other.status), other.got, "to the value above" in other.next_step) == ("problem", fingerprint, True)


def test_large_rate_limit_passes(stub_server: StubServer) -> None:
    """A rate limit that suffices for a run, or is not a number, is ok."""
    for left in ("5000", "many", "9" * 40):
        stub_server.answer = Api(headers={"X-RateLimit-Remaining": left})
        assert str(checks_by_name(stub_server.url)["rate limit"].status) == "ok"


def test_slow_target_is_a_warning(stub_server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow response is a warning with its duration."""
    monkeypatch.setattr("purge_conformance.target.doctor.connectivity.SLOW_RESPONSE_S", 0.0)
    stub_server.answer = Api()
    check = checks_by_name(stub_server.url)["latency"]
    assert (str(check.status), " ms" in check.got) == ("warning", True)


@pytest.mark.parametrize(
    ("status", "expected", "next_step", "cause"),
    [
        (403, "the lists", "Give a valid one", "authentication"),
        (503, "the lists", "Run again when it is", "network"),
        (404, "Cloud Foundry's API v3", "Check the URL", "configuration"),
        (302, "the lists", "It redirects to https://other.example", "configuration"),
    ],
)
def test_no_api_is_a_problem(status: int, expected: str, next_step: str, cause: str, stub_server: StubServer) -> None:
    """If neither apps nor events can be read, the next step depends on the response."""
    stub_server.answer = Api(root={}, statuses={ADMIN: status}, headers={"Location": "https://other.example"})
    check = checks_by_name(stub_server.url)["API"]
    assert (str(check.status), check.expected, next_step in check.next_step, check.cause) == (
        "problem",
        expected,
        True,
        cause,
    )
    assert check.effect is Effect.NO_JUDGMENT


@pytest.mark.parametrize(
    ("url", "next_step"),
    [
        ("http://127.0.0.1:1", "Check the URL and --proxy."),
        ("http://no-such-host.invalid", "Check the host name in the URL"),
    ],
)
def test_unreachable_is_a_problem(url: str, next_step: str) -> None:
    """An unreachable target is the only finding, with the network as cause."""
    checks = checks_by_name(url, limits=Limits(timeout=5))
    reachable = checks["reachable"]
    assert (str(reachable.status), next_step in reachable.next_step, reachable.cause) == ("problem", True, "network"), (
        reachable
    )
    assert {str(check.status) for name, check in checks.items() if name != "reachable"} <= {"warning"}
