"""Consent to purge a target."""

from __future__ import annotations

import pytest

from purge_conformance.config.settings import Target
from purge_conformance.errors import (
    ConsentMissing,
)
from purge_conformance.target.consent import require_consent


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:1", []),
        ("http://[::1]", []),
        ("https://api.example.org", ["api.example.org"]),
        ("https://API.example.org/cf", ["other", "Api.Example.Org"]),
        ("https://api.example.org", ["api.example.org:443"]),
        ("https://api.example.org:8443", ["api.example.org"]),
        ("https://api.example.org:8443", ["api.example.org:8443"]),
        ("https://[fd00::1]", ["fd00::1"]),
        ("https://[fd00::1]:8443", ["[fd00::1]:8443"]),
    ],
)
def test_consent_allows_purge(url: str, allowed: list[str]) -> None:
    """A local host, and a host that was named, may be purged."""
    require_consent(Target(url), allowed)


@pytest.mark.parametrize("allowed", [[], ["example.org"], ["*"], [""], ["api.example.org:80"]])
def test_missing_consent_is_explained(allowed: list[str]) -> None:
    """Any other host or port may not be purged; the message says what is destroyed and how to allow it."""
    with pytest.raises(ConsentMissing, match=r"billing data.*--allow-purge api\.example\.org"):
        require_consent(Target("https://api.example.org"), allowed)


@pytest.mark.parametrize("typed", ["api.example.org", " API.example.org ", "api.example.org:443"])
def test_typed_host_gives_consent(typed: str) -> None:
    """The typed host name gives consent, after the prompt has said what is destroyed."""
    prompts: list[str] = []
    require_consent(Target("https://api.example.org"), [], lambda question: prompts.append(question) or typed)  # type: ignore[func-returns-value] # None, so that what was typed is returned
    assert "billing data" in prompts[0]


@pytest.mark.parametrize("typed", ["", "y", "yes", "example.org", "api.example.org:80"])
def test_other_input_gives_no_consent(typed: str) -> None:
    """Any other input gives no consent."""
    with pytest.raises(ConsentMissing, match="Nothing was sent"):
        require_consent(Target("https://api.example.org"), [], lambda _: typed)


def test_wrong_host_skips_prompt() -> None:
    """If another host was allowed there is no prompt: the two names must agree."""
    with pytest.raises(ConsentMissing, match=r"api\.example\.com is another host"):
        require_consent(Target("https://api.example.org"), ["api.example.com"], lambda _: "api.example.org")
