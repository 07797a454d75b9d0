"""Views: a purge, an attempt and a reading between two looks, races with others left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.actions import simple_apps
from purge_conformance.analysis.app_changes import changes
from purge_conformance.analysis.assertions import Inconclusive, NotExercised
from purge_conformance.analysis.history import offset, proven_admin, vanished
from purge_conformance.analysis.list_reads import reading
from purge_conformance.analysis.purge import by_app, purged, purged_by, with_started_apps
from purge_conformance.analysis.rejected import attempts, odd_attempts
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.clock import Offset
from purge_conformance.report.model import Cause
from purge_conformance.target.apps import droplets as running

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


def between_looks(
    builder: EvidenceBuilder,
    *,
    before: list[Row],
    after: list[Row],
    status: int = 200,
    **more: Any,  # noqa: ANN401 -- of Story.look
) -> None:
    """Add a purge between two looks at events, with the apps and processes that `more` names."""
    builder.add_snapshot("purge", "before", before, **more)
    builder.add_purge("purge", status=status)
    builder.add_snapshot("purge", "after", after, **more)


def test_purge_is_seen(builder: EvidenceBuilder) -> None:
    """A purge shows what was there before and after, and the apps that stayed as they were."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    between_looks(builder, before=[builder.event("old", "a")], after=[builder.event("a", "a")], apps=apps)
    found = purged(builder.judgment_view, "purge")
    assert (found.started, found.kept, set(found.populated())) == (["a"], {}, {"a"})
    assert found.last == found.after.events.exchanges[-1].n == len(builder.exchanges)


@pytest.mark.parametrize("status", [500, 403, 302])
def test_purge_that_failed_is_inconclusive(status: int, builder: EvidenceBuilder) -> None:
    """What follows from a purge cannot be judged where it did not succeed."""
    between_looks(builder, before=[], after=[], status=status)
    with pytest.raises(Inconclusive, match=f"did not succeed: {status}"):
        purged(builder.judgment_view, "purge")


@pytest.mark.parametrize("part", ["events", "apps"])
def test_purge_between_unread_lists_is_inconclusive(part: str, builder: EvidenceBuilder) -> None:
    """Nor where a list could not be read to its end before it or after it."""
    between_looks(builder, before=[], after=[])
    builder.add_note("purge", f"after.{part}.complete", value=False)
    with pytest.raises(Inconclusive, match=f"the list of {part}"):
        purged(builder.judgment_view, "purge")


def test_purge_without_started_app_is_not_exercised(builder: EvidenceBuilder) -> None:
    """Without an app that was started all the time there is nothing to seed, and the reason is told."""
    builder.add_note("foundation", "trouble", "POST /v3/apps made nothing")
    between_looks(builder, before=[], after=[], apps=[builder.app("a", "STOPPED")])
    with pytest.raises(NotExercised, match="POST /v3/apps made nothing") as caught:
        with_started_apps(purged(builder.judgment_view, "purge"), builder.judgment_view)
    assert caught.value.blame is Cause.CONFIGURATION


def test_guids_that_may_be_seeded(builder: EvidenceBuilder) -> None:
    """A seeded event may have the guid of any app, or its process, that was not surely stopped."""
    apps = [builder.app("a"), builder.app("b", "STOPPED"), builder.app("raced", "STOPPED")]
    processes = [builder.process("p", "a"), builder.process("q", "b")]
    builder.add_snapshot("purge", "before", apps=apps, processes=processes)
    builder.add_purge("purge")
    builder.add_snapshot(
        "purge", "after", apps=[*apps[:2], builder.app("raced"), builder.app("new")], processes=processes
    )
    assert purged(builder.judgment_view, "purge").seedable == {"a", "p", "raced", "new"}


def test_kept_events_are_told(builder: EvidenceBuilder) -> None:
    """An event that a purge left as it was is kept; one that an app has the guid of may be seeded anew."""
    old, mine, again = (
        builder.event("old", "a"),
        builder.event("a", "a"),
        builder.event("x", "a", "2026-07-01T12:00:09Z"),
    )
    before = [old, mine, builder.event("x", "a")]
    between_looks(builder, before=before, after=[old, mine, again], apps=[builder.app("a")])
    found = purged(builder.judgment_view, "purge")
    assert (set(found.kept), found.populated()) == ({"old"}, {"a": [mine, again]})


def test_events_are_of_their_app(builder: EvidenceBuilder) -> None:
    """An event is for the app that it has the guid of, or else for the one that it names, or for none."""
    events = [builder.event("a", "b"), builder.event("x", "a"), builder.event("y"), builder.event("z", "c")]
    found = {app: [row["guid"] for row in rows] for app, rows in by_app(events, {"a", "b"}).items()}
    assert found == {"a": ["a", "x"], None: ["y"], "c": ["z"]}


@pytest.mark.parametrize(
    ("seeded", "faithful"),
    [(["a"], True), ([], False), (["a", "b"], False), (["a", "gone"], False), (["a", "old"], False)],
)
def test_faithful_purge_is_whole(seeded: list[str], *, faithful: bool, builder: EvidenceBuilder) -> None:
    """A purge is faithful if nothing is kept, every started app has an event, and nothing else has one."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    after = [builder.event(guid, guid) for guid in seeded]
    between_looks(builder, before=[builder.event("old", "old")], after=after, apps=apps)
    assert purged(builder.judgment_view, "purge").is_faithful() is faithful


def test_odd_purge_is_between_its_looks(builder: EvidenceBuilder) -> None:
    """A purge at a step of its own is seen between the looks named after it."""
    builder.add_snapshot("odd", "no-json.before", [builder.event("old")])
    builder.add_exchange("odd", "no-json", method="POST", path=PURGE_PATH)
    builder.add_snapshot("odd", "no-json.after")
    found = purged_by(builder.judgment_view, "odd", "no-json")
    assert (set(found.before.events.by_guid), found.after.events.rows) == ({"old"}, ())


PER_PAGE = 7


def look(builder: EvidenceBuilder, *guids: str, total: int | None = None) -> None:
    """Add a look at the newest events, as the experiment `refused` takes it."""
    rows = [builder.event(guid) for guid in guids]
    data = {"pagination": {"total_results": len(rows) if total is None else total}, "resources": rows}
    builder.add_exchange("refused", "look", path=f"{EVENTS_PATH}?per_page={PER_PAGE}", data=data)


def attempt(builder: EvidenceBuilder, status: int = 401) -> None:
    """Add an attempt at a purge that should be refused."""
    builder.add_exchange(
        "refused", "credential", method="POST", path=PURGE_PATH, status=status, tags={"credential": "none"}
    )


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
def test_loss_is_told(before: list[str], after: list[str], words: str | None, builder: EvidenceBuilder) -> None:
    """What is gone between two looks is told; newcomers and another order are no loss."""
    look(builder, *before)
    attempt(builder)
    look(builder, *after)
    (found,) = attempts(builder.judgment_view, "credential")
    assert (found.loss() or "").startswith(words or "")
    assert bool(found.loss()) == bool(words)


def test_displaced_events_are_no_loss(builder: EvidenceBuilder) -> None:
    """On a full page, events that newer ones displaced are not lost."""
    guids = [str(n) for n in range(PER_PAGE)]
    look(builder, *guids, total=500)
    attempt(builder)
    look(builder, "new", *guids[:-1], total=501)
    assert attempts(builder.judgment_view, "credential")[0].loss() is None


def test_attempt_wants_looks_on_both_sides(builder: EvidenceBuilder) -> None:
    """An attempt whose look before or after could not be read, or showed nothing to lose, is left out."""
    attempt(builder)
    look(builder)
    attempt(builder)
    look(builder, "a")
    attempt(builder)
    builder.add_exchange("refused", "look", status=503)
    attempt(builder)
    look(builder, "a")
    attempt(builder)
    assert attempts(builder.judgment_view, "credential") == []


@pytest.mark.parametrize(("back", "counts"), [((), True), (("b",), True), (("a", "b"), False)])
def test_look_that_lies_is_no_loss(back: tuple[str, ...], *, counts: bool, builder: EvidenceBuilder) -> None:
    """What is gone after an attempt and shown again by a later look was never lost."""
    look(builder, "a", "b")
    attempt(builder)
    look(builder)
    attempt(builder)
    look(builder, *back)
    assert any(a.loss() for a in attempts(builder.judgment_view, "credential")) is counts


def test_odd_attempts_are_between_looks(builder: EvidenceBuilder) -> None:
    """A purge with an odd body is judged between the looks around it."""
    builder.add_snapshot("odd", "no-json.before", [builder.event("a")])
    builder.add_exchange("odd", "no-json", method="POST", path=PURGE_PATH, status=400)
    builder.add_snapshot("odd", "no-json.after", [])
    (found,) = odd_attempts(builder.judgment_view)
    assert (found.request.status, found.loss()) == (400, "1 events before, 0 after")


def read(builder: EvidenceBuilder, opening: list[str], closing: list[str]) -> None:
    """Add the two readings of the whole list."""
    builder.add_list("lists", "opening", [builder.event(guid) for guid in opening])
    builder.add_list("lists", "closing", [builder.event(guid) for guid in closing])


def test_newcomers_are_left_out(builder: EvidenceBuilder) -> None:
    """Events that others caused while the list was read count for nothing."""
    read(builder, ["a", "b"], ["a", "b", "new"])
    found = reading(builder.judgment_view)
    assert found.newcomers == {"new"}
    assert found.of([builder.event("a"), builder.event("new")]) == {"a"}


def test_reading_during_a_purge_is_inconclusive(builder: EvidenceBuilder) -> None:
    """Events that vanished while the list was read were purged by somebody else: a race."""
    read(builder, ["a", "b"], ["a"])
    with pytest.raises(Inconclusive, match="somebody else purged") as caught:
        reading(builder.judgment_view)
    assert caught.value.blame is Cause.RACE


def test_reading_of_nothing_is_not_exercised(builder: EvidenceBuilder) -> None:
    """An empty list shows nothing."""
    read(builder, [], [])
    with pytest.raises(NotExercised):
        reading(builder.judgment_view)


@pytest.mark.parametrize(
    ("scope", "made", "status", "proven"),
    [(True, 401, 403, True), (False, 201, 401, True), (False, 401, 403, False), (False, 401, 500, True)],
)
def test_admin_is_proven(scope: bool, made: int, status: int, proven: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """A refused purge is held against the target only where the token shows the scope, or made an organization."""
    builder.evidence.header.settings["admin_scope"] = scope
    builder.add_exchange("foundation", "create", method="POST", path="/v3/organizations", status=made)
    request = builder.add_purge("purge", status=status)
    try:
        if proven:
            proven_admin(builder.judgment_view, request)
        else:
            with pytest.raises(Inconclusive, match="nothing shows"):
                proven_admin(builder.judgment_view, request)
    finally:
        builder.evidence.header.settings["admin_scope"] = True


def test_vanished_is_for_good(builder: EvidenceBuilder) -> None:
    """What a purge destroyed is known with the exchange that showed it; guids that may be seeded again are not."""
    before = [builder.event("old"), builder.event("a", "a"), builder.event("p", "a")]
    between_looks(builder, before=before, after=[], apps=[builder.app("a")], processes=[builder.process("p", "a")])
    assert vanished(builder.judgment_view) == {"old": len(builder.exchanges)}


def test_vanished_wants_whole_lists(builder: EvidenceBuilder) -> None:
    """Nothing is known to be destroyed where a list could not be read to its end."""
    between_looks(builder, before=[builder.event("old")], after=[])
    builder.add_note("purge", "after.events.complete", value=False)
    assert vanished(builder.judgment_view) == {}


def test_offset_is_from_dates(builder: EvidenceBuilder) -> None:
    """The target's clock is known from its Date headers."""
    builder.add_exchange("e", "s", response_headers=(("Date", "Wed, 01 Jul 2026 12:00:01 GMT"),))
    assert offset(builder.judgment_view) == (Offset(-0.5, 1), "its Date headers")


def test_offset_is_from_start(builder: EvidenceBuilder) -> None:
    """Without a Date it is known from the event of a start that was just asked for."""
    start = builder.add_exchange("lifecycle", "start-idle", method="POST", path="/v3/apps/idle/actions/start")
    builder.add_list("lifecycle", "start", [builder.event("e", "idle", "2026-07-01T13:00:01Z")])
    found = offset(builder.judgment_view)
    assert found == (Offset(3599.5, 3601), "the event of a start that was just asked for")
    assert start.n == 1


def test_offset_may_be_unknown(builder: EvidenceBuilder) -> None:
    """Without either nothing is known."""
    builder.add_exchange("e", "s")
    assert offset(builder.judgment_view) is None


@pytest.mark.parametrize(("state", "counted"), [("STARTED", ["stop"]), ("STOPPED", [])])
def test_change_to_what_is_so_already_is_none(state: str, counted: list[str], builder: EvidenceBuilder) -> None:
    """A stop of an app that was stopped by itself, perhaps by a purge, need not be recorded; one of it later has to."""
    builder.add_snapshot("again", "after", [], [builder.app("a", state)])
    for name, tells in (("before", ""), ("stop", "STOPPED"), ("start", "STARTED"), ("stop-again", "STOPPED")):
        if tells:
            builder.add_note(
                "lifecycle", f"change {name}", {"app": "a", "done": True, "since": "before", "tells": {"state": tells}}
            )
        builder.add_list("lifecycle", name, [])
    assert [change.name for change in changes(builder.judgment_view, "lifecycle", "stop", "stop-again")] == [
        *counted,
        "stop-again",
    ]


@pytest.mark.parametrize(("step", "found"), [("create", {"a"}), ("equip", set())])
def test_apps_that_run_something_may_have_more_processes(step: str, found: set[str], builder: EvidenceBuilder) -> None:
    """The suite's own apps have one process each, unless they were given a droplet, which may have more."""
    builder.add_note("foundation", "apps", {"steady": "a"})
    builder.add_exchange("foundation", step, method="POST", path="/v3/droplets")
    assert running.STEP == "equip"
    assert simple_apps(builder.evidence) == found
