"""Passwords in URLs are masked in what is recorded, and reported all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from purge_conformance.evidence.jsonl import to_json
from purge_conformance.evidence.records import Exchange
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.url_passwords import leaks_password, mask_passwords, without_passwords
from purge_conformance.report.model import Finding

SHOWN = "https://user:***@git.example/x"


def exchange(**members: Any) -> Exchange:  # noqa: ANN401 -- its members
    """Return an exchange with these members."""
    usual = {"n": 1, "scenario": Scenario.READS, "place": Place(Step.LIST), "role": "admin", "method": "GET"}
    usual |= {"path": "/", "request_headers": (), "request_body": None, "sent_at": 0.0, "elapsed": 0.0, "status": 200}
    return Exchange(**{**usual, "response_headers": (), "body": b"", **members})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://user:s3cret@git.example/x", SHOWN),
        (r"https:\/\/user:s3cret@git.example\/x", r"https:\/\/user:***@git.example\/x"),
        (r"https:\u002f\u002fuser:s3cret\u0040git", r"https:\u002f\u002fuser:***\u0040git"),
        ("to=https%3A%2F%2Fuser%3As3cret%40git", "to=https%3A%2F%2Fuser%3A***%40git"),
        ("https:&#x2F;&#x2F;user:s3cret&#64;git", "https:&#x2F;&#x2F;user:***&#64;git"),
        ("redis://:s3cret@host and a://b:c@d", "redis://:***@host and a://b:***@d"),
        ("https://host:8080/a@b https://user@host mailto:a@b", "https://host:8080/a@b https://user@host mailto:a@b"),
        ("https://user:REDACTED@host https://user:xxxx@host", "https://user:REDACTED@host https://user:xxxx@host"),
    ],
)
def test_password_is_masked(text: str, found: str) -> None:
    """A password is masked where its URL is, encoded or not; one that the target has masked stays."""
    assert (mask_passwords(text), mask_passwords(found)) == (found, found)


@pytest.mark.parametrize("place", ["body", "header", "error"])
def test_leak_is_recorded_without_password(place: str) -> None:
    """An exchange is recorded without the password, and counts as a leak before and after."""
    text = "see https://user:s3cret@git.example/x"
    places: dict[str, dict[str, Any]] = {
        "body": {"body": json.dumps({"name": text}).encode()},
        "header": {"response_headers": (("Location", text),)},
        "error": {"status": None, "error": text},
    }
    old = exchange(**places[place])
    new = without_passwords(old)
    assert (leaks_password(old), leaks_password(new), without_passwords(new)) == (True, True, new)
    assert ("s3cret" in to_json(new), SHOWN in to_json(new), new.tags) == (False, True, {Tag.URL_PASSWORD: "yes"})


@pytest.mark.parametrize(
    "members",
    [
        {"path": "/?url=http%3A%2F%2Fa%3As3cret%40b", "body": b"http://a:s3cret@b"},
        {"request_body": "http://a:s3cret@b", "body": b"http://a:s3cret@b"},
        {"body": b"http://a:***@b"},
        {"body": b"\xff\xfe@ no text"},
    ],
)
def test_what_is_no_leak_is_unchanged(members: dict[str, Any]) -> None:
    """A password that the request itself has, and one that is masked, are recorded as they came."""
    sent = exchange(**members)
    assert (leaks_password(sent), without_passwords(sent) is sent) == (False, True)


def test_finding_shows_no_password() -> None:
    """A finding from evidence of an older suite, which has the password, does not show it."""
    assert Finding("no URL with a password", "200 https://user:s3cret@git.example/x").got == f"200 {SHOWN}"
