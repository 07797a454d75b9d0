"""Bearer tokens: signing, verification, and what the scopes allow.

Tokens are JWTs signed with HMAC and one secret per server process. Global roles are scopes, as in Cloud Foundry.
The server has no role assignments, so a user without a global role belongs to no organization and sees nothing.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import jwt

from purge_conformance.reference.api import errors as problems

if TYPE_CHECKING:
    from collections.abc import Mapping

AUDIENCE = "cloud_controller"
READ, WRITE = "cloud_controller.read", "cloud_controller.write"
ADMIN = "cloud_controller.admin"
ADMIN_READ_ONLY = "cloud_controller.admin_read_only"
GLOBAL_AUDITOR = "cloud_controller.global_auditor"
UPDATE_BUILD_STATE = "cloud_controller.update_build_state"  # of a component, which is no user
# Every user has READ and WRITE by default; the roles decide what they allow.
LOCAL_ROLES = (
    "org_user",
    "org_auditor",
    "org_billing_manager",
    "org_manager",
    "space_auditor",
    "space_supporter",
    "space_developer",
    "space_manager",
)
ROLE_SCOPES: Mapping[str, tuple[str, ...]] = {
    "admin": (READ, WRITE, ADMIN),
    "admin_read_only": (READ, WRITE, ADMIN_READ_ONLY),
    "global_auditor": (READ, WRITE, GLOBAL_AUDITOR),
    **dict.fromkeys(LOCAL_ROLES, (READ, WRITE)),
    "build_state_updater": (UPDATE_BUILD_STATE,),
}
LIFETIME_S = 24 * 3600
EXPIRED_AGO_S = 3600
MIN_SECRET_BYTES = 64  # the digest length of HS512, the longest of the accepted algorithms


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The sender of a request, known only by the scopes of the token."""

    scopes: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything."""
        return ADMIN in self.scopes

    @property
    def has_global_read(self) -> bool:
        """Whether the caller has one of the three roles that read the whole foundation."""
        return not self.scopes.isdisjoint({ADMIN, ADMIN_READ_ONLY, GLOBAL_AUDITOR})

    @property
    def may_read(self) -> bool:
        """Whether the caller may send GET requests; the role decides what they show."""
        return self.has_global_read or READ in self.scopes

    @property
    def may_write(self) -> bool:
        """Whether the caller may send other requests; the role decides whether they succeed."""
        return self.is_admin or WRITE in self.scopes


def new_secret() -> str:
    """Return a new signing secret."""
    return secrets.token_urlsafe(MIN_SECRET_BYTES)


def sign_tokens(secret: str) -> dict[str, str]:
    """Sign one token per role, valid for a day, and `expired`: an admin's token that expired an hour ago."""
    now = int(time.time())
    tokens_by_role = {
        role: _sign(secret, role, scopes, expires=now + LIFETIME_S) for role, scopes in ROLE_SCOPES.items()
    }
    return tokens_by_role | {"expired": _sign(secret, "admin", ROLE_SCOPES["admin"], expires=now - EXPIRED_AGO_S)}


def _sign(secret: str, role: str, scopes: tuple[str, ...], *, expires: int) -> str:
    claims = {
        "jti": secrets.token_hex(16),
        "user_id": str(uuid5(NAMESPACE_URL, role)),
        "user_name": role,
        "client_id": "cf",
        "scope": list(scopes),
        "aud": [AUDIENCE],
        "iat": expires - LIFETIME_S,
        "exp": expires,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def verify_token(token: str, secret: str) -> Mapping[str, Any]:
    """Verify the signature, audience and expiry of a token, and return its claims.

    Raises:
        jwt.InvalidTokenError: one of them is invalid.
    """
    return _verify_token_at(token, secret, int(time.time()))


@lru_cache(maxsize=256)  # clients repeat a few tokens; besides the token, only the time matters
def _verify_token_at(token: str, secret: str, _second: int) -> Mapping[str, Any]:
    options: Any = {"require": ["exp", "aud", "jti"], "verify_iat": False, "verify_nbf": False}
    return jwt.decode(token, secret, algorithms=["HS256", "HS384", "HS512"], audience=AUDIENCE, options=options)


def bearer_token(authorization: str | None) -> str:
    """Return the token of an Authorization header.

    Raises:
        ApiError: 401; CF-NotAuthenticated without the scheme `bearer`, CF-InvalidAuthToken unless one word follows it.
    """
    header = (authorization or "").strip()
    if not header.lower().startswith("bearer"):
        raise problems.not_authenticated()
    words = re.split(r"[ \t]+", header)
    if len(words) != len(("bearer", "token")) or words[0].lower() != "bearer":
        raise problems.invalid_token()
    return words[1]


def caller_from_claims(claims: Mapping[str, Any]) -> Caller:
    """Return the caller with the scopes in the claims of a verified token.

    Raises:
        ApiError: 401 for a refresh token (its `jti` ends in -r) and for scopes that are not a list of strings.
    """
    scopes = claims.get("scope", [])
    is_list = isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes)
    if not is_list or str(claims.get("jti", "")).endswith("-r"):
        raise problems.invalid_token()
    return Caller(scopes=frozenset(scopes))
