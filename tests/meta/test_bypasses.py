"""Attempts past the guards: told by what they answer or destroy, and left open where the front door is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import Inconclusive
from purge_conformance.analysis.rejected import attempts, successful_bypasses
from purge_conformance.catalogue.api import PURGE_PATH

if TYPE_CHECKING:
    from conftest import Story


def look(story: Story, experiment: str, *guids: str) -> None:
    """Add a look at the newest events."""
    rows = [story.event(guid, "a") for guid in guids]
    story.say(experiment, "look", data={"pagination": {"total_results": len(rows)}, "resources": rows})


def tried(
    story: Story, *, plain: int = 401, spelt: tuple[int, ...] = (404, 404), left: tuple[str, ...] = ("old",)
) -> None:
    """Add a plain purge without a token, then some on paths spelt otherwise, with looks around them."""
    look(story, "refused", "old")
    story.say(
        "refused", "credential", method="POST", path=PURGE_PATH, status=plain, role="none", tags={"credential": "none"}
    )
    look(story, "refused", "old")
    look(story, "bypass", "old")
    for number, status in enumerate(spelt):
        story.say("bypass", "spelling", method="POST", path=PURGE_PATH + "/" * (number + 1), status=status, role="none")
    look(story, "bypass", *left)


@pytest.mark.parametrize("spelt", [(401, 404), (308, 400), (405, 500)])
def test_refusal_of_any_kind_is_none(spelt: tuple[int, ...], story: Story) -> None:
    """However a purge spelt otherwise is refused, or led elsewhere, nobody got past."""
    tried(story, spelt=spelt)
    assert successful_bypasses(story.seen, "spelling") == []


def test_success_tells_bypass(story: Story) -> None:
    """A purge that succeeds is one, and the refused ones beside it are not, whatever is gone."""
    tried(story, spelt=(404, 200), left=())
    assert [x.path for x, _ in successful_bypasses(story.seen, "spelling")] == [f"{PURGE_PATH}//"]


def test_loss_tells_bypass(story: Story) -> None:
    """Where events are gone and all was refused, each of the kind may have done it."""
    tried(story, left=())
    assert [
        (x.status, words.startswith("1 events before, 0 after"))
        for x, words in successful_bypasses(story.seen, "spelling")
    ] == [
        (404, True),
        (404, True),
    ]


def test_open_door_has_no_bypass(story: Story) -> None:
    """Where a plain purge without a token succeeds, nobody needs a way past."""
    tried(story, plain=200, spelt=(200,))
    with pytest.raises(Inconclusive, match="without any trick"):
        successful_bypasses(story.seen, "spelling")


def test_seeded_event_is_told(story: Story) -> None:
    """An event that is new and has the guid of its app is a purge's; one with another guid is not."""
    look(story, "refused", "old")
    story.say("refused", "credential", method="POST", path=PURGE_PATH, status=403, tags={"credential": "valid"})
    look(story, "refused", "old", "a", "new")
    (attempt,) = attempts(story.seen, "credential")
    assert attempt.new_seed_guids() == ["a"]


def test_success_of_everything_tells_nothing(story: Story) -> None:
    """Where every unknown path succeeds, one more that does is no purge, unless events are gone."""
    tried(story, spelt=(200,))
    story.say("refused", "route", method="POST", path=f"{PURGE_PATH}/no_such_route", status=200)
    assert successful_bypasses(story.seen, "spelling") == []
