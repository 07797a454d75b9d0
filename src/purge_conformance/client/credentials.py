"""What the suite puts into Authorization, and how it is shown without giving the secret away."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import JWT_PARTS
from purge_conformance.config.roles import ADMIN, EXPIRED
from purge_conformance.evidence.redaction import (
    CAPITALIZED_HEADER,
    TAIL,
    UNSIGNED_HEADER,
    variable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Credential:
    """One value of the Authorization header.

    Attributes:
        role: the role, or what is wrong with the credential.
        value: the header's value, secret; None sends no header.
        shown: the same for a file or a shell, with the secret as `$VARIABLE`.
        kind: `valid`, or the requirement that it tries: `none`, `malformed`, `invalid`, `expired`.
        of: the role whose token it is made of, or empty.
    """

    role: str
    value: str | None = field(repr=False)
    shown: str | None
    kind: str = "valid"
    of: str = ""


NOBODY = Credential("none", None, None, "none")


def of_role(role: str, token: str) -> Credential:
    """Return the credential of a role's token."""
    kind = EXPIRED if role == EXPIRED else "valid"
    return Credential(role, f"bearer {token}", f"bearer ${variable(role)}", kind, role)


def remade(who: Credential, token: str) -> Credential:
    """Return the same credential, made of the token that its role has now."""
    made = (of_role(who.of, token), *_altered(token))
    return next((one for one in made if (one.role, one.kind) == (who.role, who.kind)), who)


def refused(tokens: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the credentials that every operation must refuse with 401: none, malformed, invalid, expired."""
    admin = tokens[ADMIN]
    found = [
        NOBODY,
        Credential("empty", "", "", "none"),
        Credential("scheme-only", "bearer", "bearer", "malformed"),
        Credential("garbage", "bearer garbage", "bearer garbage", "malformed"),
        Credential("basic", "Basic YWRtaW46YWRtaW4=", "Basic YWRtaW46YWRtaW4=", "malformed"),
        *_altered(admin),
    ]
    if EXPIRED in tokens:
        found.append(of_role(EXPIRED, tokens[EXPIRED]))
    return tuple(found)


def _altered(admin: str) -> tuple[Credential, ...]:
    name = variable(ADMIN)
    parts = admin.split(".")
    if len(parts) != JWT_PARTS:
        return (Credential("altered", f"bearer {admin}x", f"bearer ${{{name}}}x", "invalid", ADMIN),)
    header, payload, _ = parts
    forged = base64.urlsafe_b64encode(b"purge-conformance: not a signature").decode().rstrip("=")
    cut = f"bearer {header}.{payload}"
    shown_payload = f'$(echo "${name}" | cut -d. -f2)'
    tail = TAIL if not admin.endswith(TAIL) else TAIL.lower()
    return (
        Credential(
            "altered-end",
            f"bearer {admin[: -len(tail)]}{tail}",
            f"bearer ${{{name}%{'?' * len(tail)}}}{tail}",
            "invalid",
            ADMIN,
        ),
        Credential("without-signature", cut, f"bearer ${{{name}%.*}}", "malformed", ADMIN),
        Credential("forged-signature", f"{cut}.{forged}", f"bearer ${{{name}%.*}}.{forged}", "invalid", ADMIN),
        *(
            Credential(role, f"bearer {told}.{payload}.", f"bearer {told}.{shown_payload}.", "invalid", ADMIN)
            for role, told in (("unsigned", UNSIGNED_HEADER), ("unsigned-capitalized", CAPITALIZED_HEADER))
        ),
    )
