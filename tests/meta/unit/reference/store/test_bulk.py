"""Statements for very many rows: they write what the code for single rows writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect, select

from purge_conformance.reference import behaviour_with, open_database
from purge_conformance.reference.store import bulk
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.tables import AppUsageEvent, Organization, Process, Space

MOMENT = "2026-01-01T00:00:00Z"
COLUMNS = [name for name in inspect(AppUsageEvent).columns.keys() if name != "id"]  # noqa: SIM118 - no mapping


def values(event: AppUsageEvent) -> dict[str, Any]:
    """Return the columns of an event without its internal id."""
    return {name: getattr(event, name) for name in COLUMNS}


@pytest.mark.parametrize("names", [(), ("rolled-app-seeded-by-process",), ("many-apps",)], ids=str)
def test_seeds_equal_those_of_single_apps(names: tuple[str, ...]) -> None:
    """The events that are seeded in the database equal, in the same order, those that are made of each app."""
    with open_database() as sessions, sessions.begin() as session:
        behaviour_with(names).initial_data(session)
        space = Space(name="où", organization=Organization(name="elsewhere"))
        for name in ("'quoted' \U0001f4a7", "stopped", "two processes"):
            app = store.add_app(session, space, name)
            app.processes.extend([Process(type="worker")] if name == "two processes" else [])
            session.flush()
            store.scale(session, app.web, {"instances": 3, "memory_in_mb": 64}, store.record_event)
            if name != "stopped":
                store.start(session, app, store.record_event)
        expected = [values(event) for event in store.make_seeds(session, MOMENT)]
        store.destroy_events(session)
        bulk.insert_seeds(session, MOMENT)
        seeds = [values(event) for event in session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id))]
    assert seeds == expected
    assert [seed["app_name"] for seed in seeds[-2:]] == ["'quoted' \U0001f4a7", "two processes"]
