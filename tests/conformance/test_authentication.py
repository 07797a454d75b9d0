"""Who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    NotExercised,
    answer,
    answered,
    each_status_is,
    hold,
    need,
    status_is,
    stopped,
)
from purge_conformance.analysis.history import denied
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.records import Exchange

LIST, GET = "listAppUsageEvents", "getAppUsageEvent"
NO_CREDENTIALS = {"empty", "scheme-only"}  # a malformed request, to RFC 6750, section 3.1, which is answered with 400
MISSING = {
    "expired": "no expired token was given. Add --token expired=env:NAME or file:PATH.",
    "valid": "no token without the admin scope was given. Add --token global_auditor=env:NAME or another role's.",
}


@pytest.mark.requirement("AUTH-01")
def test_purge_without_token(seen: Seen) -> None:
    """A purge without a token MUST answer 401."""
    _unauthenticated(_purges(seen, "none"))


@pytest.mark.requirement("AUTH-02")
def test_purge_malformed_token(seen: Seen) -> None:
    """A purge with a malformed token MUST answer 401."""
    _unauthenticated(_purges(seen, "malformed"))


@pytest.mark.requirement("AUTH-03")
def test_purge_invalid_token(seen: Seen) -> None:
    """A purge with an invalid token MUST answer 401."""
    each_status_is(seen, _purges(seen, "invalid"), 401)


@pytest.mark.requirement("AUTH-04")
def test_purge_expired_token(seen: Seen) -> None:
    """A purge with an expired token MUST answer 401."""
    each_status_is(seen, _purges(seen, "expired"), 401)


@pytest.mark.requirement("AUTH-05")
def test_list_unauthenticated(seen: Seen) -> None:
    """A list without a valid token MUST answer 401."""
    _unauthenticated([*_reads(seen, "list"), *_generated(seen, LIST)])


@pytest.mark.requirement("AUTH-06")
def test_get_unauthenticated(seen: Seen) -> None:
    """A get without a valid token MUST answer 401."""
    _unauthenticated([*_reads(seen, "get"), *_generated(seen, GET)])


@pytest.mark.requirement("AUTH-07")
def test_purge_without_scope(seen: Seen) -> None:
    """A purge with a valid token without the admin scope MUST answer 403."""
    each_status_is(seen, _purges(seen, "valid"), 403)


@pytest.mark.requirement("AUTH-08")
def test_admin_reads(seen: Seen) -> None:
    """An admin MUST be allowed to list and get app usage events."""
    need(seen, "reads", "list", "get", why="nothing was read")
    hold(Finding("200", answer(x), x.n) for x in denied(seen))


def _unauthenticated(sent: Iterable[Exchange]) -> None:
    sent = list(sent)
    status_is((x for x in sent if x.role not in NO_CREDENTIALS), 401)
    status_is((x for x in sent if x.role in NO_CREDENTIALS), 401, 400)


def _purges(seen: Seen, kind: str) -> list[Exchange]:
    """Return the purges with credentials of that kind."""
    every = [*need(seen, "refused", "credential", why="no purge was tried"), *answered(seen.of("repeat", "credential"))]
    found = [x for x in every if x.tags["credential"] == kind]
    if not found:
        stopped(seen, "refused")
        raise NotExercised(MISSING.get(kind, "no purge of that kind was tried"), Cause.CONFIGURATION)
    return found


def _reads(seen: Seen, step: str) -> list[Exchange]:
    """Return the reads with credentials that authenticate nobody."""
    every = need(seen, "reads", step, why="there was no event to read")
    return [x for x in every if x.role != "admin" and x.tags["credential"] != "valid"]


def _generated(seen: Seen, operation: str) -> list[Exchange]:
    """Return the generated requests without a token that are valid otherwise."""
    return [x for x in seen.of("contract", operation) if x.tags["auth"] == "none" and x.tags["mode"] == "positive"]
