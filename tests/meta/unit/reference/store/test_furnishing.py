"""Apps and events that the database makes: as if the apps had been started and stopped for a month."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from purge_conformance.errors import BadSetting
from purge_conformance.reference import open_database
from purge_conformance.reference.store import furnishing
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.tables import (
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Organization,
    timestamp_now,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SIZES = [(7, 23), (7, 3), (7, 0), (1, 100), (0, 0)]


def histories(session: Session) -> dict[str, list[AppUsageEvent]]:
    """Return the events of each app, by its guid, in the order of their internal ids."""
    events = defaultdict(list)
    for event in session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id)):
        events[event.app_guid].append(event)
    return events


@pytest.mark.parametrize("rows_per_statement", [5, furnishing.ROWS_PER_STATEMENT])
@pytest.mark.parametrize(("apps", "events"), SIZES)
def test_history_ends_with_the_state_of_apps(
    apps: int, events: int, rows_per_statement: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are as many apps and events as requested; states of an app alternate, and the last one is its own."""
    monkeypatch.setattr(furnishing, "ROWS_PER_STATEMENT", rows_per_statement)
    with open_database() as sessions, sessions.begin() as session:
        furnishing.furnish(session, apps=apps, events=events, states=(STARTED, STOPPED))
        created = {app.guid: app for app in session.scalars(select(App).order_by(App.id))}
        found = histories(session)
        assert [app.state for app in created.values()] == [
            STARTED,
            STOPPED,
            STARTED,
            STOPPED,
            STARTED,
            STOPPED,
            STARTED,
        ][:apps]
        assert (len(created), sum(map(len, found.values()))) == (apps, events)
        for guid, history in found.items():
            assert history[-1].state == created[guid].state
            assert all(earlier.state == later.previous_state for earlier, later in pairwise(history))
            assert all({event.state, event.previous_state} == {STARTED, STOPPED} for event in history)
            assert history[-1].app_name == created[guid].name
            assert history[-1].space_guid == created[guid].space_guid
            assert history[-1].instances == created[guid].web.instances


def test_events_are_spread_over_a_month() -> None:
    """The times of events rise with their internal ids, without gaps, from a month ago to now; their guids do not."""
    with open_database() as sessions, sessions.begin() as session:
        furnishing.furnish(session, apps=7, events=2000)
        events = session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id)).all()
        days = sorted({event.created_at[:10] for event in events})
        now = timestamp_now()
        assert [event.id for event in events] == list(range(1, 2001))
        assert sorted(event.created_at for event in events) == [event.updated_at for event in events]
        assert len(days) == furnishing.HISTORY_DAYS + 1
        assert events[0].created_at == f"{days[0]}T00:00:00Z"
        assert f"{now[:10]}T" in events[-1].created_at <= now
        guids = [event.guid for event in events]
        assert len(set(guids)) == 2000
        assert sorted(guids) != guids


def test_furnished_apps_are_seeded() -> None:
    """A purge seeds the started apps, and no other."""
    with open_database() as sessions, sessions.begin() as session:
        furnishing.furnish(session, apps=9, events=0, states=(STOPPED, STARTED))
        assert [seed.state for seed in store.make_seeds(session, timestamp_now())] == [STARTED] * 4


def test_only_an_empty_database_is_filled() -> None:
    """In a database with an organization nothing is created, and the message says what to change."""
    with open_database() as sessions, sessions.begin() as session:
        session.add(Organization(name="organization 0"))
        with pytest.raises(BadSetting, match="Leave both out to serve it as it is, or give another --database"):
            furnishing.furnish(session, apps=1, events=0)
        assert session.scalar(select(App)) is None
