"""What comes after a purge: another one, and starts, stops and scalings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.checks import Inconclusive, NotExercised, answer, hold, need, snapshot_of
from purge_conformance.results import Blame, Finding
from purge_conformance.snapshot import STARTED, app_of_event
from purge_conformance.views import events_of, proven_admin, purged, with_started_apps

if TYPE_CHECKING:
    from purge_conformance.checks import Seen
    from purge_conformance.views import Purged


@pytest.mark.requirement("AGAIN-01")
def test_second_purge_succeeds(seen: Seen) -> None:
    """A second purge right after the first MUST succeed as well."""
    request = need(seen, "again", "purge", why="no second purge was tried")[-1]
    proven_admin(seen, request)
    purged(seen, "purge")
    hold(Finding("200", answer(x), x.n) for x in [request] if x.status != 200)


@pytest.mark.requirement("AGAIN-02")
def test_second_purge_equivalent(seen: Seen) -> None:
    """A second purge right after the first MUST give an equivalent state."""
    first = with_started_apps(purged(seen, "purge"), seen)
    second = purged(seen, "again", ("purge", "after"))
    same = [app for app in first.apps if second.apps.get(app) == first.apps[app]]
    hold(
        Finding(f"for the app {app} what the first purge left, {then}", str(now), second.last)
        for app in same
        if not _equivalent(app, then := _guids(first, app), now := _guids(second, app))
    )


def _guids(found: Purged, app: str) -> list[str]:
    return sorted(str(event.get("guid")) for event in events_of(found.after.events, app))


def _equivalent(app: str, then: list[str], now: list[str]) -> bool:
    """Whether as many events are for the app, and its own guid is among them or not, as before."""
    return len(then) == len(now) and (app in then) == (app in now)


@pytest.mark.requirement("AGAIN-03")
def test_later_purge_reflects_apps(seen: Seen) -> None:
    """A later purge MUST reflect the apps as they are by then."""
    found = purged(seen, "changed")
    own = seen.note("foundation", "apps") or {}
    changed = [own[label] for label in ("idle", "steady") if own.get(label) in found.apps]
    if not changed:
        raise NotExercised(_no_apps(seen), Blame.CONFIGURATION)
    hold(
        Finding(
            f"{'an event' if found.apps[app] == STARTED else 'no event'} for the app {app}, {found.apps[app]} by then",
            ", ".join(str(event.get("guid")) for event in events) or "none",
            found.last,
        )
        for app in changed
        for events in [events_of(found.after.events, app)]
        if bool(events) != (found.apps[app] == STARTED)
    )


@pytest.mark.requirement("AFTER-01")
def test_start_is_recorded(seen: Seen) -> None:
    """The start of an app after a purge MUST be recorded."""
    _recorded(seen, "start", "idle", since="before")


@pytest.mark.requirement("AFTER-02")
def test_stop_is_recorded(seen: Seen) -> None:
    """The stop of an app after a purge MUST be recorded."""
    _recorded(seen, "stop", "steady", since="start")


@pytest.mark.requirement("AFTER-03")
def test_scaling_is_recorded(seen: Seen) -> None:
    """The scaling of a started app after a purge MUST be recorded."""
    _recorded(seen, "scale", "scaled", since="stop")


@pytest.mark.requirement("AFTER-04")
def test_seeded_events_stay(seen: Seen) -> None:
    """Events that are recorded after a purge MUST stand beside the seeded ones, which stay as they are."""
    before = snapshot_of(seen, "lifecycle", "before").events
    after = snapshot_of(seen, "lifecycle", "scale").events
    seeded = [row for row in before.rows if row.get("guid") == app_of_event(row)]
    if not seeded or not seen.note("lifecycle", "start.done"):
        raise NotExercised("there were no seeded events, or no app to start", Blame.CONFIGURATION)
    n = after.exchanges[-1].n
    hold(
        Finding(f"the seeded event {row['guid']} as it was", str(after.by_guid.get(str(row["guid"]), "gone")), n)
        for row in seeded
        if after.by_guid.get(str(row["guid"])) != row
    )


def _recorded(seen: Seen, step: str, label: str, *, since: str) -> None:
    """Require a new event for the app of that label."""
    app = (seen.note("foundation", "apps") or {}).get(label)
    if not app or not seen.note("lifecycle", f"{step}.done"):
        raise NotExercised(_no_apps(seen), Blame.CONFIGURATION)
    before, after = (snapshot_of(seen, "lifecycle", name).events for name in (since, step))
    new = [row for row in events_of(after, app) if str(row.get("guid")) not in before.by_guid]
    request = need(seen, "lifecycle", f"{step}-{label}", why="nothing was asked for")[-1]
    if not new and app not in {row.get("guid") for row in snapshot_of(seen, "lifecycle", step).apps.rows}:
        raise Inconclusive("the app is gone: somebody else deleted it", Blame.RACE)
    hold(Finding(f"a new event for the app {app}", "none", x.n) for x in [request] if not new)


def _no_apps(seen: Seen) -> str:
    return str(seen.note("foundation", "trouble") or "no app of the suite's own could be started, stopped or scaled")
