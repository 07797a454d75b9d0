"""What a refused purge destroys some time later is told from what is gone anyway."""

from __future__ import annotations

import importlib
import json
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, cast

import pytest

from purge_conformance.analysis.assertions import AttributableViolation, Inconclusive, RequirementViolated
from purge_conformance.analysis.rejected import WAIT_ROUNDS, delayed_losses
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import ANONYMOUS
from purge_conformance.scenarios import authorization as access

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Story, Stub

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

judged = importlib.import_module("purge_conformance.conformance.test_refused")
STEPS = [f"{name} {number}" for number in range(WAIT_ROUNDS) for name in ("idle", "later")]
A_WHILE = 0.8  # seconds; less than is waited


def waited(story: Story, *gone: bool) -> Story:
    """Tell of waits by turns after nothing and after a refused purge, and whether an event was gone after each."""
    story.say("refused", "credential", method="POST", path=PURGE_PATH, status=403)
    for step, is_gone in zip(STEPS, gone, strict=False):
        rows = [story.event("old", "a"), story.event("a", "a")]
        story.page("refused", step, rows)
        story.page("refused", step, rows[1:] if is_gone else rows)
    return story


def test_loss_after_refusals_alone_is_theirs(story: Story) -> None:
    """Where events are gone whenever a purge was refused before, and never else, the refused purge destroyed them."""
    seen = waited(story, *(False, True) * WAIT_ROUNDS).seen
    assert [found.describe_loss() for found in delayed_losses(seen)] == ["2 events before, 1 after"] * WAIT_ROUNDS
    with pytest.raises(AttributableViolation):
        judged.test_nothing_destroyed_later(seen)


@pytest.mark.parametrize(
    "gone",
    [
        (False, False),
        (False, True) * (WAIT_ROUNDS - 1),
        (False, True) * (WAIT_ROUNDS - 1) + (True,),
        (True, True) * WAIT_ROUNDS,
    ],
)
def test_loss_at_other_times_is_nobodys(gone: tuple[bool, ...], story: Story) -> None:
    """What is gone but once, or after nothing as well, may be somebody else's to purge."""
    assert delayed_losses(waited(story, *gone).seen) == []


def kept_and_refused(story: Story, *left: str) -> Story:
    """Tell of a purge that kept an event, and of one that was refused, after which these events are left."""
    apps, old, seed = [story.app("a")], story.event("old", "a"), story.event("a", "a")
    story.look("purge", "before", [old], apps)
    story.purge("purge")
    story.look("purge", "after", [old, seed], apps)
    story.page("refused", "look", [old, seed])
    story.say("refused", "credential", method="POST", path=PURGE_PATH, status=401, tags={"credential": "none"})
    story.page("refused", "look", [row for row in (old, seed) if row["guid"] in left])
    return story


def test_late_loss_is_the_purges(story: Story) -> None:
    """What a purge left, and is gone after a refused one, may be gone by the former: nobody knows."""
    with pytest.raises(Inconclusive, match="PURGE-03"):
        judged.test_unauthenticated_destroys_nothing(kept_and_refused(story, "a").seen)


def test_further_loss_is_the_refused_ones(story: Story) -> None:
    """Where what no purge should have destroyed is gone as well, the refused one did it."""
    with pytest.raises(RequirementViolated):
        judged.test_unauthenticated_destroys_nothing(kept_and_refused(story, "old").seen)


class Late:
    """A target that destroys its events a while after a purge was refused; its clock goes on while somebody waits."""

    def __init__(self, after: float) -> None:
        """Begin without an event."""
        self._after = after
        self._now, self._due, self._events, self._numbers = 0.0, [float("inf")], list[str](), count()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def stir(self) -> bool:
        """Record an event, as a change of an app does."""
        self._events.append(f"e{next(self._numbers)}")
        return True

    def answer(self, stub: Stub, handler: BaseHTTPRequestHandler) -> None:
        """Refuse a purge, or list the events."""
        if handler.command == "POST":
            self._due.append(self._now + self._after)
            stub.say(handler, 403)
            return
        if min(self._due) <= self._now:
            self._due, self._events = [float("inf")], []
        rows = [{"guid": guid, "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}} for guid in self._events]
        body = json.dumps({"pagination": {"total_results": len(rows)}, "resources": rows}).encode()
        stub.say(handler, body=body)


def test_waits_show_it(
    stub: Stub, connect: Callable[..., Client], story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waits by turns show a target that destroys a while after it refused."""
    late, client = Late(A_WHILE), connect()
    stub.answer = partial(late.answer, stub)
    monkeypatch.setattr("time.sleep", late.sleep)
    client.experiment = "refused"
    access._send_and_wait(client, cast("SuiteApps", late), [Request("POST", PURGE_PATH, "credential", ANONYMOUS)])  # noqa: SLF001
    story.exchanges = [x for step in (*STEPS, "idle", "later") for x in client.exchanges_of("refused", step)]
    assert len(delayed_losses(story.seen)) == access.WAIT_ROUNDS == WAIT_ROUNDS


def test_waits_end_when_they_tell_nothing(
    stub: Stub, connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is gone after a purge that was refused, it is not waited for again."""
    steady, client = Late(float("inf")), connect()
    stub.answer = partial(steady.answer, stub)
    monkeypatch.setattr("time.sleep", steady.sleep)
    client.experiment = "refused"
    access._send_and_wait(client, cast("SuiteApps", steady), [Request("POST", PURGE_PATH, "credential", ANONYMOUS)])  # noqa: SLF001
    assert [bool(client.exchanges_of("refused", step)) for step in STEPS[:3]] == [True, True, False]
