"""Permissions of the roles, and the rejection of requests."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from meta.support.reference_api import EVENTS, PURGE, SECRET
from purge_conformance.reference.api import auth

if TYPE_CHECKING:
    from meta.support.reference_api import Api

NOT_AUTHENTICATED, INVALID_TOKEN = (401, 10002), (401, 1000)
NOT_AUTHORIZED, NOT_FOUND = (403, 10003), (404, 10010)
CLAIMS = {"aud": ["cloud_controller"], "jti": "one", "scope": ["cloud_controller.admin"]}


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: object) -> str:
    """Sign an admin's claims with some of them changed; None takes one out."""
    claims: dict[str, Any] = {"exp": int(time.time()) + 60, **CLAIMS, **changes}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm)


def encoded(text: str) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def refusal(api: Api, method: str, path: str, authorization: str) -> tuple[int, int]:
    """Send a header; return status and code of the rejection."""
    answer = api.call(method, path, role=None, headers={"authorization": authorization})
    return answer.status, answer.json["errors"][0]["code"]


@pytest.mark.parametrize("role", ["admin", "admin_read_only", "global_auditor", *auth.LOCAL_ROLES])
def test_roles_see_and_purge(api: Api, role: str) -> None:
    """Only the global roles see events, only an admin purges, and every other role gets an empty list."""
    api.app_in(api.space(), "app")
    guid = api.events()[0]["guid"]
    sees = role in {"admin", "admin_read_only", "global_auditor"}
    assert len(api.get(EVENTS, role=role).json["resources"]) == sees
    assert api.get(f"{EVENTS}/{guid}", role=role).status == (200 if sees else 404)
    assert api.post(PURGE, role=role).status == (200 if role == "admin" else 403)


def test_component_sees_nothing(api: Api) -> None:
    """A component that updates builds is no user: every operation is forbidden to it."""
    api.app_in(api.space(), "app")
    paths = (EVENTS, f"{EVENTS}/{api.events()[0]['guid']}")
    statuses = [api.get(path, role="build_state_updater").status for path in paths]
    assert [*statuses, api.post(PURGE, role="build_state_updater").status] == [403] * 3


@pytest.mark.parametrize(("method", "path"), [("GET", EVENTS), ("GET", f"{EVENTS}/guid"), ("POST", PURGE)])
@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("", NOT_AUTHENTICATED),
        ("Basic YWRtaW46YWRtaW4=", NOT_AUTHENTICATED),
        (signed(), NOT_AUTHENTICATED),
        ("bearer", INVALID_TOKEN),
        ("bearer a.b.c", INVALID_TOKEN),
        (f"bearer {signed()} more", INVALID_TOKEN),
        (f"bearer {signed(exp=1)}", INVALID_TOKEN),
        (f"bearer {signed('x' * 64)}", INVALID_TOKEN),
        (f"bearer {signed(aud='another')}", INVALID_TOKEN),
        (f"bearer {signed(exp=None)}", INVALID_TOKEN),
        (f"bearer {signed(jti='one-r')}", INVALID_TOKEN),
        (f"bearer {signed(scope='cloud_controller.admin')}", INVALID_TOKEN),
        (f"bearer {signed().rpartition('.')[0]}", INVALID_TOKEN),
        (f"bearer {signed().rpartition('.')[0]}.", INVALID_TOKEN),
        (f"bearer {encoded('[' * 20_000)}.e30.x", INVALID_TOKEN),
    ],
    ids=range(15),
)
def test_invalid_tokens_are_rejected(
    api: Api, method: str, path: str, authorization: str, expected: tuple[int, int]
) -> None:
    """Without a valid bearer token every operation responds with 401, and never fails."""
    assert refusal(api, method, path, authorization) == expected


@pytest.mark.parametrize("scheme", ["bearer", "Bearer", "BEARER", " bearer ", "bearer\t"])
def test_scheme_ignores_case(api: Api, scheme: str) -> None:
    """The scheme ignores case and spaces."""
    assert api.call("GET", EVENTS, role=None, headers={"authorization": f"{scheme} {signed()} "}).status == 200


@pytest.mark.parametrize("changes", [{"algorithm": "HS512"}, {"nbf": 2**40}, {"iat": 2**40}])
def test_unchecked_claims_are_accepted(api: Api, changes: dict[str, Any]) -> None:
    """Longer digests are accepted, and nbf and iat are not checked."""
    assert api.call("POST", PURGE, role=None, headers={"authorization": f"bearer {signed(**changes)}"}).status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", EVENTS), ("POST", PURGE)])
def test_scope_is_required(api: Api, method: str, path: str) -> None:
    """A token without the scope to read or to write is rejected with 403."""
    assert refusal(api, method, path, f"bearer {signed(scope=[])}") == NOT_AUTHORIZED


def test_body_is_checked_before_role(api: Api) -> None:
    """A malformed body is rejected before the role is checked, as in Cloud Controller."""
    assert api.post(PURGE, b"{", role="space_developer").status == 400


def test_rejected_purge_destroys_nothing(api: Api) -> None:
    """A rejected purge leaves the events unchanged."""
    api.app_in(api.space(), "app")
    before = api.events()
    for role in (None, "expired", "global_auditor", "space_developer"):
        assert api.post(PURGE, role=role).status in {401, 403}
    assert api.events() == before


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
def test_only_admins_change(api: Api, kind: str) -> None:
    """A role other than admin creates nothing, and deletes nothing that it sees."""
    api.app_in(api.space(), "app")
    guid = api.get(f"/v3/{kind}").json["resources"][0]["guid"]
    assert api.post(f"/v3/{kind}", {"name": "another"}, role="org_manager").status == 403
    assert api.call("DELETE", f"/v3/{kind}/{guid}", role="global_auditor").status == 403
    assert api.get(f"/v3/{kind}", role="org_manager").json["resources"] == []
