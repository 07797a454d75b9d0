"""A purge that is refused destroys nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    Proven,
    Trial,
    answer,
    hold,
    hold_each,
    need,
    stopped,
)
from purge_conformance.analysis.history import overdue_at, purges_between, whole_lists
from purge_conformance.analysis.induced_errors import conflicts, missing
from purge_conformance.analysis.purge_series import all_whole, observed
from purge_conformance.analysis.rejected import (
    BYPASSES,
    Attempt,
    attempts,
    destroyed_later,
    odd_attempts,
    purge_attempts,
)
from purge_conformance.evidence.listing import app_of_event, event_identity
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import Seen

CLIENT_ERRORS = range(400, 500)


@pytest.mark.requirement("REFUSE-01")
def test_unauthenticated_destroys_nothing(seen: Seen) -> None:
    """A purge that is refused for want of authentication MUST destroy nothing."""
    tried = [a for a in purge_attempts(seen) if a.request.tags["credential"] != "valid"]
    _nothing_lost(seen, (a for a in tried if _refused(a)), why="no purge without authentication was refused")


@pytest.mark.requirement("REFUSE-02")
def test_forbidden_destroys_nothing(seen: Seen) -> None:
    """A purge that is forbidden MUST destroy nothing."""
    need(seen, "refused", "credential", why="no purge was tried")
    tried = [a for a in purge_attempts(seen) if a.request.tags["credential"] == "valid"]
    if not tried:
        stopped(seen, "refused")
        raise NotExercised(
            "no token without the admin scope was given. Add --token global_auditor=...", Cause.CONFIGURATION
        )
    _nothing_lost(seen, (a for a in tried if _refused(a)), why="no purge was forbidden")


@pytest.mark.requirement("REFUSE-03")
def test_bad_request_destroys_nothing(seen: Seen) -> None:
    """A purge that is refused for its request MUST destroy nothing."""
    tried = [*attempts(seen, "route"), *odd_attempts(seen)]
    refused = (a for a in tried if a.request.method == "POST" and a.request.status in CLIENT_ERRORS)
    _nothing_lost(seen, refused, why="no purge was refused for its request")


@pytest.mark.requirement("REFUSE-04")
def test_other_methods_destroy_nothing(seen: Seen) -> None:
    """Any other method than POST on the purge's path, and none on the list, MUST destroy anything."""
    _nothing_lost(seen, attempts(seen, "method"), why="no other method was tried")


@pytest.mark.requirement("REFUSE-05")
def test_other_methods_refused(seen: Seen) -> None:
    """Any other method than POST on the purge's path SHOULD be answered with 404 or 405."""
    sent = need(seen, "refused", "method", why="no other method was tried")
    hold(
        Finding("404 or 405", answer(x), x.n)
        for x in sent
        if x.method not in {"HEAD", "OPTIONS"} and x.status not in {404, 405, 501}
    )


@pytest.mark.requirement("REFUSE-06")
def test_nothing_destroyed_later(seen: Seen) -> None:
    """Nothing but a purge that succeeds MUST destroy an event, not even later."""
    need(seen, "refused", "credential", why="no purge was refused")
    if later := destroyed_later(seen):
        words = "every event is still there a second after purges that were refused, as it is a second after nothing"
        raise Proven(tuple(Finding(words, str(found.loss()), found.after.n) for found in later))
    tried = [*attempts(seen, "credential", "method", "route"), *odd_attempts(seen)]
    past = attempts(seen, *BYPASSES, experiment="bypass") if seen.of("bypass", *BYPASSES) else []
    if any(a.loss() for a in [*tried, *past] if _refused(a) or a.request.step == "method" or a in past):
        raise Inconclusive("what was refused destroys at once: see REFUSE-01 to REFUSE-04, and AUTH", Cause.TARGET)
    for (before, after), overdue in zip(pairwise(whole_lists(seen)), overdue_at(seen), strict=False):
        gone = set(before.by_guid) - set(after.by_guid) - overdue
        if not gone or purges_between(seen, before.exchanges[0], after.exchanges[-1]):
            continue
        if gone == {row["guid"] for row in before.rows if row["guid"] != app_of_event(row)} and len(gone) > 1:
            raise Inconclusive("every event but the seeded ones is gone: somebody purged, perhaps another", Cause.RACE)
        hold(Finding("every event is still there", f"{guid} is gone", after.exchanges[0].n) for guid in sorted(gone))


@pytest.mark.requirement("REFUSE-07")
def test_refused_populates_nothing(seen: Seen) -> None:
    """A purge that is refused MUST populate nothing."""
    need(seen, "refused", "credential", why="no purge was refused")
    tried = [*attempts(seen, "credential", "method", "route"), *odd_attempts(seen)]
    judged = [a for a in tried if (_refused(a) or a.request.step == "method") and not a.loss()]
    if not judged:
        raise NotExercised("no purge was refused, or each destroyed something: see REFUSE-01 to REFUSE-04")
    found = [
        Finding(f"no new event after this {a.request.method}, answered with {a.request.status}", f"{guid}", a.after.n)
        for a in judged
        for guid in a.seeded()
    ]
    if found:
        all_whole(seen)  # or else what is new may be seeded late, by a purge that succeeded before
    hold(found)


@pytest.mark.requirement("REFUSE-08")
def test_conflict_destroys_nothing(seen: Seen) -> None:
    """A purge that is answered with a conflict SHOULD destroy nothing."""
    tried = conflicts(seen)
    if not tried:
        missing(seen, 409)
    _nothing_lost(seen, tried, why="no purge was answered with a conflict")


def _refused(attempt: Attempt) -> bool:
    return (attempt.request.status or 0) >= CLIENT_ERRORS.start


def _nothing_lost(seen: Seen, tried: Iterable[Attempt], why: str) -> None:
    judged = list(tried)
    if not judged:
        raise NotExercised(f"{why}, or the list showed no event that could be lost")
    kept = {event_identity(row) for purge in observed(seen) for row in purge.kept.values()}
    told = [a for a in judged if not (kept and a.loss() and a.lost() <= kept)]
    if len(told) < len(judged) and not any(a.loss() for a in told):
        raise Inconclusive("what a purge left may go later, whatever is done meanwhile: see PURGE-03", Cause.TARGET)
    hold_each(seen, (Trial(a.request.n, _loss(a), f"{a.request.role} {a.request.path}") for a in told))


def _loss(attempt: Attempt) -> tuple[Finding, ...]:
    x, lost = attempt.request, attempt.loss()
    words = f"every event is still there after this {x.method}, answered with {x.status}"
    return (Finding(words, lost, x.n),) if lost else ()
