"""A guid that no event has is not found, a stopped app's no more than a random one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH

if TYPE_CHECKING:
    from conftest import Story

judged = importlib.import_module("purge_conformance.conformance.test_get")


def unknown(story: Story, status: int, *listed: str) -> Story:
    """Tell of a get of an app's guid, after a look at the list, and of its status."""
    story.look("lifecycle", "end", events=[story.event(guid, "app") for guid in listed])
    story.say("reads", "unknown", path=f"{EVENTS_PATH}/app", status=status, data={"guid": "app"})
    return story


def test_event_of_no_list_is_made_up(story: Story) -> None:
    """An event that is in no list is not there to be got."""
    with pytest.raises(RequirementViolated):
        judged.test_unknown_guid_not_found(unknown(story, 200, "other").seen)


@pytest.mark.parametrize(("status", "listed"), [(404, "other"), (200, "app")])
def test_event_of_a_list_may_be_got(status: int, listed: str, story: Story) -> None:
    """What is not found is right; and what the list shows may be got, whoever seeded it."""
    judged.test_unknown_guid_not_found(unknown(story, status, listed).seen)
