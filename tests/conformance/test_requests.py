"""Odd bodies and queries, and unknown routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    NotExercised,
    Trial,
    answer,
    each_status_is,
    each_time,
    hold,
    hold_each,
    need,
    need_all,
    status_is,
)
from purge_conformance.analysis.induced_errors import failures, is_undone, missing
from purge_conformance.analysis.purge import purged_by
from purge_conformance.analysis.purge_series import all_whole, fails_at_times, trials
from purge_conformance.analysis.rejected import ODD_REQUESTS, is_untaken
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged

OK, FAILED = 200, 500
IN_PASSING = {409, 503}  # documented, and no word on the body


@pytest.mark.requirement("BODY-01")
def test_odd_purge_answered(seen: Seen) -> None:
    """A purge with a malformed or unexpected body or query MUST be refused, or done and the oddity ignored."""
    plain = need(seen, "purge", "purge", why="no purge was tried")[-1].status or OK
    ignored = plain if plain // 100 == 2 else OK
    sent = need_all(seen, "odd", *ODD_REQUESTS, why="no odd purge was sent")
    told = [x for x in sent if x.status not in IN_PASSING]
    if not told:
        raise NotExercised("every odd purge met a conflict, or nobody there (409, 503)")
    if any(x.status == FAILED for x in told):
        fails_at_times(seen)
    each_status_is(seen, (x for x in told if not is_untaken(x)), ignored, 400, 422)


@pytest.mark.requirement("BODY-02")
def test_ignored_oddity_purges_whole(seen: Seen) -> None:
    """A purge whose odd body or query is ignored MUST be a whole purge."""
    plain = trials(seen)[0]
    done = list(each_time(seen, "odd", _ignored))
    if not done:
        raise NotExercised("every odd purge was refused")
    words = "a whole purge, as a plain one: nothing of before is left, each started app has its events"
    broken = {
        found.request.n: (Finding(words, "another state", found.request.n),)
        for found in done
        if not found.is_faithful() or _repeats(found, plain)
    }
    if broken:
        all_whole(seen)
    hold_each(seen, (Trial(x.n, broken.get(x.n, ()), x.step) for x in (found.request for found in done)))


@pytest.mark.requirement("BODY-03")
def test_failed_purge_is_undone(seen: Seen) -> None:
    """A purge that fails SHOULD NOT leave its work half done."""
    failed = list(failures(seen))
    if not failed:
        missing(seen, 500, 503)
        raise NotExercised("no purge was provoked to fail")
    broken = [found for found in failed if not (is_undone(found) or found.is_faithful())]
    if broken:
        all_whole(seen)
    words = "all is as it was, or a whole purge is done"
    hold(Finding(words, f"another state, after {answer(found.request)}", found.request.n) for found in broken)


def _ignored(seen: Seen, experiment: str) -> Iterator[Purged]:
    """Yield the odd purges that succeeded, as any other."""
    for x in need(seen, experiment, *ODD_REQUESTS, why="no odd purge was sent"):
        if x.status == OK:
            yield purged_by(seen, experiment, x.step)


def _repeats(found: Purged, plain: Purged) -> bool:
    """Whether a purge seeded an app more often than a plain one, of the apps that both found started."""
    now, then = (purge.populated(besides_changes=True) for purge in (found, plain))
    return any(len(now.get(app, ())) > len(then[app]) for app in found.started if app in then)


@pytest.mark.requirement("ROUTE-01")
def test_unknown_route_not_found(seen: Seen) -> None:
    """A route below the resource that does not exist MUST answer 404."""
    status_is(need(seen, "refused", "route", why="no unknown route was tried"), 404)
