"""The faults: all registered, and each visible to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.errors import BadSetting
from purge_conformance.reference import behaviour_with
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.faults import FAULTS

from .conftest import EVENTS, PURGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Answer, Api

Exchange = tuple[int, str, str]


def transcript(api: Api) -> list[Exchange]:
    """Do everything once that a fault may touch; return what a client sees of each answer."""
    return [(answer.status, answer.headers["content-type"], answer.text) for answer in _session(api)]


def _session(api: Api) -> Iterator[Answer]:
    apps = _foundation(api)
    yield from _reading(api)
    yield from _refused(api)
    yield from _purging(api, apps)
    yield from _purging(api, apps)
    yield api.get(f"{EVENTS}?order_by=-created_at&per_page=3")


def _foundation(api: Api) -> dict[str, str]:
    """Make apps of every kind in two organizations; return their guids by what is special about them."""
    here, beside, there = api.space(), api.space("beside"), api.space("there", "elsewhere")
    spaces = {"idle": here, "busy": here, "empty": here, "gone": here, "beside": beside, "there": there, "newest": here}
    apps = {name: api.app_in(space, name, started=name != "idle") for name, space in spaces.items()}
    api.post(f"/v3/processes/{apps['empty']}/actions/scale", {"instances": 0})
    api.call("DELETE", f"/v3/apps/{apps['gone']}")
    return apps


def _some_event(api: Api) -> tuple[str, str]:
    """Pick an event from the middle; return its guid and created_at, or others where a fault left no event."""
    events = api.events() or [{"guid": "nobody", "created_at": "2026-01-01T00:00:00Z"}]
    middle = events[len(events) // 2]
    return middle["guid"], middle["created_at"]


def _reading(api: Api) -> Iterator[Answer]:
    guid, moment = _some_event(api)
    yield api.get(EVENTS)
    for query in (
        "per_page=2",
        "per_page=2&page=2",
        "order_by=-created_at&per_page=2",
        f"guids={guid}",
        f"after_guid={guid}",
        f"created_ats={moment}",
        f"created_ats[gt]={moment}",
        f"created_ats[lt]={moment}&per_page=1",
        "per_page=0",
        "nonsense=1",
    ):
        yield api.get(f"{EVENTS}?{query}")
    yield api.get(f"{EVENTS}/{guid}")
    yield api.get(f"{EVENTS}/nobody")
    yield api.get(f"{EVENTS}/actions/nope")
    for role in (None, "expired", "global_auditor", "space_developer"):
        yield api.get(EVENTS, role=role)


def _refused(api: Api) -> Iterator[Answer]:
    """Ask for purges that must be refused, each with a look at what it left."""
    for role in (None, "expired", "global_auditor", "space_developer"):
        yield api.post(PURGE, role=role)
        yield api.get(EVENTS)
    yield api.call("POST", PURGE, role=None, headers={"authorization": f"bearer {api.tokens['admin']}x"})
    yield api.post(PURGE, b"{")
    yield api.get(EVENTS)
    yield api.get(PURGE)
    yield api.get(EVENTS)


def _purging(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Purge twice at a stretch, then make something happen, each with a look at what it left."""
    destroyed, _ = _some_event(api)
    for _ in range(2):
        yield api.post(PURGE)
        yield api.get(EVENTS)
    yield api.get(f"{EVENTS}/{destroyed}")
    yield api.get(f"{EVENTS}/{apps['busy']}")
    yield api.post(f"/v3/processes/{apps['busy']}/actions/scale", {"instances": 5})
    for action in ("start", "stop"):
        yield api.post(f"/v3/apps/{apps['idle']}/actions/{action}")
    yield api.get(EVENTS)


def test_faults_are_catalogued() -> None:
    """The faults of the server are those of spec/faults.yaml, each once."""
    assert sorted(fault.id for fault in catalogue.faults()) == sorted(FAULTS)


def test_transcript_repeats(api_behaving: Callable[[Behaviour], Api]) -> None:
    """Two conforming instances answer alike, so that a difference is a fault's doing."""
    assert transcript(api_behaving(Behaviour())) == transcript(api_behaving(Behaviour()))


@pytest.fixture(scope="module")
def conforming() -> list[Exchange]:
    """Hold the transcript of a conforming instance, made when it is first needed."""
    return []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_shows(name: str, api_behaving: Callable[[Behaviour], Api], conforming: list[Exchange]) -> None:
    """A client that does everything once sees the difference that a fault makes."""
    if not conforming:
        conforming.extend(transcript(api_behaving(Behaviour())))
    assert transcript(api_behaving(behaviour_with([name]))) != conforming


def test_faults_add_up(api_behaving: Callable[[Behaviour], Api]) -> None:
    """Two faults of one instance both show."""
    api = api_behaving(behaviour_with(["purge-answers-202", "purge-returns-data"]))
    answer = api.post(PURGE)
    assert (answer.status, answer.text) == (202, '{"purged":0}')


def test_unknown_fault_is_refused() -> None:
    """An unknown fault is misuse, and the message names the known ones."""
    with pytest.raises(BadSetting, match=r"'no-such-fault' is no fault .* keeps-oldest-event"):
        behaviour_with(["no-such-fault"])
