"""Replaces secrets in everything that is recorded or shown by the names of variables.

A secret is found in a text and in each of its decoded forms (`evidence/decoding.py`). One that stands there unchanged,
or as it is usually encoded, is replaced in place. Otherwise the smallest part of the text that has it is left out.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from purge_conformance.evidence.credential_context import credential_pattern, reason_for_care
from purge_conformance.evidence.decoding import TooManyViews, views
from purge_conformance.evidence.needle_index import NeedleIndex
from purge_conformance.evidence.needles import (
    MIN_SECRET_LENGTH,
    base64_needles,
    canonical,
    literal,
    plain_codes,
    plain_forms,
)
from purge_conformance.evidence.units import TOO_DEEP, Units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

UNSIGNED_HEADER = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
CAPITALIZED_HEADER = "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"  # the same with None
SIGNATURE_FILLER = "AAAAAAAA"  # in place of the end of a signature
TOKEN_EXTENSION = "AAAA"  # noqa: S105 -- no secret: stands after the end of a token: whatever its length, it encodes more bytes
MIN_COOKIE_LENGTH = 16  # of a value that could authenticate; a shorter one may be a word of responses
MAX_COOKIES = 200  # that a target can make known as secrets
MAX_CLEAN = 100_000  # texts that are known to have no secret
COOKIE_PLACEHOLDER = "$COOKIE"  # in place of the value of a cookie
COOKIE_VALUE = re.compile("=[^;]*")
TOKEN_PLACEHOLDER = re.compile(r"\$[A-Z0-9_]+_TOKEN(?:_PART)?(?![A-Z0-9_])")
# What a shell may expand: the forms of `Credential.redacted`, and nothing else that a record could hold.
_NAME = "[A-Z0-9_]+"
_COMMAND = r"cut -d\. -f2-?|sed s/\./[BC]/[0-9]+|sed 's/\./& /[0-9]+'|sed 's/\[\.\]/%2E/g'|tr a-zA-Z A-Za-z"
_SCHEMES = "Basic|Token|MAC|JWT|DPoP|OAuth|BearerToken|Bearer|BEARER"
SHELL_EXPANDABLE = re.compile(
    rf"bearer (\$\{{{_NAME}%\?+\}}(?i:{SIGNATURE_FILLER})?|\$\{{{_NAME}#\?\}}|\$\{{{_NAME}\}}(x|\.?{TOKEN_EXTENSION})|"
    rf"\$\{{{_NAME}%\.\*\}}(\.([A-Za-z0-9_-]*|\$\{{{_NAME}##\*\.\}}))?|"
    rf'\$\{{{_NAME}%\.\*\}}\.\$\(echo "\$\{{{_NAME}##\*\.\}}" \| tr a-zA-Z A-Za-z\)|'
    rf"\$\{{{_NAME}%%\.\*\}}\.[A-Za-z0-9_-]+\.\$\{{{_NAME}##\*\.\}}|"
    rf'([A-Za-z0-9_-]+\.)?\$\(echo "\${_NAME}" \| ({_COMMAND})\)\.?|'
    rf"\${_NAME} \${_NAME}|\${_NAME}, bearer garbage)|"
    rf"(bearer (bearer |garbage, bearer )?|bearer=?|({_SCHEMES}) )?\${_NAME}|"
    rf'bearer (token=)?\\"\${_NAME}\\"|'
    rf"""Basic \$\(printf (admin:%s|%s:) "\${_NAME}" \| base64 \| tr -d '\\n'\)"""
)


def token_variable(role: str) -> str:
    """Return the name of the environment variable that replaces a role's token."""
    return f"{variable(role)}_TOKEN"


def fragment_variable(role: str) -> str:
    """Return the name of the variable that replaces a part of a role's token."""
    return f"{token_variable(role)}_PART"


def refresh_variable(role: str) -> str:
    """Return the name of the variable that replaces a role's refresh token."""
    return f"{variable(role)}_REFRESH_TOKEN"


def variable(text: str) -> str:
    """Return a text as the name of an environment variable."""
    return re.sub(r"[^A-Z0-9]", "_", text.upper())


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
    """Knows the secrets of a process, and replaces each by `$` and the name of its variable.

    Threads may share it: one that reads a response may learn a secret while another one searches.

    Attributes:
        warnings: what is a secret that cannot be replaced everywhere, in words -> why.
        needles: what is found in a canonical text.
        literals: what is found in lower case, because its canonical form is short -> name.
        patterns: of the secrets that are replaced only where they stand as a credential: pattern, the secret in lower
            case, name.
    """

    def __init__(self, tokens: Mapping[str, str] | None = None) -> None:
        """Start with these tokens, by role."""
        self.warnings: dict[str, str] = {}
        self._learned: set[tuple[str, str]] = set()
        self._forms: dict[bytes, str] = {}  # what is replaced in place -> name
        self._lock = RLock()
        self.needles = NeedleIndex()
        self.literals: dict[bytes, str] = {}
        self.patterns: list[tuple[re.Pattern[bytes], bytes, str]] = []
        self._only_ascii = True
        self._cookies = 0
        self._clean: set[int] = set()  # hashes of texts that were searched since the last secret was added
        self._units = Units(self._find, self._has_secret, self._replace)
        for role, token in (tokens or {}).items():
            self.add_secret(token_variable(role), token)

    def add_secret(self, name: str, secret: str, what: str = "") -> None:
        """Add a secret and, of a JWT, its payload and its signature.

        A secret that is short, or a word that the suite itself writes, is replaced only where it stands as a
        credential; then there is a warning.

        Args:
            name: of the variable that replaces it.
            secret: nothing is added if it is empty.
            what: the secret in words for a warning, for example "token of admin"; empty: there is no warning.
        """
        with self._lock:
            if secret and (name, secret) not in self._learned:
                self._learn(name, secret, what)

    def add_cookies(self, headers: Iterable[tuple[str, str]]) -> None:
        """Add the values of cookies that a response sets, if they are long enough to authenticate their receiver."""
        for value in (value for name, value in headers if name.lower() == "set-cookie"):
            cookie = value.partition(";")[0].partition("=")[2].strip().strip('"')
            if len(cookie) >= MIN_COOKIE_LENGTH and self._cookies < MAX_COOKIES and not reason_for_care(cookie):
                self._cookies += ("COOKIE", cookie) not in self._learned
                self.add_secret("COOKIE", cookie)

    def contains_secret(self, text: str) -> bool:
        """Return whether a text contains a known secret, however encoded, or cannot be searched."""
        return self.bytes_contain_secret(text.encode("utf-8", "surrogatepass"))

    def bytes_contain_secret(self, data: bytes) -> bool:
        """Return whether bytes contain a known secret, however encoded, or cannot be searched."""
        try:
            with self._lock:
                return self._has_secret(data)
        except TooManyViews:
            return True

    def redact_text(self, text: str) -> str:
        """Return the text with placeholders instead of secrets."""
        data = text.encode("utf-8", "surrogatepass")
        redacted = self._redact(data, self._units.without_secrets)
        return text if redacted is data else redacted.decode("utf-8", "surrogatepass")

    def redact_bytes(self, data: bytes) -> bytes:
        """Return the bytes with placeholders instead of secrets."""
        return self._redact(data, self._units.without_secrets)

    def redact_headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return the headers with placeholders instead of secrets in their names and values."""
        if not self.contains_secret("\n".join(text for header in headers for text in header)):
            return tuple(headers)
        return tuple((self._redact_unit(name), self._redact_unit(value)) for name, value in headers)

    def redact_value(self, value: Any) -> Any:  # noqa: ANN401 -- any value of a record
        """Return a value with placeholders instead of secrets in all of its texts, its keys among them."""
        if type(value) is str:
            return self.redact_text(value)
        if isinstance(value, dict):
            return {self.redact_value(key): self.redact_value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self.redact_value, value))
        if is_dataclass(value) and not isinstance(value, type):
            changes = {each.name: self.redact_value(getattr(value, each.name)) for each in fields(value)}
            return replace(cast("Any", value), **changes)
        return value

    def redact_error(self, error: BaseException) -> None:
        """Replace the secrets in the text of an exception."""
        error.args = self.redact_value(error.args)

    def _learn(self, name: str, secret: str, what: str) -> None:
        self._learned.add((name, secret))
        self._clean.clear()
        self._only_ascii = self._only_ascii and secret.isascii()
        if reason := reason_for_care(secret):
            self.patterns.append((credential_pattern(secret), literal(secret.encode("utf-8", "surrogatepass")), name))
            if what:
                self.warnings[what] = reason
            return
        self._add(name, secret)
        self._add_needles(name, base64_needles(secret))
        parts = secret.split(".")[1:]
        for part in [*parts, *(part[: -len(SIGNATURE_FILLER)] for part in parts[-1:])]:
            if len(part) >= MIN_SECRET_LENGTH and not reason_for_care(part):
                self._add(f"{name}_PART", part)
                self._add_needles(f"{name}_PART", base64_needles(part))

    def _redact_unit(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return self._redact(data, self._units.whole).decode("utf-8", "surrogatepass")

    def _redact(self, data: bytes, redact: Callable[[bytes], bytes]) -> bytes:
        try:
            with self._lock:
                return redact(data) if self._has_secret(data) else data
        except TooManyViews:
            return TOO_DEEP

    def _has_secret(self, data: bytes) -> bool:
        if hash(data) in self._clean:
            return False
        found = any(self._names(view) for view in views(data, only_ascii=self._only_ascii))
        if not found and len(self._clean) < MAX_CLEAN:
            self._clean.add(hash(data))
        return found

    def _find(self, data: bytes) -> set[str]:
        return {name for view in views(data, only_ascii=self._only_ascii) for name in self._names(view)}

    def _names(self, view: bytes) -> set[str]:
        """Return the names of the secrets in one view, without decoding it."""
        names = {self.needles.needles[needle] for needle in self.needles.found(canonical(view))}
        if self.literals or self.patterns:
            lower = literal(view)
            names |= {name for literal, name in self.literals.items() if literal in lower}
            names |= {name for pattern, secret, name in self.patterns if secret in lower and pattern.search(view)}
        return names

    def _replace(self, data: bytes) -> bytes:
        """Return the bytes without the secrets that stand there as they are, or as usually encoded, in any case."""
        lower = data.lower()
        for form, name in sorted(self._forms.items(), key=lambda pair: (-len(pair[0]), pair)):
            if form.lower() in lower:
                data = re.sub(re.escape(form), f"${name}".encode(), data, flags=re.IGNORECASE)
                lower = data.lower()
        for pattern, _, name in self.patterns:
            data = pattern.sub(rb"\1" + f"${name}".encode(), data)
        return data

    def _add(self, name: str, secret: str) -> None:
        for form in plain_forms(secret):
            if len(form) >= MIN_SECRET_LENGTH:
                self._forms.setdefault(form.encode("utf-8", "surrogatepass"), name)
        codes = plain_codes(secret)
        self._add_needles(name, map(canonical, codes))
        for code in codes:
            if len(canonical(code)) < MIN_SECRET_LENGTH:
                self.literals.setdefault(literal(code), name)

    def _add_needles(self, name: str, needles: Iterable[bytes]) -> None:
        for needle in needles:
            self.needles.add(needle, name)
