"""The doctor's findings about tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN, Api, jwt
from meta.support.doctor import checks_by_name
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.settings import Settings, Target
from purge_conformance.target.doctor.duration import Work
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer

AUDITOR = "cloud_controller.global_auditor"
DEV = jwt("cloud_controller.read", "z")


@pytest.mark.parametrize(
    ("role", "token", "status", "got", "next_step"),
    [
        ("admin", jwt("cloud_controller.read"), 200, "lacks the scope of its role", "--token admin=SOURCE"),
        ("global_auditor", jwt("x"), 401, "rejects it with 401, 3 times", "--token global_auditor=SOURCE"),
        ("global_auditor", ADMIN, 200, "it has the scope cloud_controller.admin", "a user who is only global_auditor"),
        ("build_state_updater", ADMIN, 200, "it has the scope cloud_controller.admin", "is only build_state_updater"),
        ("space_developer", jwt(AUDITOR), 200, f"it has the scope {AUDITOR}", "would accuse the target wrongly"),
        ("expired", ADMIN, 200, "it expires in", "no --token expired"),
        ("global_auditor", jwt(AUDITOR, expires_in=30), 200, "and the run takes about", "global_auditor=uaa:GRANT"),
    ],
    ids=["admin's-scope", "rejected", "admin's", "component's", "auditor's", "not-expired", "expires-soon"],
)
def test_wrong_token_is_a_problem(  # noqa: PLR0913, PLR0917 -- a row of a table
    role: str, token: str, status: int, got: str, next_step: str, stub_server: StubServer
) -> None:
    """A token that the target rejects, or that belongs to another role, is a problem."""
    stub_server.answer = Api(statuses={token: status})
    check = checks_by_name(stub_server.url, {"admin": jwt("cloud_controller.admin", "y"), role: token}, 1000)[
        f"token of {role}"
    ]
    assert (str(check.effect), got in check.got, next_step in check.next_step) == ("refusal", True, True), check


@pytest.mark.parametrize(
    ("role", "token", "got"),
    [
        ("global_auditor", jwt("cloud_controller.read"), "it lacks the scope of its role"),
        ("build_state_updater", jwt("cloud_controller.read"), "it lacks the scope of its role"),
        ("expired", "an-opaque-secret", "it is accepted, and its expiry cannot be read"),
    ],
    ids=["auditor", "component", "expired"],
)
def test_suspicious_token_causes_warning(role: str, token: str, got: str, stub_server: StubServer) -> None:
    """A token that may belong to another role is a warning; an unreadable token is not."""
    stub_server.answer = Api()
    check = checks_by_name(stub_server.url, {"admin": ADMIN} | {role: token})[f"token of {role}"]
    assert (str(check.status), check.got) == ("warning", got)


def test_opaque_token_passes(stub_server: StubServer) -> None:
    """Only the target's response matters for a token that is no JWT."""
    stub_server.answer = Api()
    tokens = {"admin": "an-opaque-secret", "global_auditor": "another-secret"}
    assert {str(check.status) for check in checks_by_name(stub_server.url, tokens).values()} == {"ok"}


@pytest.mark.parametrize(
    ("tokens", "role", "got", "next_step"),
    [
        (
            {"admin": "secret-1", "global_auditor": "secret-1"},
            "global_auditor",
            "admin",
            "is only global_auditor, or no",
        ),
        ({"expired": "secret-1", "admin": "secret-1"}, "expired", "admin", "that has already expired, or no --token"),
        (
            {"admin": "secret-1", "global_auditor": "secret-2", "space_developer": "secret-2"},
            "space_developer",
            "global_auditor",
            "would accuse the target wrongly",
        ),
        ({"org_user": DEV, "admin": ADMIN, "org_manager": DEV}, "org_manager", "org_user", "is only org_manager"),
    ],
)
def test_token_of_two_roles_is_refused(
    tokens: dict[str, str], role: str, got: str, next_step: str, stub_server: StubServer
) -> None:
    """A token that stands for two roles is refused before a run, also if it cannot be read."""
    stub_server.answer = Api()
    checks = checks_by_name(stub_server.url, tokens)
    check = checks[f"token of {role}"]
    assert (str(check.effect), check.got, next_step in check.next_step) == (
        "refusal",
        f"it is the token of {got}, too",
        True,
    ), check
    assert [name for name, check in checks.items() if check.status == "problem"] == [f"token of {role}"]


@pytest.mark.parametrize("rejects", [lambda path, _: path.startswith(EVENTS_PATH), lambda _, number: number == 0])
def test_token_that_is_accepted_somewhere_passes(rejects: Callable[[str, int], bool], stub_server: StubServer) -> None:
    """A 401 in passing, or at one place only, does not count against a token."""
    api, auditor = Api(), jwt(AUDITOR)
    seen: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if auditor in (handler.headers.get("Authorization") or ""):
            seen.append(handler.path)
            if rejects(handler.path, len(seen) - 1):
                return stub_server.respond(handler, 401)
        return api(handler)

    stub_server.answer = answer
    checks = checks_by_name(stub_server.url, {"admin": ADMIN, "global_auditor": auditor})
    assert (str(checks["token of global_auditor"].status), len(seen)) == ("ok", 2)


def test_each_problem_of_a_token_is_found(stub_server: StubServer) -> None:
    """A token that lacks its scope and expires soon has two problems."""
    stub_server.answer = Api()
    settings = Settings(Target(stub_server.url), {"admin": jwt("openid", expires_in=20)})
    found = [check for check in run_checks(settings, Work(1000)) if check.name == "token of admin"]
    assert ["scope" in found[0].got, "expires in" in found[1].got, len(found)] == [True, True, 2]


def test_token_of_ordinary_lifetime_passes(stub_server: StubServer) -> None:
    """The estimate counts, and no bound of a run: tokens of ten minutes are usual."""
    stub_server.answer = Api()
    checks = checks_by_name(stub_server.url, {"admin": jwt("cloud_controller.admin", expires_in=600)}, requests=1200)
    assert str(checks["token of admin"].status) == "ok"
