"""Effects of a purge of the reference server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import EVENTS, PURGE
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.store import tables
from purge_conformance.reference.store import transitions as store

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from meta.support.reference_api import Api


def test_purge_returns_empty_object(api: Api) -> None:
    """A purge by an admin responds with 200 and the empty object."""
    answer = api.post(PURGE)
    assert (answer.status, answer.text, answer.headers["content-type"]) == (
        200,
        "{}",
        "application/json; charset=utf-8",
    )


def test_purge_destroys_all(api: Api) -> None:
    """After a purge no earlier event is listed, and none is returned by its guid."""
    app = api.app_in(api.space(), "app")
    before = api.events()
    api.post(f"/v3/apps/{app}/actions/stop")
    api.post(PURGE)
    assert api.events() == []
    assert api.get(f"{EVENTS}/{before[0]['guid']}").status == 404


def test_purge_seeds_started_apps(api: Api) -> None:
    """A purge leaves one event for each started app, of the app's guid and the purge's second, and no other."""
    here, there = api.space(), api.space("there", "elsewhere")
    started = [api.app_in(here, "one"), api.app_in(there, "two")]
    api.app_in(here, "three", started=False)
    api.post(PURGE)
    now = api.clock.moment.strftime(tables.TIMESTAMP_FORMAT)
    events = api.events()
    assert [event["guid"] for event in events] == started
    assert [event["app"]["guid"] for event in events] == started
    assert {event["created_at"] for event in events} == {now}


def test_seeded_event_shows_app(api: Api) -> None:
    """A seeded event shows the app as it is, and as having been so."""
    space = api.space("here")
    app = api.app_in(space, "app")
    api.post(f"/v3/processes/{app}/actions/scale", {"instances": 3, "memory_in_mb": 64})
    api.post(PURGE)
    (event,) = api.events()
    assert event["state"] == {"current": "STARTED", "previous": "STARTED"}
    assert event["instance_count"] == {"current": 3, "previous": 3}
    assert event["memory_in_mb_per_instance"] == {"current": 64, "previous": 64}
    assert event["app"] == {"guid": app, "name": "app"}
    assert event["process"] == {"guid": app, "type": "web"}
    assert event["space"] == {"guid": space, "name": "here"}
    assert api.get(f"{EVENTS}/{app}").json == event


def test_purge_again_is_equivalent(api: Api) -> None:
    """A second purge leaves the same events with a later date."""
    api.app_in(api.space(), "app")
    api.post(PURGE)
    (first,) = api.events()
    api.post(PURGE)
    (second,) = api.events()
    assert second["created_at"] > first["created_at"]
    assert second | {"created_at": "", "updated_at": ""} == first | {"created_at": "", "updated_at": ""}


def test_ids_rise_across_purges(api: Api) -> None:
    """An event that is recorded after a purge comes after the seeded ones."""
    space = api.space()
    first = api.app_in(space, "first")
    api.post(PURGE)
    second = api.app_in(space, "second")
    assert [event["app"]["guid"] for event in api.events(f"after_guid={first}")] == [second]


@pytest.mark.parametrize("body", [b"{", b" ", b"\xff", b"NaN", b"[" * 100_000, b"1" * 5_000, rb'"\ud800"'])
def test_malformed_body_destroys_nothing(api: Api, body: bytes) -> None:
    """A malformed JSON body responds with 400, and nothing is purged."""
    api.app_in(api.space(), "app")
    before = api.events()
    answer = api.post(PURGE, body)
    assert (answer.status, answer.json["errors"][0]["code"]) == (400, 1001)
    assert api.events() == before


@pytest.mark.parametrize("body", [{}, [], None, {"unknown": 1}])
def test_body_is_ignored(api: Api, body: object) -> None:
    """A purge ignores the content of its body."""
    assert api.post(PURGE, body).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_unknown(api: Api, method: str) -> None:
    """A method other than POST responds with 404 on the path of the purge, and nothing is purged."""
    api.app_in(api.space(), "app")
    before = api.events()
    assert api.call(method, PURGE).json["errors"][0]["title"] == "CF-NotFound"
    assert api.events() == before


def test_failed_purge_leaves_events(api_behaving: Callable[[Behaviour], Api]) -> None:
    """A purge that fails at the seeding destroys nothing, since it is one transaction, and gives no reason."""

    def two_of_one_guid(session: Session, moment: str) -> list[tables.AppUsageEvent]:
        return store.make_seeds(session, moment) + store.make_seeds(session, moment)

    api = api_behaving(replace(Behaviour(), make_seeds=two_of_one_guid))
    api.app_in(api.space(), "app")
    before = api.events()
    answer = api.post(PURGE)
    assert (answer.status, answer.json["errors"][0]["code"]) == (500, 10001)
    assert api.events() == before
