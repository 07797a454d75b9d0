"""What the suite puts into Authorization, and how it is shown without giving the secret away."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ADMIN = "admin"
EXPIRED = "expired"
ROLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
ADMIN_SCOPE = "cloud_controller.admin"
UNSIGNED_HEADER = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
CAPITALIZED_HEADER = "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"  # the same with None
JWT_PARTS = 3
TAIL = "AAAAAAAA"  # in place of the end of a signature
MOST_SECONDS = 253_402_300_799  # the last second of the year 9999
COOKIE = "$COOKIE"  # in place of the value of a cookie
COOKIE_VALUE = re.compile("=[^;]*")
REDACTED = re.compile(r"\$[A-Z0-9_]+_TOKEN(?:_PART)?(?![A-Z0-9_])")
SECRET = 8  # characters that a secret has at the least
# What a shell may fill in: the shapes of `Credential.shown` below, and nothing else that a record could hold.
FILLED_IN = re.compile(
    rf"bearer (\$\{{[A-Z0-9_]+%\?+\}}(?i:{TAIL})|"
    r"\$[A-Z0-9_]+|\$\{[A-Z0-9_]+\}x|\$\{[A-Z0-9_]+%\.\*\}(\.[A-Za-z0-9_-]+)?"
    rf'|({UNSIGNED_HEADER}|{CAPITALIZED_HEADER})\.\$\(echo "\$[A-Z0-9_]+" \| cut -d\. -f2\)\.)'
)


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


def variable(role: str) -> str:
    """Return the environment variable that stands for a role's token in everything that is shown."""
    return re.sub(r"[^A-Z0-9]", "_", role.upper()) + "_TOKEN"


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


def scopes(token: str) -> frozenset[str] | None:
    """Return the scopes that a JWT claims, unverified; None where the token is no readable JWT."""
    scope = _claims(token).get("scope")
    if isinstance(scope, str):
        scope = scope.split()
    return frozenset(str(item) for item in scope) if isinstance(scope, list) else None


def expiry(token: str) -> float | None:
    """Return when a JWT says that it ends, in seconds since the epoch; None where it says nothing readable."""
    match _claims(token).get("exp"):
        case int() | float() as end if 0 <= end <= MOST_SECONDS:
            return float(end)
    return None


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return {}
    try:
        payload: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, and as it stands in a URL, in JSON, in HTML, and anywhere in Base64."""
    coded = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    json_text = json.dumps(secret)[1:-1]
    return {secret, quote(secret, safe=""), json_text, json_text.replace("/", r"\/"), html.escape(secret), *coded}


def without_cookies(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers without the values of cookies, since such may stand for whoever was given one.

    Of a value stays what a redactor wrote into it: that a token of the suite's own was there.
    """
    first = {"set-cookie": 1, "cookie": 0}  # of a cookie that is set the first value alone is its own
    return tuple(
        (name, COOKIE_VALUE.sub(_masked, value, count=first[name.lower()]) if name.lower() in first else value)
        for name, value in headers
    )


def _masked(value: re.Match[str]) -> str:
    return "".join([f"={COOKIE}", *REDACTED.findall(value[0])])


class Redactor:
    """Replaces every secret that it knows by the variable that stands for it."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        """Know the tokens of these roles."""
        self._pairs: list[tuple[str, str]] = []
        self._beginnings: list[str] = []
        self._beginnings_bytes: list[bytes] = []
        for role, token in tokens.items():
            self.learn(variable(role), token)

    def learn(self, name: str, secret: str) -> None:
        """Know a further secret, and the parts of a JWT that are secret: its payload and its signature.

        What is shorter than `SECRET` is none: an emulator's token may be a word that its answers hold as well.
        """
        parts = secret.split(".")[1:]
        pairs = {*((form, f"${name}") for form in _forms(secret)), *((part, f"${name}_PART") for part in parts)}
        pairs |= {(part[: -len(TAIL)], f"${name}_PART") for part in parts[-1:]}
        known = {*self._pairs, *(pair for pair in pairs if len(pair[0]) >= SECRET)}
        self._pairs = sorted(known, key=lambda pair: (-len(pair[0]), pair))
        secrets = {each for each, _ in self._pairs}
        least = [each for each in secrets if not any(other in each for other in secrets - {each})]
        # Where none of these is, no secret is either. Many begin alike; a long answer is searched for each.
        self._beginnings = list({each[:SECRET] for each in least})
        self._beginnings_bytes = [each.encode() for each in self._beginnings]

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if any(beginning in text for beginning in self._beginnings):
            for secret, shown in self._pairs:
                text = text.replace(secret, shown)
        return text

    def headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return the headers, their values without secrets."""
        whole = "\n".join(value for _, value in headers)
        if self.text(whole) == whole:
            return tuple(headers)
        return tuple((name, self.text(value)) for name, value in headers)

    def data(self, data: bytes) -> bytes:
        """Return the bytes without secrets."""
        if any(beginning in data for beginning in self._beginnings_bytes):
            for secret, shown in self._pairs:
                data = data.replace(secret.encode(), shown.encode())
        return data
