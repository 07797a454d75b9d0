"""A foundation with very many apps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.mutation import variant
from purge_conformance.reference.store.furnishing import furnish
from purge_conformance.reference.store.tables import STARTED, STOPPED, App

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour


APPS, EVENTS = 5000, 7000
STATES = (STARTED, STOPPED, STARTED, STOPPED, STARTED)  # of the apps, in turn


@variant("very-many-apps")
def very_many_apps(behaviour: Behaviour) -> Behaviour:
    def create(session: Session) -> None:
        behaviour.initial_data(session)
        if session.scalar(select(App).limit(1)) is None:
            furnish(session, apps=APPS, events=EVENTS, states=STATES)

    return replace(behaviour, initial_data=create)
