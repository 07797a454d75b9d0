"""The walks that Schemathesis generates from the links of the document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.errors import TargetUnreachable
from purge_conformance.evidence.records import Exchange
from purge_conformance.evidence.steps import Place, Scenario, Step
from purge_conformance.scenarios.generated import schemathesis

if TYPE_CHECKING:
    from purge_conformance.scenarios.generated.schemathesis import Case

STEP = Place(Step.GENERATED_GET)
GUIDS = ("first-event", "second-event")


def respond(case: Case, *, guids: tuple[str, ...] = GUIDS) -> Exchange:
    """Respond as a conforming target with these events."""
    bodies: dict[str, object] = {
        PURGE_OPERATION: {},
        LIST_OPERATION: {"resources": [{"guid": guid} for guid in guids]},
        GET_OPERATION: {"guid": case.path.rpartition("/")[2]},
    }
    body = json.dumps(bodies[case.operation_id]).encode()
    headers = (("Content-Type", "application/json"),)
    return Exchange(1, Scenario.STATEFUL, STEP, "admin", case.method, case.path, (), None, 0.0, 0.0, 200, headers, body)


def walk_links(*, max_purges: int = 2, guids: tuple[str, ...] = GUIDS) -> list[Case]:
    """Return the cases that were sent to a target with these events."""
    sent: list[Case] = []

    def send(case: Case) -> Exchange:
        sent.append(case)
        return respond(case, guids=guids)

    with schemathesis.links(seed=1) as walk:
        walk(send, max_purges)
    return sent


@pytest.fixture(scope="module")
def default_walk() -> list[Case]:
    """The cases of a walk with the default purge budget and events."""
    return walk_links()


def test_links_lead_from_purge_to_event(default_walk: list[Case]) -> None:
    """A walk purges, lists, and gets a listed event; every case is positive and carries the token."""
    assert [case.operation_id for case in default_walk[:3]] == [PURGE_OPERATION, LIST_OPERATION, GET_OPERATION]
    assert {case.about for case in default_walk} == {"", "SeededEvents", "FirstEvent"}
    assert {case.path for case in default_walk if case.about == "FirstEvent"} == {f"/v3/app_usage_events/{GUIDS[0]}"}
    assert {(case.phase, case.mode, case.auth) for case in default_walk} == {("stateful", "positive", "token")}


def test_links_stop_at_empty_list() -> None:
    """No event is requested if none was listed."""
    assert not [case for case in walk_links(guids=()) if case.about == "FirstEvent"]


@pytest.mark.parametrize("most", [1, 2])
def test_links_respect_purge_budget(most: int) -> None:
    """At most the allowed number of purges is sent, and the walk continues."""
    sent = walk_links(max_purges=most)
    assert sum(case.operation_id == PURGE_OPERATION for case in sent) == most
    assert GET_OPERATION in {case.operation_id for case in sent}


def test_links_need_a_purge() -> None:
    """Without an allowed purge there are no links to follow."""
    assert walk_links(max_purges=0) == []


def test_links_are_deterministic(default_walk: list[Case]) -> None:
    """One seed and the same responses give the same walk, of the requested length."""
    assert walk_links() == default_walk
    assert len(default_walk) <= 3 * 6


def test_links_survive_blocked_requests() -> None:
    """If no request could be sent, the walk ends."""
    with schemathesis.links(seed=1) as walk:
        walk(lambda _: None, 2)


def test_links_propagate_lost_target() -> None:
    """An exception of the sender reaches the caller, and the child process ends."""

    def send(case: Case) -> Exchange:
        raise TargetUnreachable(case.path)

    with pytest.raises(TargetUnreachable), schemathesis.links(seed=1) as walk:
        walk(send, 2)


def test_generator_walks_repeatedly(default_walk: list[Case]) -> None:
    """One child process walks several targets, with the same walk each time, even after an aborted one."""
    walks: list[list[Case]] = [[], [], []]

    def send(case: Case, to: list[Case]) -> Exchange:
        to.append(case)
        if to is walks[1]:
            raise TargetUnreachable(case.path)
        return respond(case)

    with schemathesis.links(seed=1) as walk:
        walk(lambda case: send(case, walks[0]), 2)
        with pytest.raises(TargetUnreachable):
            walk(lambda case: send(case, walks[1]), 2)
        walk(lambda case: send(case, walks[2]), 2)
    assert walks[0] == walks[2] == default_walk
