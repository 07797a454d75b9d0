"""Provider states of apps (`spec/hook.md`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import App, Organization, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from purge_conformance.reference.store.transitions import Record

ORG_AND_SPACE_NAME = "states"  # name of the organization and of the space of apps that are created here
SIZES = ("instances", "memory_in_mb")
Params = dict[str, Any]


def _scale(session: Session, app: App, params: Params, record: Record) -> None:
    store.scale(session, app.web, {name: params[name] for name in SIZES if isinstance(params.get(name), int)}, record)


def _start(session: Session, app: App, _: Params, record: Record) -> None:
    store.start(session, app, record)


def _stop(session: Session, app: App, _: Params, record: Record) -> None:
    store.stop(session, app, record)


def _delete(session: Session, app: App, _: Params, record: Record) -> None:
    store.delete_app(session, app, record)


STATES: Mapping[str, Callable[[Session, App, Params, Record], None]] = {
    "app started": _start,
    "app stopped": _stop,
    "app scaled": _scale,
    "app deleted": _delete,
}


def apply_state(session: Session, state: str, params: Params, record: Record) -> str | None:
    """Put the app that `params` name, or a new app, into a state; return its guid, or None if it does not exist."""
    app = (
        find_by_guid(session, App, str(params["app"]))
        if "app" in params
        else _create_app(session, str(params.get("name")))
    )
    if app is None:
        return None
    guid = app.guid
    STATES[state](session, app, params, record)
    return guid


def _create_app(session: Session, name: str) -> App:
    space = session.scalar(select(Space).where(Space.name == ORG_AND_SPACE_NAME))
    if space is None:
        space = Space(name=ORG_AND_SPACE_NAME, organization=Organization(name=ORG_AND_SPACE_NAME))
        session.add(space)
    return store.add_app(session, space, name)
