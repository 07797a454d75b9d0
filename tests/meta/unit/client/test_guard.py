"""The guard: budgets and the archive."""

from __future__ import annotations

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.guard import CLEANUP_RESERVE, MAX_WITHOUT_CREDENTIALS, Guard
from purge_conformance.config.settings import Limits
from purge_conformance.errors import (
    ArchiveFailed,
    BudgetExhausted,
    Interrupted,
    PurgeBlocked,
    RequestBlocked,
    WriteBlocked,
)


def make_guard(**limits: int) -> Guard:
    """Return a guard with a complete archive."""
    guard = Guard(Limits(**limits))
    guard.is_archived = True
    return guard


@pytest.mark.parametrize("most", [0, 1, 3])
def test_purge_budget_is_enforced(most: int) -> None:
    """Exactly `max_purges` admin purges are admitted, and the next one raises with the name of the flag."""
    guard = make_guard(max_purges=most)
    for _ in range(most):
        guard.admit("POST", PURGE_PATH, "admin")
    with pytest.raises(PurgeBlocked, match="--max-purges"):
        guard.admit("POST", f"{PURGE_PATH}/", "admin")
    assert (guard.purges, guard.purges_left, guard.requests) == (most, 0, most)


def test_other_roles_spend_no_budget() -> None:
    """A purge without the admin token does not count against the purge budget."""
    guard = make_guard(max_purges=0)
    guard.admit("POST", PURGE_PATH, "none")
    assert (guard.purges, guard.requests) == (0, 1)


def test_purge_that_another_name_hides_is_counted() -> None:
    """A purge that was not admitted as the admin's counts once it is known that the target may have done it."""
    guard = make_guard(max_purges=2)
    guard.admit("POST", PURGE_PATH, "good-last")
    guard.count_purge()
    assert (guard.purges, guard.purges_left) == (1, 1)


def test_requests_without_credentials_are_few() -> None:
    """A run sends at most `MAX_WITHOUT_CREDENTIALS` requests without credentials, and any number of others."""
    guard = make_guard()
    for _ in range(MAX_WITHOUT_CREDENTIALS):
        guard.admit("GET", EVENTS_PATH, "none", has_credentials=False)
    with pytest.raises(BudgetExhausted, match="without credentials"):
        guard.admit("GET", EVENTS_PATH, "none", has_credentials=False)
    guard.admit("GET", EVENTS_PATH, "garbage")
    assert (guard.without_credentials_left, guard.requests) == (0, MAX_WITHOUT_CREDENTIALS + 1)


@pytest.mark.parametrize("role", ["admin", "none", "global_auditor"])
def test_purge_requires_archive(role: str) -> None:
    """No purge is admitted before the archive, for any role."""
    with pytest.raises(PurgeBlocked, match="archived"):
        Guard(Limits()).admit("POST", PURGE_PATH, role)


def test_purge_requires_additions_to_archive() -> None:
    """If the events of others cannot be archived, no purge is admitted from then on; other requests are."""
    guard = make_guard()
    calls: list[int] = []

    def fail() -> None:
        calls.append(guard.purges)
        if guard.purges:
            raise ArchiveFailed("The disk is full.")

    guard.archive_new = fail
    guard.admit("POST", PURGE_PATH, "admin")
    with pytest.raises(ArchiveFailed, match="full"):
        guard.admit("POST", PURGE_PATH, "none")
    with pytest.raises(PurgeBlocked, match=r"No further purge was sent.*The disk is full\."):
        guard.admit("POST", PURGE_PATH, "admin")
    guard.admit("GET", EVENTS_PATH, "admin")
    assert (calls, guard.purges, guard.requests) == ([0, 1], 1, 2)


def test_signal_while_archiving_blocks_purge() -> None:
    """If the guard is closed while events are archived, the purge after that is not admitted."""
    guard = make_guard()
    guard.archive_new = lambda: guard.close("It was interrupted.")
    with pytest.raises(Interrupted):
        guard.admit("POST", PURGE_PATH, "admin")
    assert (guard.purges, guard.requests) == (0, 0)


def test_request_budget_reserves_cleanup() -> None:
    """The requests for the deletion of the suite's apps are reserved until the end."""
    guard = make_guard(max_requests=CLEANUP_RESERVE + 1)
    guard.admit("GET", EVENTS_PATH, "admin")
    with pytest.raises(BudgetExhausted, match="--max-requests"):
        guard.admit("GET", EVENTS_PATH, "admin")
    guard.release_cleanup_reserve()
    for _ in range(CLEANUP_RESERVE):
        guard.admit("DELETE", "/v3/apps/1", "admin")
    with pytest.raises(RequestBlocked):
        guard.admit("DELETE", "/v3/apps/1", "admin")
    assert (guard.requests, guard.requests_left) == (CLEANUP_RESERVE + 1, 0)


def test_responses_that_use_up_the_memory_leave_the_cleanup() -> None:
    """Once the responses take too much memory, only requests of the cleanup are admitted."""
    guard = make_guard()
    guard.exhausted = "Give a larger --max-memory."
    with pytest.raises(BudgetExhausted, match="--max-memory"):
        guard.admit("GET", EVENTS_PATH, "admin")
    guard.release_cleanup_reserve()
    guard.admit("DELETE", "/v3/apps/1", "admin")


def test_paths_are_bounded() -> None:
    """A path with a guid of the target's that is very long is not sent."""
    with pytest.raises(RequestBlocked, match="20009 characters"):
        make_guard().admit("GET", f"/v3/apps/{'x' * 20_000}", "admin")


def test_closed_guard_allows_only_cleanup() -> None:
    """A closed guard admits nothing, and then only cleanup; the first reason is reported."""
    guard = make_guard()
    guard.close("It was interrupted.")
    guard.close("Something else.")
    with pytest.raises(Interrupted, match="It was interrupted"):
        guard.admit("GET", EVENTS_PATH, "admin")
    guard.release_cleanup_reserve()
    guard.admit("DELETE", "/v3/apps/1", "admin")
    with pytest.raises(Interrupted):
        guard.admit("POST", PURGE_PATH, "none")
    assert (guard.requests, guard.purges) == (1, 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_read_only_guard_blocks_changes(method: str) -> None:
    """A read-only guard admits no change and does not count it."""
    guard = Guard(Limits(), read_only=True)
    guard.admit("GET", EVENTS_PATH, "admin")
    with pytest.raises(WriteBlocked, match=method):
        guard.admit(method, PURGE_PATH, "admin")
    assert guard.requests == 1


@pytest.mark.parametrize(("limit", "repeat", "advice"), [(100, 1, 1500), (100, 3, 2460), (1500, 1, 3000)])
def test_enough_requests_are_named(limit: int, repeat: int, advice: int) -> None:
    """A run without further requests says how many suffice: the default, or twice as many for long lists."""
    guard = Guard(Limits(max_requests=limit), repeat=repeat)
    guard.requests = limit
    with pytest.raises(BudgetExhausted, match=rf"has sent {limit} requests\. Give --max-requests {advice}\."):
        guard.admit("GET", EVENTS_PATH, "admin")
