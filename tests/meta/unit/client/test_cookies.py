"""Cookies of a target are bounded in number and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from requests import Request

from purge_conformance.client.cookies import MAX_BYTES, MAX_COOKIE_BYTES, MAX_COOKIES, CookieJar

if TYPE_CHECKING:
    from collections.abc import Iterable


def stored(*answers: Iterable[str]) -> CookieJar:
    """Return the cookies after answers with these `Set-Cookie` headers."""
    jar = CookieJar()
    for values in answers:
        jar.store(values, Request("GET", "http://target.example/v3").prepare())
    return jar


def test_the_number_is_bounded() -> None:
    """The first cookies are kept, and a cookie that is kept can change."""
    jar = stored(*([f"c{n}=1"] for n in range(3 * MAX_COOKIES)), [f"c{n}=2" for n in range(3 * MAX_COOKIES)])
    assert dict(jar) == {f"c{n}": "2" for n in range(MAX_COOKIES)}


@pytest.mark.parametrize(
    "value",
    [
        f"c={'x' * MAX_COOKIE_BYTES}",
        f"{'x' * MAX_COOKIE_BYTES}=1",
        f"c=1; Domain={'x' * MAX_COOKIE_BYTES}",
        f"c=1; Expires={' ' * MAX_COOKIE_BYTES}",
    ],
)
def test_large_cookies_are_ignored(value: str) -> None:
    """A cookie that is too large with its attributes is ignored; others of the same answer are kept."""
    assert dict(stored([value, "d=1"])) == {"d": "1"}


def test_the_size_of_all_is_bounded() -> None:
    """All cookies together stay below their bound."""
    jar = stored([f"c{n}={'x' * 4000}" for n in range(MAX_COOKIES)])
    assert dict(jar) == {f"c{n}": "x" * 4000 for n in range(MAX_BYTES // 4002)}


@pytest.mark.parametrize("age", [10**400, -(10**400), "9" * 4000, "x"], ids=["large", "small", "longest", "text"])
def test_odd_ages_do_no_harm(age: object) -> None:
    """A Max-Age that no clock has does not raise."""
    assert len(stored([f"c=1; Max-Age={age}", "d=1"])) in {1, 2}
