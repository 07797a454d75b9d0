"""How faults and variants are declared: registration, and effects that a pause of the client delays."""

from __future__ import annotations

import time
from dataclasses import replace
from types import coroutine
from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import EVENTS
from purge_conformance.reference import open_database
from purge_conformance.reference.behaviour import Behaviour, Reply
from purge_conformance.reference.mutation import PAUSE_S, after_pause, combine, new_registrar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlalchemy.orm import Session, sessionmaker

    from meta.support.reference_api import Api


def test_id_is_registered_once() -> None:
    """A second change with the same id is rejected."""
    register_as = new_registrar({})
    register_as("some-fault")(combine())
    with pytest.raises(ValueError, match="some-fault is registered twice"):
        register_as("some-fault")(combine())


class Pauses:
    """Counts how often `after_pause` acts, with a clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start the clock."""
        self.count, self.now = 0, 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def act(self, _session: Session) -> None:
        """Count one more."""
        self.count += 1


def test_effect_follows_pause(api_behaving: Callable[[Behaviour], Api], monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect occurs once per pause; requests that follow each other delay it, however long they take."""
    pauses = Pauses(monkeypatch)
    api = api_behaving(after_pause(pauses.act)(Behaviour()))
    for _ in range(5):
        pauses.now += 0.9 * PAUSE_S
        api.get(EVENTS)
    assert pauses.count == 0
    pauses.now += PAUSE_S
    api.get(EVENTS)
    api.get(EVENTS)
    assert pauses.count == 1


@coroutine
def one_step() -> Generator[None, None, None]:
    """Suspend a coroutine once."""
    yield


async def slow(_operation: str, answer: Callable[[], Reply], _sessions: sessionmaker[Session]) -> Reply:
    """Answer in a second step."""
    await one_step()
    return answer()


def test_request_under_way_is_not_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits for an answer does not pause."""
    pauses = Pauses(monkeypatch)
    schedule = after_pause(pauses.act)(replace(Behaviour(), schedule=slow)).schedule
    with open_database() as sessions:
        requests = [schedule("list_events", Reply, sessions).__await__() for _ in range(3)]
        next(requests[0])
        pauses.now += PAUSE_S
        next(requests[1])
        assert pauses.count == 0
        for request in requests[:2]:
            with pytest.raises(StopIteration):
                next(request)
        pauses.now += PAUSE_S
        next(requests[2])
        assert pauses.count == 1
        requests[2].close()
