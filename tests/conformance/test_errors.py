"""Every error carries the envelope; every status is documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis import error_format as envelope
from purge_conformance.analysis import induced_errors as provoked
from purge_conformance.analysis.assertions import NotExercised, Seen, Trial, answer, hold, hold_each, stopped
from purge_conformance.analysis.openapi import operation_of
from purge_conformance.analysis.rejected import is_untaken
from purge_conformance.catalogue import documented_statuses
from purge_conformance.evidence.records import CONCURRENT, RETRIED, SERVER_ERROR
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

PURGE, LIST, GET = "purgeAndSeedAppUsageEvents", "listAppUsageEvents", "getAppUsageEvent"


@pytest.mark.requirement("ERROR-01")
def test_401_has_envelope(seen: Seen) -> None:
    """A 401 MUST carry the error envelope."""
    _enveloped(seen, 401)


@pytest.mark.requirement("ERROR-02")
def test_403_has_envelope(seen: Seen) -> None:
    """A 403 MUST carry the error envelope."""
    _enveloped(seen, 403)


@pytest.mark.requirement("ERROR-03")
def test_404_has_envelope(seen: Seen) -> None:
    """A 404 MUST carry the error envelope."""
    _enveloped(seen, 404)


@pytest.mark.requirement("ERROR-04")
def test_400_has_envelope(seen: Seen) -> None:
    """A 400 MUST carry the error envelope."""
    _enveloped(seen, 400)


@pytest.mark.requirement("ERROR-05")
def test_422_has_envelope(seen: Seen) -> None:
    """A 422 MUST carry the error envelope."""
    _enveloped(seen, 422)


@pytest.mark.requirement("ERROR-06")
def test_409_has_envelope(seen: Seen) -> None:
    """A 409 MUST carry the error envelope."""
    _enveloped(seen, 409)


@pytest.mark.requirement("ERROR-07")
def test_500_has_envelope(seen: Seen) -> None:
    """A 500 MUST carry the error envelope."""
    _enveloped(seen, 500)


@pytest.mark.requirement("ERROR-08")
def test_503_has_envelope(seen: Seen) -> None:
    """A 503 MUST carry the error envelope."""
    _enveloped(seen, 503)


@pytest.mark.requirement("ERROR-09")
def test_other_error_has_envelope(seen: Seen) -> None:
    """An error with any other status SHOULD carry the error envelope."""
    named = {status for statuses in documented_statuses().values() for status in statuses}
    _enveloped(seen, *{x.status for x in seen.errors() if x.status} - named)


@pytest.mark.requirement("ERROR-10")
def test_envelope_not_empty(seen: Seen) -> None:
    """The envelope SHOULD hold at least one error."""
    found = [x for x in seen.errors() if not envelope.problem(x)]
    if not found:
        raise NotExercised("no error carried the envelope")
    hold(Finding("at least one error in errors", answer(x), x.n) for x in found if not x.json.get("errors"))


@pytest.mark.requirement("STATUS-01")
def test_purge_status_documented(seen: Seen) -> None:
    """Every status of a purge MUST be documented."""
    _documented(seen, PURGE)


@pytest.mark.requirement("STATUS-02")
def test_list_status_documented(seen: Seen) -> None:
    """Every status of a list MUST be documented."""
    _documented(seen, LIST)


@pytest.mark.requirement("STATUS-03")
def test_get_status_documented(seen: Seen) -> None:
    """Every status of a get MUST be documented."""
    _documented(seen, GET)


@pytest.mark.requirement("STATUS-04")
def test_no_read_fails_at_times(seen: Seen) -> None:
    """A list or a get MUST NOT fail now and then: what answers 500 answers so when it is asked for again."""
    read = [x for x in seen.resource() if operation_of(x.method, x.path) in {LIST, GET} and CONCURRENT not in x.tags]
    if not read:
        raise NotExercised("nothing was read")
    hold_each(seen, (Trial(x.n, _passing_failure(seen, x), f"{x.role} {x.path}") for x in read))


def _passing_failure(seen: Seen, failed: Exchange) -> tuple[Finding, ...]:
    """Return what is wrong with a 500 that the same request, sent once more, was not answered with."""
    if failed.tags.get(RETRIED) != SERVER_ERROR:
        return ()
    once_more = next((x for x in seen.exchanges if x.n > failed.n and _is_same(x, failed)), failed)
    if once_more.status == failed.status:
        return ()
    return (Finding(f"{once_more.status}, as the next one", answer(failed), failed.n),)


def _is_same(one: Exchange, other: Exchange) -> bool:
    return (one.path, one.role) == (other.path, other.role)


def _enveloped(seen: Seen, *statuses: int) -> None:
    found = [x for x in seen.errors() if x.status in statuses]
    if not found:
        stopped(seen, "reads")
        provoked.missing(seen, *statuses)
        words = f"no answer had the status {statuses[0]}" if statuses else "no other status occurred"
        raise NotExercised(words, Cause.CONFIGURATION if statuses == (403,) else Cause.TARGET)
    hold(
        Finding(envelope.EXPECTED, f"{wrong}: {x.header('Content-Type')}: {answer(x)}", x.n)
        for x in found
        if (wrong := envelope.problem(x))
    )


def _documented(seen: Seen, operation: str) -> None:
    every = [x for x in seen.resource() if operation_of(x.method, x.path) == operation]
    found = [x for x in every if not is_untaken(x)]
    if not found:
        stopped(seen, "reads")
        raise NotExercised("the operation was never answered")
    documented = documented_statuses()[operation]
    words = ", ".join(str(status) for status in documented)
    hold(Finding(f"one of {words}", answer(x), x.n) for x in found if x.status not in documented)
