"""Purges while apps are changed: how they are told from evidence, judged, and shown; and how they are tried."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis import race as races
from purge_conformance.analysis.assertions import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.report.model import Cause
from purge_conformance.scenarios import race
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from http.server import BaseHTTPRequestHandler

    from conftest import Story, Stub, Whole

    from purge_conformance.client.client import Client

judged = importlib.import_module("purge_conformance.conformance.test_race")
Row = dict[str, Any]
LATER = "2026-07-01T12:00:09Z"
EARLIER = "2026-07-01T11:00:00Z"
OLD: Row = {
    "guid": "old",
    "created_at": EARLIER,
    "app": {"guid": "still"},
    "state": {"previous": "STOPPED", "current": "STARTED"},
}


def seed(app: str, instances: int = 1) -> Row:
    """Return a seeded event."""
    now = {"current": "STARTED", "previous": "STARTED"}
    sizes = {"current": instances, "previous": instances}
    return {"guid": app, "created_at": LATER, "app": {"guid": app}, "state": now, "instance_count": sizes}


def told(change: str, guid: str = "e1", process: str = "a") -> Row:
    """Return the event of a change of the app `a`."""
    state = {"start": ("STOPPED", "STARTED"), "stop": ("STARTED", "STOPPED"), "scale": ("STARTED", "STARTED")}[change]
    was, now = state
    row = {"guid": guid, "created_at": LATER, "app": {"guid": "a"}, "process": {"guid": process}}
    return row | {"state": {"previous": was, "current": now}, "instance_count": {"previous": 1, "current": 2}}


def look(story: Story, name: str, state: str, events: Sequence[Row]) -> None:
    """Add a look at the app `a` in that state, at a started app that nobody changes, and at events."""
    apps = [story.app("a", state, LATER if state == "STOPPED" else EARLIER), story.app("still")]
    processes = [{**story.process(app, app), "type": "web"} for app in ("a", "still")]
    story.look("race", name, events, apps, processes)


def do(story: Story, name: str, *changes: str, status: int = 200, beside: bool = True) -> None:
    """Add a purge of two seconds, and changes of the app `a` in the middle of it or after it."""
    begun = story.say("race", name, method="POST", path=PURGE_PATH, elapsed=2.0, data={}, status=status).sent_at
    for change in changes:
        path = f"/v3/apps/a/actions/{change}"
        at = begun + (1.0 if beside else 3.0)
        story.say("race", f"{name}.change", method="POST", path=path, sent_at=at, elapsed=0.25, data={})


def raced(story: Story, after: Sequence[Row], *, quiet: Sequence[Row] | None = None, status: int = 200) -> None:
    """Add a quiet round with a start of the app `a`, and one in which it is stopped during the purge."""
    story.note("foundation", "apps", {"steady": "a", "empty": "still"})
    look(story, "start", "STOPPED", [seed("still")])
    do(story, "quiet", "start", beside=False)
    look(story, "quiet", "STARTED", [seed("still"), told("start", "e0"), OLD] if quiet is None else quiet)
    do(story, "first", "stop", status=status)
    look(story, "first", "STOPPED", after)


@pytest.mark.parametrize(
    "after",
    [
        [seed("still")],
        [seed("still"), told("stop")],
        [seed("still"), seed("a"), told("stop")],
        [seed("still"), seed("a", 7), told("stop"), {**told("stop"), "guid": "s", "state": {"current": "STAGED"}}],
        [seed("still"), {**told("stop"), "state": None}],
    ],
)
def test_race_may_end_so(after: list[Row], story: Story) -> None:
    """A stop during a purge may come before it, within it or after it; events of other things do not count."""
    raced(story, after, quiet=[seed("still", 7), told("start", "e0")])
    if len(after) > 3:
        story.exchanges[:] = [x for x in story.exchanges if "processes" not in x.step]
    judged.test_still_apps_are_purged(story.seen)
    judged.test_some_order_explains(story.seen)


@pytest.mark.parametrize(
    ("judgment", "after"),
    [
        ("test_some_order_explains", [seed("still"), seed("a")]),
        ("test_some_order_explains", [seed("still"), told("stop"), told("stop", "e2")]),
        ("test_some_order_explains", [seed("still"), told("start", "e0")]),
        ("test_still_apps_are_purged", []),
        ("test_still_apps_are_purged", [seed("still"), {**seed("still"), "guid": "x"}]),
        ("test_still_apps_are_purged", [seed("still"), OLD]),
    ],
)
def test_race_may_not_end_so(judgment: str, after: list[Row], story: Story) -> None:
    """A lost stop, one told twice, events of before, and other apps missed or doubled fail their requirement alone."""
    raced(story, after)
    for name in ("test_some_order_explains", "test_still_apps_are_purged"):
        if name == judgment:
            with pytest.raises(RequirementViolated):
                getattr(judged, name)(story.seen)
        else:
            getattr(judged, name)(story.seen)


def test_timeline_is_shown(story: Story) -> None:
    """A failure shows what was asked for in milliseconds, the answers, and what is seen in the end; nothing else."""
    raced(story, [seed("still"), seed("a")])
    with pytest.raises(RequirementViolated) as caught:
        judged.test_some_order_explains(story.seen)
    (finding,) = caught.value.findings
    assert finding.got.splitlines() == [
        f"0 to 2000 ms: POST {PURGE_PATH} -> 200;",
        "1000 to 1250 ms: POST /v3/apps/a/actions/stop -> 200;",
        "in the end the app is STOPPED with 1 instances, with a seeded event of 1 instances; events of changes: none",
    ]


@pytest.mark.parametrize(("events", "is_so"), [((), False), (("stop",), True), (("stop", "stop", "stop"), True)])
def test_target_may_tell_by_several_events(events: Sequence[str], is_so: bool, story: Story) -> None:  # noqa: FBT001 -- expected
    """Where one thing after the other is told by several events each, so it may be when both come at once."""
    quiet = [seed("still"), told("start", "e0"), told("scale", "e00")]
    rows = [told(change, f"e{n}") for n, change in enumerate(events, 1)]
    raced(story, [seed("still"), seed("a"), *rows], quiet=quiet)
    judged.test_still_apps_are_purged(story.seen)
    if is_so:
        judged.test_some_order_explains(story.seen)
        return
    with pytest.raises(RequirementViolated):
        judged.test_some_order_explains(story.seen)


@pytest.mark.parametrize("judgment", ["test_some_order_explains", "test_still_apps_are_purged"])
def test_wrong_without_haste_says_nothing(judgment: str, story: Story) -> None:
    """Where it is wrong already when one thing comes after the other, the race is not judged."""
    raced(story, [], quiet=[])
    with pytest.raises(Inconclusive, match="without haste"):
        getattr(judged, judgment)(story.seen)


@pytest.mark.parametrize(
    "after", [[], [OLD], [seed("still"), {**seed("still"), "guid": "x"}], [{**seed("still"), "app": {"guid": "a"}}]]
)
@pytest.mark.parametrize("judgment", ["test_some_order_explains", "test_still_apps_are_purged"])
def test_purge_wrong_alone_says_nothing(judgment: str, after: list[Row], story: Story) -> None:
    """Where any purge by itself keeps, misses, repeats or misnames, the race is not judged."""
    apps = [story.app("still"), story.app("b", "STOPPED")]
    processes = [story.process("still", "still")]
    story.look("purge", "before", [OLD], apps, processes)
    story.purge("purge")
    story.look("purge", "after", after, apps, processes)
    raced(story, [seed("still"), seed("a")])
    with pytest.raises(Inconclusive, match="by itself"):
        getattr(judged, judgment)(story.seen)


def test_untrue_sizes_are_not_read(story: Story) -> None:
    """Where a seeded event shows other instances than its app has, without haste, sizes tell nothing."""
    apps, processes = [story.app("still")], [story.process("still", "still")]
    story.look("purge", "before", [OLD], apps, processes)
    story.purge("purge")
    story.look("purge", "after", [seed("still", 7)], apps, processes)
    raced(story, [seed("still"), seed("a", 5), told("stop")])
    judged.test_some_order_explains(story.seen)


@pytest.mark.parametrize("judgment", ["test_some_order_explains", "test_still_apps_are_purged"])
def test_race_without_purge_is_open(judgment: str, story: Story) -> None:
    """Where no purge succeeded while apps were changed, nothing is judged."""
    raced(story, [], status=503)
    with pytest.raises(Inconclusive, match="no purge succeeded"):
        getattr(judged, judgment)(story.seen)


def test_race_without_apps_is_not_exercised(story: Story) -> None:
    """Where the suite has no apps, the reason is told and it is a matter of configuration."""
    story.note("foundation", "trouble", "POST /v3/apps made nothing")
    with pytest.raises(NotExercised, match="made nothing") as caught:
        judged.test_some_order_explains(story.seen)
    assert caught.value.cause is Cause.CONFIGURATION


def test_untold_kinds_are_counted(story: Story) -> None:
    """Where events do not tell a start from a stop, they are only counted."""
    blank = {"state": None, "instance_count": None}
    raced(story, [seed("still"), {**told("stop"), **blank}], quiet=[seed("still"), {**told("start", "e0"), **blank}])
    judged.test_some_order_explains(story.seen)


def test_rounds_have_their_names() -> None:
    """The view looks for the rounds that the experiment runs."""
    assert (race.SEQUENTIAL, *race.ROUNDS) == races.ROUNDS


def test_whole_run_races(whole: Whole) -> None:
    """A whole run has changes beside every purge of a race, at most 60 requests and 5 purges, and says so by tags."""
    found = whole.evidence.of("race")
    purges = [x for x in found if is_purge(x.method, x.path)]
    assert (len(found) <= 60, len(purges)) == (True, 5)
    for name in races.CONCURRENT_ROUNDS:
        beside = [x for x in found if x.step == f"{name}.change" and "at_once" in x.tags]
        assert len(beside) >= 3
        assert all("at_once" in x.tags for x in purges if x.step == name)


def test_same_seed_same_changes(stub: Stub, connect: Callable[..., Client]) -> None:
    """The same seed asks for the same changes."""
    stub.answer = lambda handler: _as_foundation(stub, handler)
    asked = []
    for _ in range(2):
        client = connect()
        client.experiment = "race"
        foundation = SuiteApps(client)
        foundation.apps = {label: label for label in ("steady", "scaled", "elsewhere", "mover", "idle")}
        race.race_purges_with_changes(client, foundation)
        sent = [x for name in races.ROUNDS for x in client.exchanges_of("race", f"{name}.change")]
        asked.append(sorted((x.step, x.path, x.request_body or "") for x in sent))
    assert asked[0] == asked[1]
    assert len(asked[0]) > len(races.ROUNDS)


def _as_foundation(stub: Stub, handler: BaseHTTPRequestHandler) -> None:
    """Answer as if every app were started, became what it was asked for, and had a new event."""
    if handler.command == "POST":
        return stub.say(handler, body=b'{"state": "STARTED"}')
    rows: list[Row] = [{"guid": label, "state": "STARTED"} for label in ("steady", "scaled", "elsewhere")]
    if "app_usage_events" in handler.path:
        rows = [{"guid": f"{app}-{len(stub.got)}", "app": {"guid": app}} for app in ("mover", "idle")]
    return stub.say(handler, body=json.dumps({"pagination": {"total_results": 2}, "resources": rows}).encode())
