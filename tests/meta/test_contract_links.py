"""What Schemathesis makes of the document's links."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.errors import TargetUnreachable
from purge_conformance.evidence.records import Exchange
from purge_conformance.scenarios.generated import schemathesis as contract

if TYPE_CHECKING:
    from purge_conformance.scenarios.generated.schemathesis import Case

GUIDS = ("first-event", "second-event")


def answer(case: Case, *, guids: tuple[str, ...] = GUIDS) -> Exchange:
    """What a conforming target with these events answers."""
    bodies: dict[str, object] = {
        PURGE_OPERATION: {},
        LIST_OPERATION: {"resources": [{"guid": guid} for guid in guids]},
        GET_OPERATION: {"guid": case.path.rpartition("/")[2]},
    }
    body = json.dumps(bodies[case.operation_id]).encode()
    headers = (("Content-Type", "application/json"),)
    return Exchange(1, "links", "", "admin", case.method, case.path, (), None, 0.0, 0.0, 200, headers, body)


def walked(*, max_purges: int = 2, guids: tuple[str, ...] = GUIDS) -> list[Case]:
    """The cases that were sent to a target with these events."""
    sent: list[Case] = []

    def send(case: Case) -> Exchange:
        sent.append(case)
        return answer(case, guids=guids)

    with contract.links(seed=1) as walk:
        walk(send, max_purges)
    return sent


def test_links_lead_from_purge_to_event() -> None:
    """A walk purges, lists, and gets an event that was listed; every case is positive and carries the token."""
    sent = walked()
    assert [case.operation_id for case in sent[:3]] == [PURGE_OPERATION, LIST_OPERATION, GET_OPERATION]
    assert {case.about for case in sent} == {"", "SeededEvents", "FirstEvent"}
    assert {case.path for case in sent if case.about == "FirstEvent"} == {f"/v3/app_usage_events/{GUIDS[0]}"}
    assert {(case.phase, case.mode, case.auth) for case in sent} == {("stateful", "positive", "token")}


def test_links_lead_nowhere_from_empty_list() -> None:
    """No event is made up where none was listed by a link."""
    assert not [case for case in walked(guids=()) if case.about == "FirstEvent"]


@pytest.mark.parametrize("most", [1, 2])
def test_links_spare_purges(most: int) -> None:
    """No more purges are sent than were allowed, and the walk goes on."""
    sent = walked(max_purges=most)
    assert sum(case.operation_id == PURGE_OPERATION for case in sent) == most
    assert GET_OPERATION in {case.operation_id for case in sent}


def test_links_need_a_purge() -> None:
    """Where no purge is allowed, there is nothing to follow."""
    assert walked(max_purges=0) == []


def test_links_are_deterministic() -> None:
    """One seed and the same answers give the same walk, which is as short as was asked for."""
    sent = walked()
    assert sent == walked()
    assert len(sent) <= 3 * 6


def test_links_survive_what_is_held_back() -> None:
    """Where nothing could be sent, the walk comes to its end."""
    with contract.links(seed=1) as walk:
        walk(lambda _: None, 2)


def test_links_pass_on_the_loss_of_a_target() -> None:
    """What the sender raises reaches the caller, and the child ends."""

    def send(case: Case) -> Exchange:
        raise TargetUnreachable(case.path)

    with pytest.raises(TargetUnreachable), contract.links(seed=1) as walk:
        walk(send, 2)


def test_links_are_walked_again() -> None:
    """One child walks for one target after another, each time the same walk, also after one that was given up."""
    walks: list[list[Case]] = [[], [], []]

    def send(case: Case, to: list[Case]) -> Exchange:
        to.append(case)
        if to is walks[1]:
            raise TargetUnreachable(case.path)
        return answer(case)

    with contract.links(seed=1) as walk:
        walk(lambda case: send(case, walks[0]), 2)
        with pytest.raises(TargetUnreachable):
            walk(lambda case: send(case, walks[1]), 2)
        walk(lambda case: send(case, walks[2]), 2)
    assert walks[0] == walks[2] == walked()
