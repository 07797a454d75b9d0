"""The doctor's findings about tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN, Api, jwt
from meta.support.doctor import checks_by_name

if TYPE_CHECKING:
    from meta.support.stub import StubServer


@pytest.mark.parametrize(
    ("role", "token", "status", "got", "next_step"),
    [
        ("global_auditor", jwt("x"), 401, "rejects it with 401", "--token global_auditor=SOURCE"),
        ("global_auditor", ADMIN, 200, "it has the scope cloud_controller.admin", "a user who is only global_auditor"),
        ("expired", ADMIN, 200, "it expires in", "no --token expired"),
    ],
    ids=["rejected", "admin's", "not-expired"],
)
def test_wrong_token_is_a_problem(  # noqa: PLR0913, PLR0917 -- a row of a table
    role: str, token: str, status: int, got: str, next_step: str, stub_server: StubServer
) -> None:
    """A token that the target rejects, or that belongs to another role, is a problem."""
    stub_server.answer = Api(statuses={token: status})
    check = checks_by_name(stub_server.url, {"admin": jwt("cloud_controller.admin", "y"), role: token})[
        f"token of {role}"
    ]
    assert (str(check.status), got in check.got, next_step in check.next_step) == ("problem", True, True), check


@pytest.mark.parametrize(
    ("role", "token", "got"),
    [
        ("admin", jwt("cloud_controller.read"), "it lacks the scope of its role"),
        ("global_auditor", jwt("cloud_controller.read"), "it lacks the scope of its role"),
        ("expired", "an-opaque-secret", "it is accepted, and its expiry cannot be read"),
    ],
    ids=["admin", "auditor", "expired"],
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
