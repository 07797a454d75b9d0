"""Views: a purge, an attempt and a reading between two looks, races with others left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.analysis.assertions import Inconclusive, NotExercised
from purge_conformance.analysis.history import destroyed_guids, require_proven_admin, target_clock_offset
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.purge import group_by_app, require_purge, require_purge_at_step, require_started_apps
from purge_conformance.analysis.rejected import attempts, unexpected_input_attempts
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.clock import Offset
from purge_conformance.report.model import Cause
from purge_conformance.target.apps import droplets as running

if TYPE_CHECKING:
    from conftest import Story

    Row = dict[str, Any]


def between_looks(
    story: Story,
    *,
    before: list[Row],
    after: list[Row],
    status: int = 200,
    **more: Any,  # noqa: ANN401 -- of Story.look
) -> None:
    """Add a purge between two looks at events, with the apps and processes that `more` names."""
    story.look("purge", "before", before, **more)
    story.purge("purge", status=status)
    story.look("purge", "after", after, **more)


def test_purge_is_seen(story: Story) -> None:
    """A purge shows what was there before and after, and the apps that stayed as they were."""
    apps = [story.app("a"), story.app("b", "STOPPED")]
    between_looks(story, before=[story.event("old", "a")], after=[story.event("a", "a")], apps=apps)
    found = require_purge(story.seen, "purge")
    assert (found.started_apps, found.surviving_events, set(found.new_events_by_app())) == (["a"], {}, {"a"})
    assert found.last_exchange == found.after.events.exchanges[-1].n == len(story.exchanges)


@pytest.mark.parametrize("status", [500, 403, 302])
def test_purge_that_failed_is_inconclusive(status: int, story: Story) -> None:
    """What follows from a purge cannot be judged where it did not succeed."""
    between_looks(story, before=[], after=[], status=status)
    with pytest.raises(Inconclusive, match=f"did not succeed: {status}"):
        require_purge(story.seen, "purge")


@pytest.mark.parametrize("part", ["events", "apps"])
def test_purge_between_unread_lists_is_inconclusive(part: str, story: Story) -> None:
    """Nor where a list could not be read to its end before it or after it."""
    between_looks(story, before=[], after=[])
    story.note("purge", f"after.{part}.complete", value=False)
    with pytest.raises(Inconclusive, match=f"the list of {part}"):
        require_purge(story.seen, "purge")


def test_purge_without_started_app_is_not_exercised(story: Story) -> None:
    """Without an app that was started all the time there is nothing to seed, and the reason is told."""
    story.note("foundation", "trouble", "POST /v3/apps made nothing")
    between_looks(story, before=[], after=[], apps=[story.app("a", "STOPPED")])
    with pytest.raises(NotExercised, match="POST /v3/apps made nothing") as caught:
        require_started_apps(require_purge(story.seen, "purge"), story.seen)
    assert caught.value.cause is Cause.CONFIGURATION


def test_guids_that_may_be_seeded(story: Story) -> None:
    """A seeded event may have the guid of any app, or its process, that was not surely stopped."""
    apps = [story.app("a"), story.app("b", "STOPPED"), story.app("raced", "STOPPED")]
    processes = [story.process("p", "a"), story.process("q", "b")]
    story.look("purge", "before", apps=apps, processes=processes)
    story.purge("purge")
    story.look("purge", "after", apps=[*apps[:2], story.app("raced"), story.app("new")], processes=processes)
    assert require_purge(story.seen, "purge").seedable_guids == {"a", "p", "raced", "new"}


def test_kept_events_are_told(story: Story) -> None:
    """An event that a purge left as it was is kept; one that an app has the guid of may be seeded anew."""
    old, mine, again = story.event("old", "a"), story.event("a", "a"), story.event("x", "a", "2026-07-01T12:00:09Z")
    before = [old, mine, story.event("x", "a")]
    between_looks(story, before=before, after=[old, mine, again], apps=[story.app("a")])
    found = require_purge(story.seen, "purge")
    assert (set(found.surviving_events), found.new_events_by_app()) == ({"old"}, {"a": [mine, again]})


def test_events_are_of_their_app(story: Story) -> None:
    """An event is for the app that it has the guid of, or else for the one that it names, or for none."""
    events = [story.event("a", "b"), story.event("x", "a"), story.event("y"), story.event("z", "c")]
    found = {app: [row["guid"] for row in rows] for app, rows in group_by_app(events, {"a", "b"}).items()}
    assert found == {"a": ["a", "x"], None: ["y"], "c": ["z"]}


@pytest.mark.parametrize(
    ("seeded", "faithful"),
    [(["a"], True), ([], False), (["a", "b"], False), (["a", "gone"], False), (["a", "old"], False)],
)
def test_faithful_purge_is_whole(seeded: list[str], *, faithful: bool, story: Story) -> None:
    """A purge is faithful if nothing is kept, every started app has an event, and nothing else has one."""
    apps = [story.app("a"), story.app("b", "STOPPED")]
    after = [story.event(guid, guid) for guid in seeded]
    between_looks(story, before=[story.event("old", "old")], after=after, apps=apps)
    assert require_purge(story.seen, "purge").is_complete() is faithful


def test_odd_purge_is_between_its_looks(story: Story) -> None:
    """A purge at a step of its own is seen between the looks named after it."""
    story.look("odd", "no-json.before", [story.event("old")])
    story.say("odd", "no-json", method="POST", path=PURGE_PATH)
    story.look("odd", "no-json.after")
    found = require_purge_at_step(story.seen, "odd", "no-json")
    assert (set(found.before.events.by_guid), found.after.events.rows) == ({"old"}, ())


PER_PAGE = 7


def look(story: Story, *guids: str, total: int | None = None) -> None:
    """Add a look at the newest events, as the experiment `refused` takes it."""
    rows = [story.event(guid) for guid in guids]
    data = {"pagination": {"total_results": len(rows) if total is None else total}, "resources": rows}
    story.say("refused", "look", path=f"{EVENTS_PATH}?per_page={PER_PAGE}", data=data)


def attempt(story: Story, status: int = 401) -> None:
    """Add an attempt at a purge that should be refused."""
    story.say("refused", "credential", method="POST", path=PURGE_PATH, status=status, tags={"credential": "none"})


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "b"], ["b", "a"], None),
        (["a", "b"], ["new", "a", "b"], None),
        (["a", "b"], ["a"], "2 events before, 1 after"),
        (["a", "b"], [], "2 events before, 0 after"),
        (["a", "b"], ["a", "new"], "1 of the newest 2 events are gone, one of them b"),
    ],
)
def test_loss_is_told(before: list[str], after: list[str], words: str | None, story: Story) -> None:
    """What is gone between two looks is told; newcomers and another order are no loss."""
    look(story, *before)
    attempt(story)
    look(story, *after)
    (found,) = attempts(story.seen, "credential")
    assert (found.describe_loss() or "").startswith(words or "")
    assert bool(found.describe_loss()) == bool(words)


def test_displaced_events_are_no_loss(story: Story) -> None:
    """On a full page, events that newer ones displaced are not lost."""
    guids = [str(n) for n in range(PER_PAGE)]
    look(story, *guids, total=500)
    attempt(story)
    look(story, "new", *guids[:-1], total=501)
    assert attempts(story.seen, "credential")[0].describe_loss() is None


def test_attempt_wants_looks_on_both_sides(story: Story) -> None:
    """An attempt whose look before or after could not be read, or showed nothing to lose, is left out."""
    attempt(story)
    look(story)
    attempt(story)
    look(story, "a")
    attempt(story)
    story.say("refused", "look", status=503)
    attempt(story)
    look(story, "a")
    attempt(story)
    assert attempts(story.seen, "credential") == []


@pytest.mark.parametrize(("back", "counts"), [((), True), (("b",), True), (("a", "b"), False)])
def test_look_that_lies_is_no_loss(back: tuple[str, ...], *, counts: bool, story: Story) -> None:
    """What is gone after an attempt and shown again by a later look was never lost."""
    look(story, "a", "b")
    attempt(story)
    look(story)
    attempt(story)
    look(story, *back)
    assert any(a.describe_loss() for a in attempts(story.seen, "credential")) is counts


def test_odd_attempts_are_between_looks(story: Story) -> None:
    """A purge with an odd body is judged between the looks around it."""
    story.look("odd", "no-json.before", [story.event("a")])
    story.say("odd", "no-json", method="POST", path=PURGE_PATH, status=400)
    story.look("odd", "no-json.after", [])
    (found,) = unexpected_input_attempts(story.seen)
    assert (found.request.status, found.describe_loss()) == (400, "1 events before, 0 after")


def read(story: Story, opening: list[str], closing: list[str]) -> None:
    """Add the two readings of the whole list."""
    story.walk("lists", "opening", [story.event(guid) for guid in opening])
    story.walk("lists", "closing", [story.event(guid) for guid in closing])


def test_newcomers_are_left_out(story: Story) -> None:
    """Events that others caused while the list was read count for nothing."""
    read(story, ["a", "b"], ["a", "b", "new"])
    found = require_list_read(story.seen)
    assert found.new_guids == {"new"}
    assert found.known_guids([story.event("a"), story.event("new")]) == {"a"}


def test_reading_during_a_purge_is_inconclusive(story: Story) -> None:
    """Events that vanished while the list was read were purged by somebody else: a race."""
    read(story, ["a", "b"], ["a"])
    with pytest.raises(Inconclusive, match="somebody else purged") as caught:
        require_list_read(story.seen)
    assert caught.value.cause is Cause.RACE


def test_reading_of_nothing_is_not_exercised(story: Story) -> None:
    """An empty list shows nothing."""
    read(story, [], [])
    with pytest.raises(NotExercised):
        require_list_read(story.seen)


@pytest.mark.parametrize(
    ("scope", "made", "status", "proven"),
    [(True, 401, 403, True), (False, 201, 401, True), (False, 401, 403, False), (False, 401, 500, True)],
)
def test_admin_is_proven(scope: bool, made: int, status: int, proven: bool, story: Story) -> None:  # noqa: FBT001
    """A refused purge is held against the target only where the token shows the scope, or made an organization."""
    story.evidence.header.settings["admin_scope"] = scope
    story.say("foundation", "create", method="POST", path="/v3/organizations", status=made)
    request = story.purge("purge", status=status)
    try:
        if proven:
            require_proven_admin(story.seen, request)
        else:
            with pytest.raises(Inconclusive, match="nothing shows"):
                require_proven_admin(story.seen, request)
    finally:
        story.evidence.header.settings["admin_scope"] = True


def test_vanished_is_for_good(story: Story) -> None:
    """What a purge destroyed is known with the exchange that showed it; guids that may be seeded again are not."""
    before = [story.event("old"), story.event("a", "a"), story.event("p", "a")]
    between_looks(story, before=before, after=[], apps=[story.app("a")], processes=[story.process("p", "a")])
    assert destroyed_guids(story.seen) == {"old": len(story.exchanges)}


def test_vanished_wants_whole_lists(story: Story) -> None:
    """Nothing is known to be destroyed where a list could not be read to its end."""
    between_looks(story, before=[story.event("old")], after=[])
    story.note("purge", "after.events.complete", value=False)
    assert destroyed_guids(story.seen) == {}


def test_offset_is_from_dates(story: Story) -> None:
    """The target's clock is known from its Date headers."""
    story.say("e", "s", response_headers=(("Date", "Wed, 01 Jul 2026 12:00:01 GMT"),))
    assert target_clock_offset(story.seen) == (Offset(-0.5, 1), "its Date headers")


def test_offset_is_from_start(story: Story) -> None:
    """Without a Date it is known from the event of a start that was just asked for."""
    start = story.say("lifecycle", "start-idle", method="POST", path="/v3/apps/idle/actions/start")
    story.walk("lifecycle", "start", [story.event("e", "idle", "2026-07-01T13:00:01Z")])
    found = target_clock_offset(story.seen)
    assert found == (Offset(3599.5, 3601), "the event of a start that was just asked for")
    assert start.n == 1


def test_offset_may_be_unknown(story: Story) -> None:
    """Without either nothing is known."""
    story.say("e", "s")
    assert target_clock_offset(story.seen) is None


@pytest.mark.parametrize(("state", "counted"), [("STARTED", ["stop"]), ("STOPPED", [])])
def test_change_to_what_is_so_already_is_none(state: str, counted: list[str], story: Story) -> None:
    """A stop of an app that was stopped by itself, perhaps by a purge, need not be recorded; one of it later has to."""
    story.look("again", "after", [], [story.app("a", state)])
    for name, tells in (("before", ""), ("stop", "STOPPED"), ("start", "STARTED"), ("stop-again", "STOPPED")):
        if tells:
            story.note(
                "lifecycle", f"change {name}", {"app": "a", "done": True, "since": "before", "tells": {"state": tells}}
            )
        story.walk("lifecycle", name, [])
    assert [change.name for change in effective_changes(story.seen, "lifecycle", "stop", "stop-again")] == [
        *counted,
        "stop-again",
    ]


@pytest.mark.parametrize(("step", "found"), [("create", {"a"}), ("equip", set())])
def test_apps_that_run_something_may_have_more_processes(step: str, found: set[str], story: Story) -> None:
    """The suite's own apps have one process each, unless they were given a droplet, which may have more."""
    story.note("foundation", "apps", {"steady": "a"})
    story.say("foundation", step, method="POST", path="/v3/droplets")
    assert running.STEP == "equip"
    assert single_process_apps(story.evidence) == found
