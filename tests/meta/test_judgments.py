"""The judgments on hand-made evidence: what breaks a requirement, and what others did meanwhile, which does not."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Story

    from purge_conformance.analysis.assertions import JudgmentView

    Row = dict[str, Any]

ROOM = "purge_conformance.conformance"
FILES = (
    "afterwards",
    "authentication",
    "bypass",
    "errors",
    "get",
    "leaks",
    "list_filters",
    "list_pages",
    "parallel",
    "purge",
    "race",
    "refused",
    "requests",
    "seed",
)


def judgments() -> dict[str, Callable[[JudgmentView], None]]:
    """Return the judgments of the core profile by the requirement that they assert."""
    modules = [importlib.import_module(f"{ROOM}.test_{name}") for name in FILES]
    functions = [f for module in modules for _, f in inspect.getmembers(module, inspect.isfunction)]
    return {mark.args[0]: f for f in functions for mark in getattr(f, "pytestmark", [])}


JUDGMENTS = judgments()


def verdict(story: Story, name: str) -> str:
    """Return how a judgment ends."""
    try:
        JUDGMENTS[name](story.seen)
    except RequirementViolated:
        return "failed"
    except Inconclusive:
        return "inconclusive"
    except NotExercised:
        return "not exercised"
    return "passed"


def purge(story: Story, after: list[Row], *, before: list[Row] | None = None, late: list[Row] | None = None) -> None:
    """Add a purge of a foundation with a started app `a`, whose process is `p`, and a stopped one, `b`.

    Args:
        story: to which it is added.
        after: events after it.
        before: events before it; `old`, of the app `a`, unless given.
        late: apps that are there after it beside these two.
    """
    apps, processes = [story.app("a"), story.app("b", "STOPPED")], [story.process("p", "a"), story.process("b", "b")]
    story.look("purge", "before", [story.event("old", "a")] if before is None else before, apps, processes)
    story.purge("purge", sent_at=1_782_907_200.0)
    story.look("purge", "after", after, [*apps, *(late or [])], processes)


SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old", "created_at": "2026-07-01T12:00:00Z"}
PROFILE = [
    "PURGE-01",
    "PURGE-02",
    "PURGE-03",
    "SEED-01",
    "SEED-02",
    "SEED-03",
    "SEED-04",
    "SEED-05",
    "SEED-07",
    "SEED-08",
]


@pytest.mark.parametrize("name", PROFILE)
def test_good_purge_passes(name: str, story: Story) -> None:
    """A purge that leaves one event for the one started app fulfils what is required of it."""
    purge(story, [SEEDED])
    assert verdict(story, name) == "passed"


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("PURGE-03", [SEEDED, OLD]),
        ("SEED-01", []),
        ("SEED-02", [SEEDED, {**SEEDED, "guid": "x"}]),
        ("SEED-03", [SEEDED, {**SEEDED, "guid": "b", "app": {"guid": "b"}}]),
        ("SEED-04", [{**SEEDED, "guid": "x"}]),
        ("SEED-05", [{**SEEDED, "app": {"guid": "b"}}]),
        ("SEED-05", [{**SEEDED, "app": None}]),
        ("SEED-07", [{**SEEDED, "created_at": "yesterday"}]),
        ("SEED-07", [{**SEEDED, "created_at": None}]),
        ("SEED-08", [SEEDED, {**SEEDED, "guid": "gone", "app": {"guid": "gone"}}]),
    ],
)
def test_bad_purge_fails(name: str, after: list[Row], story: Story) -> None:
    """Each way in which events are kept or populated wrongly fails its requirement."""
    purge(story, after)
    assert verdict(story, name) == "failed"


@pytest.mark.parametrize(("after", "outcome"), [([SEEDED], "failed"), ([], "inconclusive")])
def test_seeded_after_refusal(after: list[Row], outcome: str, story: Story) -> None:
    """What is new after a refused purge was seeded by it, unless purges by themselves seed late as well."""
    purge(story, after)
    recorded = story.event("recorded", "a")
    story.page("refused", "look", [recorded])
    story.say("refused", "credential", method="POST", path=PURGE_PATH, status=403, tags={"credential": "valid"})
    story.page("refused", "look", [recorded, SEEDED])
    assert verdict(story, "REFUSE-07") == outcome


LATER = "2026-07-01T12:00:07Z"  # three seconds after the purge, by others
NEW_APP = {"guid": "new", "state": "STARTED", "updated_at": LATER}
OTHERS = {
    "start": {**SEEDED, "guid": "e1", "created_at": LATER, "app": {"guid": "new"}},
    "task": {**SEEDED, "guid": "e2", "created_at": LATER, "task": {"guid": "t"}},
}


@pytest.mark.parametrize("event", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", PROFILE)
def test_others_break_nothing(name: str, event: Row, story: Story) -> None:
    """What others start between the purge and the look after it is never held against the target."""
    purge(story, [SEEDED, event], late=[NEW_APP])
    assert verdict(story, name) != "failed"


@pytest.mark.parametrize("name", ["SEED-01", "SEED-02", "SEED-03", "SEED-04", "SEED-08"])
def test_app_changed_meanwhile_is_left_out(name: str, story: Story) -> None:
    """An app that others stopped or started during the purge may have an event or none."""
    story.look("purge", "before", [], [story.app("a"), story.app("c"), story.app("d", "STOPPED")])
    story.purge("purge")
    apps = [story.app("a"), story.app("c", "STOPPED", LATER), story.app("d", "STARTED", LATER)]
    story.look("purge", "after", [SEEDED, {**SEEDED, "guid": "x", "app": {"guid": "d"}}], apps)
    assert verdict(story, name) in {"passed", "not exercised"}


@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, b"{}"), (200, b" null\n"), (200, b"[ ]"), (200, b'""')])
def test_purge_that_says_nothing_passes(status: int, body: bytes, story: Story) -> None:
    """An empty body, and what holds nothing in JSON, carry no data structure."""
    story.say("purge", "purge", method="POST", path=PURGE_PATH, status=status, body=body)
    assert verdict(story, "PURGE-02") == "passed"


@pytest.mark.parametrize("body", [b'{"count": 0}', b"0", b"false", b"OK", b"<html>", b"\xff"])
def test_purge_that_says_something_fails(body: bytes, story: Story) -> None:
    """Anything else is one."""
    story.say("purge", "purge", method="POST", path=PURGE_PATH, body=body)
    assert verdict(story, "PURGE-02") == "failed"


def test_purge_elsewhere_counts_too(story: Story) -> None:
    """A purge of any experiment is judged by what it returns."""
    purge(story, [SEEDED])
    story.say("contract", "purge", method="POST", path=PURGE_PATH, data={"count": 1})
    assert verdict(story, "PURGE-02") == "failed"


@pytest.mark.parametrize(
    ("first", "second", "outcome"), [(200, 200, "passed"), (200, 500, "failed"), (500, 500, "inconclusive")]
)
def test_second_purge_needs_no_list(first: int, second: int, outcome: str, story: Story) -> None:
    """Whether a second purge succeeds is told by its status, also where the apps cannot be listed."""
    story.purge("purge", status=first)
    story.purge("again", status=second)
    assert verdict(story, "AGAIN-01") == outcome


@pytest.mark.parametrize("place", ["list", "get"])
def test_returned_event_is_told(place: str, story: Story) -> None:
    """A destroyed event that comes back later fails, in a list or by its guid."""
    purge(story, [SEEDED])
    if place == "list":
        story.page("late", "last.events", [SEEDED, OLD])
    else:
        story.say("late", "destroyed", path=f"{EVENTS_PATH}/old", data=OLD)
    assert verdict(story, "PURGE-05") == "failed"


@pytest.mark.parametrize(
    ("got", "outcome"),
    [
        ({}, "passed"),
        ({"included": {}, "app": {"guid": "a", "name": "dora"}}, "passed"),
        ({"app": {"guid": "b"}}, "failed"),
        ({"created_at": "2026-07-01T11:00:00Z"}, "failed"),
    ],
    ids=["same", "further-members", "another-app", "another-time"],
)
def test_get_agrees_with_list(got: Row, outcome: str, story: Story) -> None:
    """What the list and a get both show of an event is the same; either may show more."""
    for step in ("opening", "closing"):
        story.walk("lists", step, [OLD])
    labelled = (("Content-Type", "application/json"),)
    story.say("lists", "get", path=f"{EVENTS_PATH}/{OLD['guid']}", data={**OLD, **got}, response_headers=labelled)
    assert verdict(story, "GET-03") == outcome


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"resources": 1}', b'{"resources": [null, 1, {}]}', b"9" * 5000]
)
@pytest.mark.parametrize("name", JUDGMENTS)
def test_odd_answers_crash_nothing(name: str, body: bytes, story: Story) -> None:
    """Whatever a target answers, to everything, a judgment ends as one does, and never crashes."""
    purge(story, [SEEDED])
    story.exchanges[:] = []
    for experiment, steps in STEPS.items():
        for step, (method, path) in steps.items():
            story.say(experiment, step, method=method, path=path, body=body, tags=TAGS)
            if path == LIST[1]:
                story.note(experiment, f"{step}.complete", value=True)
    verdict(story, name)


LIST = ("GET", f"{EVENTS_PATH}?per_page=2&page=1&guids=a&after_guid=None&order_by=created_at")
TAGS = {"credential": "none", "auth": "none", "mode": "positive", "phase": "coverage", "about": "x"}
STEPS: dict[str, dict[str, tuple[str, str]]] = {
    "purge": {
        "purge": ("POST", PURGE_PATH),
        "destroyed": ("GET", f"{EVENTS_PATH}/old"),
        "seeded": ("GET", f"{EVENTS_PATH}/a"),
        "after.events": LIST,
    },
    "again": {"purge": ("POST", PURGE_PATH), "after.events": LIST},
    "reads": {"list": LIST, "get": ("GET", f"{EVENTS_PATH}/a"), "unknown": ("GET", f"{EVENTS_PATH}/no")},
    "refused": {
        "look": LIST,
        "credential": ("POST", PURGE_PATH),
        "method": ("GET", PURGE_PATH),
        "route": ("POST", f"{PURGE_PATH}/x"),
    },
    "bypass": {
        "look": LIST,
        "spelling": ("POST", f"{PURGE_PATH}/"),
        "forged": ("POST", PURGE_PATH),
        "in-url": ("POST", PURGE_PATH),
    },
    "lists": {
        "opening": LIST,
        "twice": LIST,
        "walk 4": LIST,
        "guids 0": LIST,
        "after_guid 0": LIST,
        "get": ("GET", f"{EVENTS_PATH}/a"),
        "closing": LIST,
    },
    "odd": {"no-json.before.events": LIST, "no-json": ("POST", PURGE_PATH), "no-json.after.events": LIST},
    "contract": {"listAppUsageEvents": LIST, "getAppUsageEvent": ("GET", f"{EVENTS_PATH}/%5B")},
}


def test_race_has_its_blame(story: Story) -> None:
    """A list that somebody else purged while it was read is inconclusive, and a race is blamed."""
    story.walk("lists", "opening", [SEEDED, OLD])
    story.walk("lists", "closing", [SEEDED])
    with pytest.raises(Inconclusive) as caught:
        JUDGMENTS["LIST-04"](story.seen)
    assert caught.value.cause is Cause.RACE


def test_time_without_date_is_left_open(story: Story) -> None:
    """Where nothing tells the target's clock, a time that does not agree with ours is not held against it."""
    purge(story, [{**SEEDED, "created_at": "2026-07-01T09:00:00Z"}])
    assert verdict(story, "SEED-06") == "not exercised"


@pytest.mark.parametrize(
    ("created_at", "end"),
    [
        ("2026-07-01T13:00:00Z", "passed"),
        ("2026-07-01T15:00:00+02:00", "passed"),
        ("2026-07-01T13:00:00.5Z", "passed"),
        ("2026-07-01T12:00:00Z", "failed"),
        ("2026-07-01T13:01:00Z", "failed"),
    ],
)
def test_time_is_by_targets_clock(created_at: str, end: str, story: Story) -> None:
    """With a Date header, a time is judged by the target's clock, an hour ahead or not."""
    date = (("Date", "Wed, 01 Jul 2026 13:00:01 GMT"),)
    story.say("reach", "events", response_headers=date)
    purge(story, [{**SEEDED, "created_at": created_at}])
    assert verdict(story, "SEED-06") == end
