"""The guard: consent, budgets, the archive, and whatever a server could take for a purge."""

from __future__ import annotations

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge
from purge_conformance.client.guard import CLEANUP_RESERVE, Guard
from purge_conformance.config.settings import Limits, Target
from purge_conformance.errors import (
    BudgetExhausted,
    ConsentMissing,
    Interrupted,
    PurgeBlocked,
    RequestBlocked,
    WriteBlocked,
)
from purge_conformance.target.consent import require_consent

NAME = PURGE_PATH.rpartition("/")[2]


def guard(**limits: int) -> Guard:
    """Return a guard that has archived."""
    made = Guard(Limits(**limits))
    made.is_archived = True
    return made


@pytest.mark.parametrize(
    "path",
    [
        PURGE_PATH,
        f"{PURGE_PATH}?async=true",
        f"{PURGE_PATH}/",
        f"{PURGE_PATH}//",
        f"{PURGE_PATH}.json",
        f"/{PURGE_PATH}",
        f"//{PURGE_PATH}",
        PURGE_PATH.upper(),
        PURGE_PATH.replace("/actions", "//actions"),
        PURGE_PATH.replace("_", "%5F"),
        PURGE_PATH.replace("/actions/", "%2Factions%2F"),
        PURGE_PATH.replace("/actions", "/./actions"),
        PURGE_PATH.replace("/actions", "/other/../actions"),
        f"{PURGE_PATH};v=1",
        f"{PURGE_PATH}%0A",
    ],
)
def test_purge_is_known(path: str) -> None:
    """A POST on the purge's path is a purge, however the path is spelt."""
    assert is_purge("POST", path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PURGE_PATH),
        ("DELETE", PURGE_PATH),
        ("POST", EVENTS_PATH),
        ("POST", f"{PURGE_PATH}/no_such_route"),
        ("POST", f"{EVENTS_PATH}/actions/no_such_action"),
        ("POST", f"/v3/service_usage_events/actions/{NAME}"),
        ("POST", f"/v3/apps?next={PURGE_PATH}"),
    ],
)
def test_other_requests_are_none(method: str, path: str) -> None:
    """Other methods, other paths and the path within a query are no purges."""
    assert not is_purge(method, path)


@pytest.mark.parametrize("path", ["//[", "//[x/y", "/%", "/%zz", ""])
def test_odd_path_is_no_purge(path: str) -> None:
    """A path that cannot be parsed is no purge, and breaks nothing."""
    assert not is_purge("POST", path)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_purge_budget_holds(most: int) -> None:
    """Exactly `max_purges` purges of the admin pass, and the one after them tells the cure."""
    held = guard(max_purges=most)
    for _ in range(most):
        held.admit("POST", PURGE_PATH, "admin")
    with pytest.raises(PurgeBlocked, match="--max-purges"):
        held.admit("POST", f"{PURGE_PATH}/", "admin")
    assert (held.purges, held.purges_left, held.requests) == (most, 0, most)


def test_other_roles_spend_no_purge() -> None:
    """A purge that nobody with the admin's token asks for leaves the budget of purges as it is."""
    held = guard(max_purges=0)
    held.admit("POST", PURGE_PATH, "none")
    assert (held.purges, held.requests) == (0, 1)


@pytest.mark.parametrize("role", ["admin", "none", "global_auditor"])
def test_nothing_is_purged_before_archive(role: str) -> None:
    """No purge passes before the events are archived, whoever asks: a target may let anybody."""
    with pytest.raises(PurgeBlocked, match="archived"):
        Guard(Limits()).admit("POST", PURGE_PATH, role)


def test_request_budget_keeps_reserve() -> None:
    """The requests that take the suite's own apps down are kept back, and given free at the end."""
    held = guard(max_requests=CLEANUP_RESERVE + 1)
    held.admit("GET", EVENTS_PATH, "admin")
    with pytest.raises(BudgetExhausted, match="--max-requests"):
        held.admit("GET", EVENTS_PATH, "admin")
    held.release_cleanup_reserve()
    for _ in range(CLEANUP_RESERVE):
        held.admit("DELETE", "/v3/apps/1", "admin")
    with pytest.raises(RequestBlocked):
        held.admit("DELETE", "/v3/apps/1", "admin")
    assert (held.requests, held.requests_left) == (CLEANUP_RESERVE + 1, 0)


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
def test_consent_is_enough(url: str, allowed: list[str]) -> None:
    """This machine, and a host that was named, may be purged."""
    require_consent(Target(url), allowed)


@pytest.mark.parametrize("allowed", [[], ["example.org"], ["*"], [""], ["api.example.org:80"]])
def test_consent_is_missing(allowed: list[str]) -> None:
    """Any other host, or port, may not, and the message says what is destroyed and how to allow it."""
    with pytest.raises(ConsentMissing, match=r"billing data.*--allow-purge api\.example\.org"):
        require_consent(Target("https://api.example.org"), allowed)


@pytest.mark.parametrize("typed", ["api.example.org", " API.example.org ", "api.example.org:443"])
def test_typed_host_is_enough(typed: str) -> None:
    """A person who types the host's name allows it, and is told before what is destroyed."""
    asked: list[str] = []
    require_consent(Target("https://api.example.org"), [], lambda question: asked.append(question) or typed)  # type: ignore[func-returns-value] # None, so that what was typed is returned
    assert "billing data" in asked[0]


@pytest.mark.parametrize("typed", ["", "y", "yes", "example.org", "api.example.org:80"])
def test_other_words_allow_nothing(typed: str) -> None:
    """Whoever types anything else allows nothing."""
    with pytest.raises(ConsentMissing, match="Nothing was sent"):
        require_consent(Target("https://api.example.org"), [], lambda _: typed)


def test_wrong_host_is_not_asked_about() -> None:
    """Where another host was allowed nobody is asked: a slip in one of two names is what naming it twice is for."""
    with pytest.raises(ConsentMissing, match=r"api\.example\.com is another host"):
        require_consent(Target("https://api.example.org"), ["api.example.com"], lambda _: "api.example.org")


def test_closed_guard_lets_only_last_orders_pass() -> None:
    """Once closed nothing passes, and after the last orders all but a purge; the first reason is told."""
    held = guard()
    held.close("It was interrupted.")
    held.close("Something else.")
    with pytest.raises(Interrupted, match="It was interrupted"):
        held.admit("GET", EVENTS_PATH, "admin")
    held.release_cleanup_reserve()
    held.admit("DELETE", "/v3/apps/1", "admin")
    with pytest.raises(Interrupted):
        held.admit("POST", PURGE_PATH, "none")
    assert (held.requests, held.purges) == (1, 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_reading_changes_nothing(method: str) -> None:
    """A guard for reading lets nothing pass that could change anything, and counts nothing of it."""
    held = Guard(Limits(), read_only=True)
    held.admit("GET", EVENTS_PATH, "admin")
    with pytest.raises(WriteBlocked, match=method):
        held.admit(method, PURGE_PATH, "admin")
    assert held.requests == 1
