"""The variants: all are registered, and some have effects of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from meta.support.reference_api import EVENTS, PURGE, SECRET
from purge_conformance import catalogue
from purge_conformance.reference import behaviour_with
from purge_conformance.reference.mutation import PAUSE_S
from purge_conformance.reference.registry import FAULTS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from meta.support.reference_api import Api
    from purge_conformance.reference.behaviour import Behaviour


def test_variants_are_catalogued() -> None:
    """The variants of the server are those of spec/variants.yaml, each once, and none has the name of a fault."""
    assert sorted(variant.id for variant in catalogue.variants()) == sorted(VARIANTS)
    assert not set(VARIANTS) & set(FAULTS)


def test_opaque_tokens_are_accepted(api_behaving: Callable[[Behaviour], Api]) -> None:
    """Opaque tokens are compared as text: an admin's purges, an expired one does not, and neither does a JWT."""
    behaviour = behaviour_with(["opaque-tokens"])
    api = api_behaving(behaviour)
    opaque = behaviour.sign_tokens(SECRET)
    assert api.post(PURGE).status == 401
    api.tokens = opaque
    assert [api.post(PURGE, role=role).status for role in ("admin", "global_auditor", "expired")] == [200, 403, 401]


def test_each_process_is_seeded(api_behaving: Callable[[Behaviour], Api]) -> None:
    """With seeds-each-process an app has two processes, and the guids of the seeded events are theirs."""
    api = api_behaving(behaviour_with(["seeds-each-process"]))
    app = api.app_in(api.space(), "app")
    assert len(api.events()) == 2
    api.post(PURGE)
    processes = api.get(f"/v3/apps/{app}/processes").json["resources"]
    assert [process["type"] for process in processes] == ["web", "worker"]
    assert [event["guid"] for event in api.events()] == [process["guid"] for process in processes]
    assert {event["app"]["guid"] for event in api.events()} == {app}


def test_fractions_are_filtered_exactly(api_behaving: Callable[[Behaviour], Api]) -> None:
    """With fractional-timestamps a filter compares with the fraction; its default is zero."""
    api = api_behaving(behaviour_with(["fractional-timestamps"]))
    api.app_in(api.space(), "app")
    moment = api.events()[0]["created_at"]
    assert moment.endswith(".000000Z")
    assert len(api.events(f"created_ats={moment.replace('.000000', '')}")) == 1


def test_clock_belongs_to_instance(api_behaving: Callable[[Behaviour], Api]) -> None:
    """A clock that is ahead dates events and responses of its own instance only."""
    ahead, right = (api_behaving(behaviour_with(names)) for names in (["clock-ahead"], []))
    for api, hour in ((ahead, "01"), (right, "00")):
        api.app_in(api.space(), "app")
        assert api.events()[0]["created_at"][11:13] == hour
        assert f" {hour}:00:" in api.get(EVENTS).headers["date"]


def test_initial_apps_exist(api_behaving: Callable[[Behaviour], Api]) -> None:
    """With many-apps there are 180 apps, 120 of them started, and 700 events of different times."""
    api = api_behaving(behaviour_with(["many-apps"]))
    apps = api.get("/v3/apps?per_page=5000").json["resources"]
    assert [sum(app["state"] == state for app in apps) for state in ("STARTED", "STOPPED")] == [120, 60]
    assert len({event["created_at"] for event in api.events()}) == 700


def test_unavailable_changes_nothing(api_behaving: Callable[[Behaviour], Api]) -> None:
    """With unavailable-at-times every fortieth request responds with 503, and changes nothing."""
    api = api_behaving(behaviour_with(["unavailable-at-times"]))
    app = api.app_in(api.space(), "app", started=False)
    made = 4  # requests for the organization, the space and the app
    answers = [api.post(f"/v3/apps/{app}/actions/restart") for _ in range(40 - made)]
    assert [answer.status for answer in answers] == [200] * (39 - made) + [503]
    assert answers[-1].headers["retry-after"] == "0"
    assert len(api.events()) == 2 * (39 - made) - 1  # the first one had nothing to stop


def test_late_events_appear(api_behaving: Callable[[Behaviour], Api], monkeypatch: pytest.MonkeyPatch) -> None:
    """With records-late an event appears after 0.3 seconds, unless a purge precedes it."""
    elapsed = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: elapsed)
    api = api_behaving(behaviour_with(["records-late"]))
    app = api.app_in(api.space(), "app")
    assert api.events() == []
    elapsed = PAUSE_S
    assert [event["app"]["guid"] for event in api.events()] == [app]
    api.post(f"/v3/apps/{app}/actions/stop")
    api.post(PURGE)
    elapsed = 2 * PAUSE_S
    assert api.events() == []
