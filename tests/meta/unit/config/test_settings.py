"""Settings: what a target and a token may look like, and that neither is given away."""

from __future__ import annotations

import pytest

from purge_conformance.config.settings import Limits, Settings, limits_for, parse_target
from purge_conformance.errors import BadSetting

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("https://api.example.org", "https://api.example.org", "api.example.org"),
        ("https://API.example.org/", "https://API.example.org", "api.example.org"),
        ("http://10.0.0.1:8080/cf/", "http://10.0.0.1:8080/cf", "10.0.0.1"),
        ("http://[::1]:80", "http://[::1]:80", "::1"),
    ],
)
def test_target_is_parsed(text: str, url: str, host: str) -> None:
    """A URL with or without port, prefix and trailing slash is a target."""
    target = parse_target(text)
    assert (target.url, target.host) == (url, host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.org",
        "ftp://api.example.org",
        "http://",
        "http://host?page=1",
        "http://host#top",
        "http://[::1",
        "http://host:99999",
        "http://host:port",
        "http://two words",
        "http://two\nlines",
    ],
)
def test_invalid_target_is_rejected(text: str) -> None:
    """A target that is no base URL is a bad setting, and the message says what to give."""
    with pytest.raises(BadSetting, match="Give http"):
        parse_target(text)


def test_target_with_password_is_rejected() -> None:
    """A password in the URL is rejected, and the message does not repeat it."""
    with pytest.raises(BadSetting) as caught:
        parse_target("https://admin:hunter2@api.example.org")
    assert "hunter2" not in str(caught.value)


def test_settings_hide_tokens() -> None:
    """The repr of the settings contains no token."""
    assert TOKEN not in repr(Settings(parse_target("http://localhost"), {"admin": TOKEN}))


def test_repetitions_raise_budgets() -> None:
    """Each repetition adds the purges of one run to the budget, unless a budget is given."""
    assert limits_for(1) == Limits()
    assert (limits_for(40).max_purges, limits_for(40).max_requests) == (1600, 20_220)
    given = {"max_purges": 1700, "max_requests": 50, "max_time": 90.0, "max_memory": 64}
    assert limits_for(40, **given) == Limits(**given)  # type: ignore[arg-type]
    assert (limits_for(1).max_time, limits_for(3).max_time) == (1800, 5400)
    assert (limits_for(1).max_memory, limits_for(3).max_memory) == (288, 480)
    assert limits_for(1, max_purges=0).max_purges == 0


@pytest.mark.parametrize(
    ("repeat", "most", "next_step"), [(0, 0, "1 to 200"), (201, 0, "1 to 200"), (2, 79, "--max-purges 80")]
)
def test_repetitions_need_budget(repeat: int, most: int, next_step: str) -> None:
    """Too many repetitions, or a budget that is too small, are rejected before any request."""
    with pytest.raises(BadSetting, match=next_step):
        limits_for(repeat, max_purges=most)
