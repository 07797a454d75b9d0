"""Odd bodies and unknown routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.checks import NotExercised, hold, need, readable, status_is
from purge_conformance.results import Finding
from purge_conformance.snapshot import STARTED, snapshot, stable_apps
from purge_conformance.views import ODD_BODIES, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.checks import Seen

OK = 200


@pytest.mark.requirement("BODY-01")
def test_odd_body_answered(seen: Seen) -> None:
    """A purge with a malformed or unexpected body MUST be refused, or the body ignored."""
    status_is(need(seen, "bodies", *ODD_BODIES, why="no odd body was sent"), 200, 400, 422)


@pytest.mark.requirement("BODY-02")
def test_ignored_body_purges_whole(seen: Seen) -> None:
    """A purge whose body is ignored MUST be a whole purge."""
    sent = need(seen, "bodies", *ODD_BODIES, why="no odd body was sent")
    done = [x for x in sent if x.status == OK]
    if not done:
        raise NotExercised("every odd body was refused")
    hold(finding for x in done for finding in _half_done(seen, x.step, x.n))


def _half_done(seen: Seen, name: str, n: int) -> Iterator[Finding]:
    before, after = (snapshot(seen, "bodies", f"{name}.{step}") for step in ("before", "after"))
    for part in (before.events, before.apps, after.events, after.apps):
        readable(part, "apps or events")
    apps = stable_apps(before, after)
    started = [app for app, state in apps.items() if state == STARTED]
    reusable = set(after.apps.by_guid) | set(after.processes.by_guid)
    kept = set(before.events.by_guid) & set(after.events.by_guid) - reusable
    yield from (Finding("a whole purge: nothing of before is left", guid, n) for guid in sorted(kept))
    for app in started:
        if not events_of(after.events, app):
            yield Finding(f"a whole purge: an event for the started app {app}", "none", n)


@pytest.mark.requirement("ROUTE-01")
def test_unknown_route_not_found(seen: Seen) -> None:
    """A route below the resource that does not exist MUST answer 404."""
    status_is(need(seen, "refused", "route", why="no unknown route was tried"), 404)
