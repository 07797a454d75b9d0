"""The purge itself: it succeeds, it says nothing, it destroys everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import still
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    Trial,
    answer,
    each_status_is,
    for_want_of_apps,
    hold,
    hold_each,
    need,
)
from purge_conformance.analysis.history import dug_up, gets_of_destroyed, is_shown, proven_admin, vanished
from purge_conformance.analysis.purge_series import fresh, hold_of_each, plain_purges, trials
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import resources
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Exchange

OK = 200


@pytest.mark.requirement("PURGE-01")
def test_purge_succeeds(seen: Seen) -> None:
    """A purge by an admin MUST answer 200."""
    request = need(seen, "purge", "purge", why="no purge was tried")[-1]
    proven_admin(seen, request)
    sent = [x for x, is_again in plain_purges(seen) if not is_again]
    each_status_is(seen, sent, OK)


@pytest.mark.requirement("PURGE-02")
def test_purge_returns_nothing(seen: Seen) -> None:
    """A purge that answers 200 MUST return no data structure: nothing, or what holds nothing."""
    done = [x for x in seen.resource() if is_purge(x.method, x.path) and x.status == OK]
    if not done:
        raise NotExercised("no purge answered 200")
    words = 'an empty body, {}, null, [] or ""'
    hold_each(seen, (Trial(x.n, () if _holds_nothing(x) else (Finding(words, answer(x), x.n),)) for x in done))


@pytest.mark.requirement("PURGE-03")
def test_events_leave_list(seen: Seen) -> None:
    """After a purge no event that existed before MUST be on any page of the list."""
    found = [trial for trial in fresh(seen) if set(trial.before.events.by_guid) - trial.seedable]
    if not found:
        raise for_want_of_apps(seen, "no event existed that a purge could destroy for good")
    tried = [Trial(trial.last, tuple(_left(trial.last, trial.kept.values()))) for trial in found]
    tried += [Trial(x.n, tuple(_left(x.n, [row]))) for x, row in dug_up(seen)]
    hold_each(seen, tried)


@pytest.mark.requirement("PURGE-04")
def test_events_not_gettable(seen: Seen) -> None:
    """After a purge no event that existed before MUST be got by its guid."""
    need(seen, "purge", "destroyed", why="no event was destroyed that could be asked for")
    gets = gets_of_destroyed(seen)
    hold_each(seen, (Trial(x.n, (Finding("404", answer(x), x.n),) if is_shown(x) else ()) for x in gets))


@pytest.mark.requirement("PURGE-05")
def test_events_stay_away(seen: Seen) -> None:
    """An event that a purge destroyed MUST NOT come back later."""
    if any(dug_up(seen)):
        raise Inconclusive("destroyed events never went away: see PURGE-03", Cause.TARGET)
    gone = vanished(seen)
    if not gone:
        raise for_want_of_apps(seen, "no event was destroyed")
    hold(
        Finding(f"{guid}, destroyed before exchange {gone[guid]}, stays away", answer(x), x.n)
        for x in seen.resource()
        if x.method == "GET" and x.status == OK
        for guid in sorted(_shown(x) & set(gone))
        if x.n > gone[guid]
    )


@pytest.mark.requirement("PURGE-06")
def test_apps_stay(seen: Seen) -> None:
    """A purge MUST NOT stop, start, scale or delete an app."""
    found = [trial for trial in trials(seen) if still(seen, trial.request)]
    if not found:
        raise for_want_of_apps(seen, "there was no app of the suite's own, which nobody else changes")

    def changed(trial: Purged) -> Iterator[Finding]:
        for app in still(seen, trial.request) & set(trial.before.apps.by_guid):
            sized = trial.before.processes.complete and trial.after.processes.complete
            was, now = (_app(look, app, sized=sized) for look in (trial.before, trial.after))
            if was != now:
                yield Finding(f"the app {app} as it was, {was}", now, trial.after.apps.exchanges[-1].n)

    hold_of_each(seen, found, changed)


def _app(look: Snapshot, app: str, *, sized: bool) -> str:
    """Return what a look shows of an app: its state, and the instances and the memory of its processes."""
    if app not in look.apps.by_guid:
        return "gone"
    processes = look.processes_of(app) if sized else []
    sizes = (f"{row.get('instances')} instances of {row.get('memory_in_mb')} MB" for row in processes)
    return ", ".join([str(look.apps.by_guid[app].get("state")), *sorted(sizes)])


def _left(n: int, rows: Iterable[Row]) -> Iterator[Finding]:
    for row in rows:
        yield Finding("none of the events that existed before", f"{row.get('guid')} of {row.get('created_at')}", n)


def _holds_nothing(exchange: Exchange) -> bool:
    return not exchange.body.strip() or (exchange.is_json and exchange.json in ({}, None, [], ""))


def _shown(exchange: Exchange) -> set[str]:
    """Return the guids of the events that an answer shows: a page, or one event."""
    rows = resources(exchange) or [exchange.json if isinstance(exchange.json, dict) else {}]
    return {str(row.get("guid")) for row in rows}
