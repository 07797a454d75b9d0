"""Cookies of a target, which are bounded in number and size (RFC 6265, 6.1 has the usual bounds)."""

from __future__ import annotations

import re
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any

from requests.cookies import MockRequest, MockResponse, RequestsCookieJar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.cookiejar import Cookie

    from requests import PreparedRequest

MAX_COOKIES = 50  # that are kept per credential
MAX_COOKIE_BYTES = 4096  # of one, with its attributes
MAX_BYTES = 16 * 1024  # of the names and values of all of them, which each request sends
LONG_AGE = re.compile(r";\s*max-age\s*=[^;]{11,}", re.IGNORECASE)  # more seconds than http.cookiejar can add


class CookieJar(RequestsCookieJar):
    """The cookies that a target set for one credential; those beyond the bounds are ignored."""

    def store(self, values: Iterable[str], request: PreparedRequest) -> None:
        """Keep the cookies of these `Set-Cookie` headers, which the response to this request had."""
        message = HTTPMessage()
        for value in values:
            if len(value) <= MAX_COOKIE_BYTES:
                message["Set-Cookie"] = LONG_AGE.sub("", value)
        self.extract_cookies(MockResponse(message), MockRequest(request))  # type: ignore[arg-type] # the name of a class

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- handed on
        """Keep a cookie if there is room for one more."""
        others = [
            each for each in self if (each.domain, each.path, each.name) != (cookie.domain, cookie.path, cookie.name)
        ]
        if len(others) < MAX_COOKIES and sum(map(_size, [*others, cookie])) <= MAX_BYTES:
            super().set_cookie(cookie, *args, **kwargs)


def _key(cookie: Cookie) -> tuple[str, str, str]:
    return cookie.domain, cookie.path, cookie.name


def _size(cookie: Cookie) -> int:
    return len(cookie.name) + len(cookie.value or "")
