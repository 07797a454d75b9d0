"""Replaces secrets in everything that is recorded or shown by the names of variables."""

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
SIGNATURE_FILLER = "AAAAAAAA"  # in place of the end of a signature
COOKIE_PLACEHOLDER = "$COOKIE"  # in place of the value of a cookie
COOKIE_VALUE = re.compile("=[^;]*")
TOKEN_PLACEHOLDER = re.compile(r"\$[A-Z0-9_]+_TOKEN(?:_PART)?(?![A-Z0-9_])")
MIN_SECRET_LENGTH = 8  # a shorter text is not redacted
# What a shell may expand: the forms of `Credential.redacted`, and nothing else that a record could hold.
SHELL_EXPANDABLE = re.compile(
    rf"bearer (\$\{{[A-Z0-9_]+%\?+\}}(?i:{SIGNATURE_FILLER})|"
    r"\$[A-Z0-9_]+|\$\{[A-Z0-9_]+\}x|\$\{[A-Z0-9_]+%\.\*\}(\.[A-Za-z0-9_-]+)?"
    rf'|({UNSIGNED_HEADER}|{CAPITALIZED_HEADER})\.\$\(echo "\$[A-Z0-9_]+" \| cut -d\. -f2\)\.)'
)


def token_variable(role: str) -> str:
    """Return the name of the environment variable that replaces a role's token."""
    return re.sub(r"[^A-Z0-9]", "_", role.upper()) + "_TOKEN"


def _encodings(secret: str) -> set[str]:
    """Return a secret unchanged, and as encoded in a URL, in JSON, in HTML and at each offset in Base64."""
    coded = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    json_text = json.dumps(secret)[1:-1]
    return {secret, quote(secret, safe=""), json_text, json_text.replace("/", r"\/"), html.escape(secret), *coded}


def without_cookies(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers without the values of cookies, because a cookie may authenticate its receiver.

    A placeholder of a `Redactor` in a value is kept: it shows that the cookie contained a token of the suite.
    """
    replace_count = {"set-cookie": 1, "cookie": 0}  # Set-Cookie: attributes follow the first value
    return tuple(
        (
            name,
            COOKIE_VALUE.sub(_mask_cookie, value, count=replace_count[name.lower()])
            if name.lower() in replace_count
            else value,
        )
        for name, value in headers
    )


def _mask_cookie(value: re.Match[str]) -> str:
    return "".join([f"={COOKIE_PLACEHOLDER}", *TOKEN_PLACEHOLDER.findall(value[0])])


class Redactor:
    """Replaces every known secret by `$` and the name of its variable."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        """Start with these tokens, by role."""
        self._pairs: list[tuple[str, str]] = []
        self._prefixes: list[str] = []
        self._prefix_bytes: list[bytes] = []
        for role, token in tokens.items():
            self.add_secret(token_variable(role), token)

    def add_secret(self, name: str, secret: str) -> None:
        """Add a secret and, of a JWT, its payload and its signature.

        A text shorter than `MIN_SECRET_LENGTH` is ignored: an emulator's token may be a word of its responses.
        """
        parts = secret.split(".")[1:]
        pairs = {*((form, f"${name}") for form in _encodings(secret)), *((part, f"${name}_PART") for part in parts)}
        pairs |= {(part[: -len(SIGNATURE_FILLER)], f"${name}_PART") for part in parts[-1:]}
        known_pairs = {*self._pairs, *(pair for pair in pairs if len(pair[0]) >= MIN_SECRET_LENGTH)}
        self._pairs = sorted(known_pairs, key=lambda pair: (-len(pair[0]), pair))
        secrets = {each for each, _ in self._pairs}
        minimal = [each for each in secrets if not any(other in each for other in secrets - {each})]
        # A text without any of these prefixes has no secret. There are few, so long responses are searched fast.
        self._prefixes = list({each[:MIN_SECRET_LENGTH] for each in minimal})
        self._prefix_bytes = [each.encode() for each in self._prefixes]

    def contains_secret(self, text: str) -> bool:
        """Return whether the text contains a known secret."""
        return self.redact_text(text) != text

    def redact_text(self, text: str) -> str:
        """Return the text with placeholders instead of secrets."""
        if any(beginning in text for beginning in self._prefixes):
            for secret, placeholder in self._pairs:
                text = text.replace(secret, placeholder)
        return text

    def redact_headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return the headers with placeholders instead of secrets in their values."""
        joined = "\n".join(value for _, value in headers)
        if self.redact_text(joined) == joined:
            return tuple(headers)
        return tuple((name, self.redact_text(value)) for name, value in headers)

    def redact_bytes(self, data: bytes) -> bytes:
        """Return the bytes with placeholders instead of secrets."""
        if any(beginning in data for beginning in self._prefix_bytes):
            for secret, placeholder in self._pairs:
                data = data.replace(secret.encode(), placeholder.encode())
        return data
