"""Replaces secrets in everything that is recorded or shown."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


UNSIGNED_HEADER = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}


CAPITALIZED_HEADER = "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"  # the same with None


TAIL = "AAAAAAAA"  # in place of the end of a signature


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


def variable(role: str) -> str:
    """Return the environment variable that stands for a role's token in everything that is shown."""
    return re.sub(r"[^A-Z0-9]", "_", role.upper()) + "_TOKEN"


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
