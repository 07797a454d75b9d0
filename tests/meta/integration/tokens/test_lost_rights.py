"""Credentials that the target refuses in the middle of a run, or that lack the rights of their role, fail nothing."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from meta.support.reference_with_login import serve_reference
from meta.support.uaa import SECRET
from purge_conformance.reference import sign_tokens
from purge_conformance.reference.api.auth import READ
from purge_conformance.reference.store.initial_data import initial_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from meta.support.command import CommandResult
    from purge_conformance.reference.behaviour import Behaviour
    from purge_conformance.reference.mutation import Change

LOGIN = "http://127.0.0.1:9"  # of nothing
LAST_ACCEPTED = 300  # uses of the token


def losing_rights(role: str, claims: dict[str, Any] | None) -> Change:
    """Return the change that a role's token has other claims after some requests; None: it is invalid."""

    def change(behaviour: Behaviour) -> Behaviour:
        uses = 0

        def read_claims(token: str, secret: str) -> Mapping[str, Any]:
            nonlocal uses
            found = behaviour.read_claims(token, secret)
            uses += found["user_name"] == role
            if uses <= LAST_ACCEPTED or found["user_name"] != role:
                return found
            if claims is None:
                raise jwt.InvalidTokenError
            return {**found, **claims}

        return initial_data()(replace(behaviour, read_claims=read_claims))

    return change


@pytest.fixture
def run_against(command: Callable[..., CommandResult], tmp_path: Path) -> Callable[..., CommandResult]:
    """Run the command with a token of each of these roles against the reference server with a change."""

    def call(change: Change, tokens: Mapping[str, str], *arguments: str) -> CommandResult:
        flags = [f"--token={role}=env:TOKEN_{role.upper()}" for role in tokens]
        environment = os.environ | {f"TOKEN_{role.upper()}": token for role, token in tokens.items()}
        with serve_reference(LOGIN, further=change) as url:
            words = ("run", url, "--out", tmp_path / "out", "--max-purges=12", *flags, *arguments)
            return command(*words, folder=tmp_path / "out", env=environment)

    return call


@pytest.mark.parametrize("apps", ["drive", "observe"])
@pytest.mark.parametrize("claims", [None, {"scope": [READ]}], ids=["revoked", "demoted"])
def test_admin_who_loses_rights_fails_nothing(
    apps: str, claims: dict[str, Any] | None, run_against: Callable[..., CommandResult]
) -> None:
    """What a token explains that is revoked, or whose user is demoted, is dated and attributed to authentication."""
    tokens = {role: token for role, token in sign_tokens(SECRET).items() if role in {"admin", "global_auditor"}}
    done = run_against(losing_rights("admin", claims), tokens, f"--apps={apps}")
    assert (done.code, [name for name, outcome in done.outcomes.items() if outcome == "failed"]) == (3, [])
    notes = " ".join(done.report["notes"])
    dated = r"until request (\d{3}), and (?:is rejected with 40[13] since|since then neither an event)"
    assert len(set(re.findall(dated, notes))) == 1
    assert "authentication" in done.causes


def test_role_without_its_scopes_fails_nothing(run_against: Callable[..., CommandResult]) -> None:
    """A token that lacks the scopes of its role says nothing about what the role may do."""
    claims = jwt.decode(sign_tokens(SECRET)["global_auditor"], options={"verify_signature": False})
    poor = jwt.encode({**claims, "scope": ["openid"]}, SECRET, algorithm="HS256")
    tokens = {"admin": sign_tokens(SECRET)["admin"], "global_auditor": poor}
    done = run_against(initial_data(), tokens, "--profile=core", "--profile=upstream")
    assert [name for name, outcome in done.outcomes.items() if outcome == "failed"] == []
    (row,) = (row for row in done.report["requirements"] if row["id"] == "UP-ROLE-01")
    assert (row["outcome"], row["cause"]) == ("inconclusive", "authentication")
    assert row["reason"].startswith("The token of global_auditor lacks the scope")
