"""Masks passwords in URLs, which a target must not show (LEAK-03): `https://user:***@host`.

A URL may be encoded for a URL, for JSON or for HTML, whole or only in its delimiters.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from purge_conformance.evidence.bodies import LateBody, body_of
from purge_conformance.evidence.steps import YES, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.evidence.records import Exchange

MASK = "***"

_COLON = r"(?::|%3[aA]|\\+u003[aA]|&#58;|&#[xX]3[aA];|&colon;)"
_SLASH = r"(?:\\*/|%2[fF]|\\+u002[fF]|&#47;|&#[xX]2[fF];|&sol;)"
_AT = r"(?:@|%40|\\+u0040|&#64;|&#[xX]40;|&commat;)"
_INNER = rf"(?:(?!{_SLASH}|{_AT})[^\s\"<>?#])"
_USER = rf"(?:(?!{_COLON}){_INNER})*"
_PASSWORD = re.compile(rf"(?<=[A-Za-z0-9+.-])({_COLON}{_SLASH}{_SLASH}{_USER}{_COLON})({_INNER}+)(?={_AT})")
_HAS_AT = re.compile(_AT)
_MASKED = re.compile(r"[*xX.•-]+|.*(redacted|filtered|hidden|masked|private).*", re.IGNORECASE | re.DOTALL)


def leaks_password(exchange: Exchange) -> bool:
    """Return whether a response showed a URL with a password that was not masked and that the request has not."""
    return Tag.URL_PASSWORD in exchange.tags or any(_passwords(exchange))


def mask_passwords(text: str, known: Callable[[str], bool] = lambda _: False) -> str:
    """Return a text with a mask instead of each password in a URL, except those that are `known` to its reader."""
    return _PASSWORD.sub(lambda match: match[1] + (match[2] if _is_shown(match[2], known) else MASK), text)


def may_show_password(text: str) -> bool:
    """Return whether a text shows a URL with a password that is not masked; the request may have it."""
    return bool(_HAS_AT.search(text)) and any(not _MASKED.fullmatch(match[2]) for match in _PASSWORD.finditer(text))


def without_passwords(exchange: Exchange) -> Exchange:
    """Return the exchange with a mask instead of each password that the response shows in a URL, and tagged for it.

    If its body is late, so is the mask in the body, and only the headers decide on the tag.
    """
    body = body_of(exchange)
    if isinstance(body, LateBody):
        masked = without_passwords(replace(exchange, body=b""))
        return replace(masked, body=body.then(lambda data: without_passwords(replace(exchange, body=data)).body))
    if not any(_passwords(exchange)):
        return exchange

    def mask(text: str) -> str:
        return mask_passwords(text, lambda password: _is_in_request(password, exchange))

    return replace(
        exchange,
        body=mask(exchange.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"),
        response_headers=tuple((mask(name), mask(value)) for name, value in exchange.response_headers),
        error=None if exchange.error is None else mask(exchange.error),
        tags={**exchange.tags, Tag.URL_PASSWORD: YES},
    )


def _passwords(exchange: Exchange) -> Iterator[str]:
    """Yield the passwords that are not masked and not in the request."""
    headers = "\n".join(part for header in exchange.response_headers for part in header)
    for text in filter(_HAS_AT.search, (exchange.text, headers, exchange.error or "")):
        for _, password in _PASSWORD.findall(text):
            if not _is_shown(password, lambda each: _is_in_request(each, exchange)):
                yield password


def _is_shown(password: str, known: Callable[[str], bool]) -> bool:
    return bool(_MASKED.fullmatch(password)) or known(password)


def _is_in_request(password: str, exchange: Exchange) -> bool:
    """Return whether the request has the password, which a response may quote."""
    sent = f"{exchange.path} {unquote_plus(exchange.path)} {exchange.request_body or ''}"
    return password in sent or unquote(password) in sent
