"""Credentials close to a good one: which are made of a token, and that none of them can be read as the token."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import jwt
import pytest

from purge_conformance.client.auth.close_tokens import close_credentials, other_scheme_credentials
from purge_conformance.evidence.redaction import SHELL_EXPANDABLE
from purge_conformance.reference.api import auth
from purge_conformance.reference.api.errors import ApiError

if TYPE_CHECKING:
    from purge_conformance.client.auth.credentials import Credential

SECRET = "a-secret-of-the-test-that-has-64-bytes-or-more-since-HS512-wants-that"  # noqa: S105 -- of this test
TOKENS = auth.sign_tokens(SECRET)
OPAQUE = {"admin": "0f" * 32, "space_developer": "a1" * 32}
EVERY = (*close_credentials(TOKENS), *other_scheme_credentials(TOKENS))
JWT_ONLY = {
    "other-claims",
    "other-signature",
    "empty-signature",
    "unsigned-with-signature",
    "percent-encoded",
    "other-key",
    "other-algorithm",
    "no-algorithm",
    "empty-key",
    "own-key",
    "signature-case",
}


@pytest.mark.parametrize(
    "who", [*close_credentials(TOKENS), *other_scheme_credentials(TOKENS)], ids=lambda who: who.role
)
def test_credential_is_not_valid(who: Credential) -> None:
    """No credential is a valid one, even where the header is read as Cloud Controller reads it."""
    assert not is_valid(str(who.value))


def is_valid(header: str) -> bool:
    """Whether the reference server accepts a header."""
    try:
        auth.verify_token(auth.bearer_token(header), SECRET)
    except (ApiError, ValueError, jwt.InvalidTokenError):
        return False
    return True


def test_valid_token_is_recognized() -> None:
    """The unchanged token is valid, so that the test above shows something."""
    assert is_valid(f"Bearer {TOKENS['admin']}")


def test_opaque_token_is_changed_too() -> None:
    """Of an opaque token all credentials are made that need no parts of a JWT."""
    assert {who.role for who in close_credentials(TOKENS)} - {who.role for who in close_credentials(OPAQUE)} == JWT_ONLY


def test_changed_character_is_in_the_middle_of_the_signature() -> None:
    """The changed signature decodes to other bytes of the same length: no decoder can take it for the right one."""
    altered = next(who for who in close_credentials(TOKENS) if who.role == "altered-middle")
    right, sent = (
        base64.urlsafe_b64decode(token.rpartition(".")[2] + "=") for token in (TOKENS["admin"], str(altered.value))
    )
    assert len(right) == len(sent)
    assert right != sent


def test_uuid_keeps_its_letters() -> None:
    """The letters of a UUID may be of either case, so a token that is one is not sent with other letters."""
    made = close_credentials({"admin": "6f1c2e9a-0b7d-4c5e-9f10-2a3b4c5d6e7f"})
    assert "other-case" not in {who.role for who in made}


def test_other_headers_keep_the_claims() -> None:
    """A header with a key or with another algorithm stands before the claims of the token."""
    made = {who.role: str(who.value).removeprefix("bearer ") for who in close_credentials(TOKENS)}
    assert jwt.get_unverified_header(made["other-key"])["kid"] == "none"
    assert jwt.get_unverified_header(made["other-algorithm"])["alg"] == "RS256"
    for role in ("other-key", "other-algorithm"):
        assert made[role].partition(".")[2] == TOKENS["admin"].partition(".")[2]


@pytest.mark.parametrize("tokens", [TOKENS, OPAQUE])
def test_shell_form_names_variables_only(tokens: dict[str, str]) -> None:
    """The form for a shell is one that a curl line expands, and holds no part of a token."""
    for who in (*close_credentials(tokens), *other_scheme_credentials(tokens)):
        assert "$" not in str(who.redacted) or SHELL_EXPANDABLE.fullmatch(str(who.redacted)), who.role
        assert tokens["admin"][-12:] not in (who.redacted or "")
