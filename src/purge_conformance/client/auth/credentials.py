"""The values of the Authorization header that the suite sends, each with a redacted form that can be shown."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import JWT_PARTS
from purge_conformance.config.roles import ADMIN, ANONYMOUS_ROLE, EXPIRED
from purge_conformance.evidence.redaction import (
    CAPITALIZED_HEADER,
    SIGNATURE_FILLER,
    UNSIGNED_HEADER,
    token_variable,
)
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Credential:
    """One value of the Authorization header.

    Attributes:
        role: the role, or the defect of the credential.
        value: the header's value, secret; None sends no header.
        redacted: the value for a file or a shell, with `$VARIABLE` in place of the secret.
        kind: whether it is valid, or the kind of its defect.
        source_role: the role whose token the value contains, or empty.
        fragment: a text that nearly is the token, secret like the token; or empty.
        second: what a second Authorization header of the same request contains; or None.
        is_last: whether that header precedes this one.
    """

    role: str
    value: str | None = field(repr=False)
    redacted: str | None
    kind: CredentialKind = CredentialKind.VALID
    source_role: str = ""
    fragment: str = field(default="", repr=False)
    second: Credential | None = None
    is_last: bool = False

    @property
    def lines(self) -> tuple[Credential, ...]:
        """The credentials of each Authorization header that is sent, in order."""
        every = [each for each in (self, self.second) if each and each.value is not None]
        return tuple(reversed(every) if self.is_last else every)

    def under(self, scheme: str) -> Credential:
        """Return the same credential with its scheme, bearer, written in this way."""
        if scheme == SCHEME:
            return self
        value, redacted = (text and text.replace(f"{SCHEME} ", f"{scheme} ", 1) for text in (self.value, self.redacted))
        return replace(self, value=value, redacted=redacted)

    @property
    def is_missing(self) -> bool:
        """Whether no credentials are sent: no header, or none with the scheme of a token or of a password."""
        return not (self.value or "").lower().startswith(("bearer", "basic"))


ANONYMOUS = Credential(ANONYMOUS_ROLE, None, None, CredentialKind.NONE)
GARBAGE = Credential("garbage", "bearer garbage", "bearer garbage", CredentialKind.MALFORMED)


def for_role(role: str, token: str) -> Credential:
    """Return the credential that sends a role's token unchanged."""
    kind = CredentialKind.EXPIRED if role == EXPIRED else CredentialKind.VALID
    return Credential(role, f"bearer {token}", f"bearer ${token_variable(role)}", kind, role)


def with_token(credential: Credential, token: str) -> Credential:
    """Return the same kind of credential, built from the role's current token."""
    candidates = (for_role(credential.source_role, token), *_tampered_credentials(token))
    same_kind = (each for each in candidates if (each.role, each.kind) == (credential.role, credential.kind))
    found = next(same_kind, None)
    return replace(found, second=credential.second, is_last=credential.is_last) if found else credential


def invalid_credentials(tokens: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the credentials that every operation must reject with 401: none, malformed, invalid, expired."""
    admin = tokens[ADMIN]
    credentials = [
        ANONYMOUS,
        Credential("empty", "", "", CredentialKind.NONE),
        Credential("scheme-only", "bearer", "bearer", CredentialKind.MALFORMED),
        GARBAGE,
        Credential("basic", "Basic YWRtaW46YWRtaW4=", "Basic YWRtaW46YWRtaW4=", CredentialKind.MALFORMED),
        *_tampered_credentials(admin),
    ]
    if EXPIRED in tokens:
        credentials.append(for_role(EXPIRED, tokens[EXPIRED]))
    return tuple(credentials)


def _tampered_credentials(token: str) -> tuple[Credential, ...]:
    name = token_variable(ADMIN)
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return (Credential("altered", f"bearer {token}x", f"bearer ${{{name}}}x", CredentialKind.INVALID, ADMIN),)
    header, payload, _ = parts
    forged = base64.urlsafe_b64encode(b"purge-conformance: not a signature").decode().rstrip("=")
    unsigned = f"bearer {header}.{payload}"
    redacted_payload = f'$(echo "${name}" | cut -d. -f2)'
    tail = SIGNATURE_FILLER if not token.endswith(SIGNATURE_FILLER) else SIGNATURE_FILLER.lower()
    return (
        Credential(
            "altered-end",
            f"bearer {token[: -len(tail)]}{tail}",
            f"bearer ${{{name}%{'?' * len(tail)}}}{tail}",
            CredentialKind.INVALID,
            ADMIN,
        ),
        Credential("without-signature", unsigned, f"bearer ${{{name}%.*}}", CredentialKind.MALFORMED, ADMIN),
        Credential(
            "forged-signature", f"{unsigned}.{forged}", f"bearer ${{{name}%.*}}.{forged}", CredentialKind.INVALID, ADMIN
        ),
        *(
            Credential(
                role,
                f"bearer {jwt_header}.{payload}.",
                f"bearer {jwt_header}.{redacted_payload}.",
                CredentialKind.INVALID,
                ADMIN,
            )
            for role, jwt_header in (("unsigned", UNSIGNED_HEADER), ("unsigned-capitalized", CAPITALIZED_HEADER))
        ),
    )
