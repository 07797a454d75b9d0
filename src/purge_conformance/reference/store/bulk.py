"""Changes of very many rows, each by one statement in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, literal, select

from purge_conformance.reference.store.tables import STARTED, WEB, App, AppUsageEvent, Process, Space

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute, Session

    Columns = Mapping[InstrumentedAttribute[Any], Any]

# Columns of an event that describes the `web` process of an app now; `transitions.make_usage_event` does that for one.
DESCRIPTION: Columns = {
    AppUsageEvent.app_guid: App.guid,
    AppUsageEvent.app_name: App.name,
    AppUsageEvent.process_guid: Process.guid,
    AppUsageEvent.process_type: Process.type,
    AppUsageEvent.space_guid: Space.guid,
    AppUsageEvent.space_name: Space.name,
    AppUsageEvent.organization_guid: Space.organization_guid,
    AppUsageEvent.instances: Process.instances,
    AppUsageEvent.previous_instances: Process.instances,
    AppUsageEvent.memory_in_mb: Process.memory_in_mb,
    AppUsageEvent.previous_memory_in_mb: Process.memory_in_mb,
}


def insert_seeds(session: Session, moment: str) -> None:
    """Insert the events of a purge at a time, equal to those of `transitions.make_seeds`."""
    columns: Columns = {
        AppUsageEvent.guid: Process.guid,
        AppUsageEvent.created_at: literal(moment),
        AppUsageEvent.updated_at: literal(moment),
        AppUsageEvent.state: App.state,
        AppUsageEvent.previous_state: App.state,
        **DESCRIPTION,
    }
    started = web_processes(*columns.values()).where(App.state == STARTED).order_by(App.id)
    session.flush()
    session.execute(insert(AppUsageEvent).from_select(list(columns), started))


def web_processes(*values: Any) -> Select[Any]:  # noqa: ANN401 - columns and expressions
    """Select values for the `web` process of each app."""
    return select(*values).select_from(App).join(Space).join(Process).where(Process.type == WEB)
