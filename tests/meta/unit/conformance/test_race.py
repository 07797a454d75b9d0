"""Judgments of a race of purges with changes."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import AttributableViolation, Inconclusive, NotExercised, RequirementViolated
from purge_conformance.analysis.race import require_rounds
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.rounds import RACES
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause
from purge_conformance.scenarios import race

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.steps import Where


judged = importlib.import_module("purge_conformance.conformance.test_race")
Row = dict[str, Any]
EXPLAINED, ORDER = "test_events_are_explained", "test_changed_apps_are_linearizable"
UNCHANGED = "test_unchanged_apps_are_seeded"
JUDGMENTS = (EXPLAINED, ORDER, UNCHANGED)
CONCURRENT = Place(Step.CONCURRENT, 1)
LATER = "2026-07-01T12:00:09Z"
EARLIER = "2026-07-01T11:00:00Z"
OLD: Row = {
    "guid": "old",
    "created_at": EARLIER,
    "app": {"guid": "still"},
    "state": {"previous": "STOPPED", "current": "STARTED"},
}


def seeded_event(app: str, instances: int = 1, state: str = "STARTED") -> Row:
    """Return a seeded event."""
    now = {"current": state, "previous": state}
    sizes = {"current": instances, "previous": instances}
    return {"guid": app, "created_at": LATER, "app": {"guid": app}, "state": now, "instance_count": sizes}


def change_event(change: str, guid: str = "e1", process: str = "a") -> Row:
    """Return the event of a change of the app `a`."""
    state = {"start": ("STOPPED", "STARTED"), "stop": ("STARTED", "STOPPED"), "scale": ("STARTED", "STARTED")}[change]
    was, now = state
    row = {"guid": guid, "created_at": LATER, "app": {"guid": "a"}, "process": {"guid": process}}
    return row | {"state": {"previous": was, "current": now}, "instance_count": {"previous": 1, "current": 2}}


def add_snapshot(builder: EvidenceBuilder, where: Where, state: str, events: Sequence[Row]) -> None:
    """Add a snapshot of the app `a` in that state, of an unchanged started app, and of events."""
    apps = [builder.app("a", state, LATER if state == "STOPPED" else EARLIER), builder.app("still")]
    processes = [{**builder.process(app, app), "type": "web"} for app in ("a", "still")]
    builder.add_snapshot(Scenario.RACE, where, events, apps, processes)


def add_round(builder: EvidenceBuilder, place: Place, *changes: str, status: int = 200, beside: bool = True) -> None:
    """Add a purge of two seconds, and changes of the app `a` during it or after it."""
    begun = builder.add_exchange(
        Scenario.RACE, place, method="POST", path=PURGE_PATH, elapsed=2.0, data={}, status=status
    ).sent_at
    for change in changes:
        path = f"/v3/apps/a/actions/{change}"
        at = begun + (1.0 if beside else 3.0)
        changed = replace(place, step=race.CHANGES[place.step])
        builder.add_exchange(Scenario.RACE, changed, method="POST", path=path, sent_at=at, elapsed=0.25, data={})


def add_race(
    builder: EvidenceBuilder,
    after: Sequence[Row],
    *,
    sequential: Sequence[Row] | None = None,
    status: int = 200,
    beside: bool = True,
) -> None:
    """Add a sequential round with a start of the app `a`, and one with a stop during the purge or after it."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "a", App.WITHOUT_INSTANCES: "still"})
    add_snapshot(builder, Step.OPENING, "STOPPED", [seeded_event("still")])
    add_round(builder, race.SEQUENTIAL, "start", beside=False)
    add_snapshot(
        builder,
        race.SEQUENTIAL.at(Phase.AFTER),
        "STARTED",
        [seeded_event("still"), change_event("start", "e0"), OLD] if sequential is None else sequential,
    )
    add_round(builder, CONCURRENT, "stop", status=status, beside=beside)
    add_snapshot(builder, CONCURRENT.at(Phase.AFTER), "STOPPED", after)


@pytest.mark.parametrize(
    "after",
    [
        [seeded_event("still")],
        [seeded_event("still"), change_event("stop")],
        [seeded_event("still"), seeded_event("a", state="STOPPED"), change_event("stop")],
        [seeded_event("still"), seeded_event("a"), change_event("stop")],
        [
            seeded_event("still"),
            seeded_event("a", 7),
            change_event("stop"),
            {**change_event("stop"), "guid": "s", "state": {"current": "STAGED"}},
        ],
        [seeded_event("still"), {**change_event("stop"), "state": None}],
    ],
)
def test_legal_race_passes(after: list[Row], builder: EvidenceBuilder) -> None:
    """A stop may take effect before, within or after the purge; events of other resources do not count."""
    add_race(builder, after, sequential=[seeded_event("still", 7), change_event("start", "e0")])
    if len(after) > 3:
        builder.exchanges[:] = [x for x in builder.exchanges if x.place.part is not Part.PROCESSES]
    shows_stopped = any(row["guid"] == "a" and row["state"]["current"] == "STOPPED" for row in after)
    for name in (EXPLAINED,) if shows_stopped else JUDGMENTS:
        getattr(judged, name)(builder.judgment_view)


@pytest.mark.parametrize(
    ("failing", "after"),
    [
        ({ORDER}, [seeded_event("still"), seeded_event("a")]),
        ({EXPLAINED, ORDER}, [seeded_event("still"), change_event("stop"), change_event("stop", "e2")]),
        ({EXPLAINED, ORDER}, [seeded_event("still"), change_event("start", "e0")]),
        ({UNCHANGED}, []),
        ({UNCHANGED}, [seeded_event("still"), {**seeded_event("still"), "guid": "x"}]),
        ({UNCHANGED}, [seeded_event("still"), OLD]),
    ],
)
def test_illegal_race_fails(failing: set[str], after: list[Row], builder: EvidenceBuilder) -> None:
    """A lost stop has no order; a duplicate one and a surviving event have no explanation at all.

    Apps that did not change must be seeded once.
    """
    add_race(builder, after)
    for name in JUDGMENTS:
        with pytest.raises(RequirementViolated) if name in failing else nullcontext():
            getattr(judged, name)(builder.judgment_view)


SEED, OWN_SEED, STOP = seeded_event("still"), seeded_event("a"), change_event("stop")


@pytest.mark.parametrize(
    ("after", "later", "error"),
    [
        ([SEED, OWN_SEED, STOP], [SEED, OWN_SEED, STOP], None),
        ([STOP, SEED, OWN_SEED], [SEED, OWN_SEED], None),
        ([SEED, OWN_SEED, STOP], [SEED, OWN_SEED, STOP, change_event("stop", "e2")], AttributableViolation),
        ([SEED, OWN_SEED, STOP], [SEED, OWN_SEED], AttributableViolation),
        ([SEED, OWN_SEED, STOP], [SEED, {**OWN_SEED, "created_at": EARLIER}], RequirementViolated),
    ],
    ids=["stays", "oldest deleted", "recorded again", "destroyed", "purged again"],
)
def test_later_snapshot_is_explained_too(
    after: list[Row], later: list[Row], error: type[Exception] | None, builder: EvidenceBuilder
) -> None:
    """A change after the purge is listed once, also later; a further purge or a deletion of the oldest excuses it."""
    add_race(builder, after, beside=False)
    add_snapshot(builder, Step.CLOSING, "STOPPED", later)
    with pytest.raises(RequirementViolated) if error else nullcontext() as caught:
        judged.test_events_are_explained(builder.judgment_view)
    if caught:
        assert (type(caught.value), caught.value.case) == (error, "later")


def test_seed_shows_state_that_the_app_had(builder: EvidenceBuilder) -> None:
    """The seeded event of an app that was started during the purge, or only scaled, cannot show a stopped app."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "a", App.WITHOUT_INSTANCES: "still"})
    add_snapshot(builder, Step.OPENING, "STOPPED", [SEED])
    add_round(builder, race.SEQUENTIAL)
    add_snapshot(builder, race.SEQUENTIAL.at(Phase.AFTER), "STOPPED", [SEED])
    add_round(builder, CONCURRENT, "start")
    add_snapshot(builder, CONCURRENT.at(Phase.AFTER), "STARTED", [SEED, seeded_event("a", state="STOPPED")])
    with pytest.raises(RequirementViolated) as caught:
        judged.test_events_are_explained(builder.judgment_view)
    assert "with a seeded event with 1 instance that shows STOPPED" in caught.value.findings[0].got


def test_failure_shows_timeline(builder: EvidenceBuilder) -> None:
    """A failure shows the requests in milliseconds, the responses and the final list, and nothing else."""
    add_race(builder, [seeded_event("still"), seeded_event("a")])
    with pytest.raises(RequirementViolated) as caught:
        judged.test_changed_apps_are_linearizable(builder.judgment_view)
    (finding,) = caught.value.findings
    assert finding.got.splitlines() == [
        f"0 to 2000 ms: POST {PURGE_PATH} -> 200;",
        "1000 to 1250 ms: POST /v3/apps/a/actions/stop -> 200;",
        "afterwards the app is STOPPED with 1 instance, with a seeded event with 1 instance; events of changes: none",
    ]


@pytest.mark.parametrize(("events", "is_so"), [((), False), (("stop",), True), (("stop", "stop", "stop"), True)])
def test_change_may_have_several_events(events: Sequence[str], is_so: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- expected
    """If each sequential change has several events, a concurrent one may have them too."""
    sequential = [seeded_event("still"), change_event("start", "e0"), change_event("scale", "e00")]
    rows = [change_event(change, f"e{n}") for n, change in enumerate(events, 1)]
    add_race(builder, [seeded_event("still"), seeded_event("a"), *rows], sequential=sequential)
    judged.test_unchanged_apps_are_seeded(builder.judgment_view)
    if is_so:
        judged.test_changed_apps_are_linearizable(builder.judgment_view)
        return
    with pytest.raises(RequirementViolated):
        judged.test_changed_apps_are_linearizable(builder.judgment_view)


@pytest.mark.parametrize("judgment", ["test_changed_apps_are_linearizable", "test_unchanged_apps_are_seeded"])
def test_sequential_error_is_inconclusive(judgment: str, builder: EvidenceBuilder) -> None:
    """If the sequential round is incorrect, the race is not judged."""
    add_race(builder, [], sequential=[])
    with pytest.raises(Inconclusive, match="without concurrency"):
        getattr(judged, judgment)(builder.judgment_view)


@pytest.mark.parametrize(
    "after",
    [
        [],
        [OLD],
        [seeded_event("still"), {**seeded_event("still"), "guid": "x"}],
        [{**seeded_event("still"), "app": {"guid": "a"}}],
    ],
)
@pytest.mark.parametrize("judgment", ["test_changed_apps_are_linearizable", "test_unchanged_apps_are_seeded"])
def test_incorrect_baseline_is_inconclusive(judgment: str, after: list[Row], builder: EvidenceBuilder) -> None:
    """If a purge alone is incorrect in any way, the race is not judged."""
    apps = [builder.app("still"), builder.app("b", "STOPPED")]
    processes = [builder.process("still", "still")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, [OLD], apps, processes)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, after, apps, processes)
    add_race(builder, [seeded_event("still"), seeded_event("a")])
    with pytest.raises(Inconclusive, match="isolated purges already fail"):
        getattr(judged, judgment)(builder.judgment_view)


def test_unreliable_sizes_are_ignored(builder: EvidenceBuilder) -> None:
    """If a seeded event of the sequential round has the wrong size, sizes are ignored."""
    apps, processes = [builder.app("still")], [builder.process("still", "still")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, [OLD], apps, processes)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [seeded_event("still", 7)], apps, processes)
    add_race(builder, [seeded_event("still"), seeded_event("a", 5), change_event("stop")])
    judged.test_changed_apps_are_linearizable(builder.judgment_view)


@pytest.mark.parametrize("judgment", ["test_changed_apps_are_linearizable", "test_unchanged_apps_are_seeded"])
def test_race_without_purge_is_inconclusive(judgment: str, builder: EvidenceBuilder) -> None:
    """Without a successful purge during the changes, nothing is judged."""
    add_race(builder, [], status=503)
    with pytest.raises(Inconclusive, match="No purge succeeded"):
        getattr(judged, judgment)(builder.judgment_view)


def test_race_without_apps_is_not_exercised(builder: EvidenceBuilder) -> None:
    """Without apps of the suite, the reason is given, and the cause is the configuration."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS_ERROR, "POST /v3/apps made nothing")
    with pytest.raises(NotExercised, match="made nothing") as caught:
        judged.test_changed_apps_are_linearizable(builder.judgment_view)
    assert caught.value.cause is Cause.CONFIGURATION


def test_indistinct_events_are_counted(builder: EvidenceBuilder) -> None:
    """If events do not distinguish start and stop, they are only counted."""
    blank = {"state": None, "instance_count": None}
    add_race(
        builder,
        [seeded_event("still"), {**change_event("stop"), **blank}],
        sequential=[seeded_event("still"), {**change_event("start", "e0"), **blank}],
    )
    judged.test_changed_apps_are_linearizable(builder.judgment_view)


def test_every_round_is_read(builder: EvidenceBuilder) -> None:
    """The analysis reads the rounds that the scenario runs."""
    add_snapshot(builder, Step.OPENING, "STOPPED", [seeded_event("still")])
    for place in race.LAST_CHANGED_APPS:
        add_round(builder, place)
        add_snapshot(builder, place.at(Phase.AFTER), "STOPPED", [seeded_event("still")])
    found = [each.place for each in require_rounds(builder.judgment_view)]
    assert found == [race.SEQUENTIAL, *(Place(Step.CONCURRENT, index) for index in RACES)]


@pytest.mark.parametrize(("owner", "error"), [("others", None), ("suite", Inconclusive)])
def test_unusual_app_of_others_is_left_out(owner: str, error: type[Exception] | None, builder: EvidenceBuilder) -> None:
    """An app of others that every purge seeds with another guid is left out; one of the suite prevents a judgment."""
    own = {App.STARTED: "a"} if owner == "others" else {App.STARTED: "a", App.SCALED: "still"}
    rolled = {**seeded_event("still"), "guid": "its-process"}
    builder.add_snapshot(Scenario.PURGE, BEFORE, [OLD], [builder.app("still"), builder.app("usual")])
    builder.add_purge(Scenario.PURGE)
    seeds = [rolled, seeded_event("usual")]
    builder.add_snapshot(Scenario.PURGE, AFTER, seeds, [builder.app("still"), builder.app("usual")])
    add_race(builder, [rolled, change_event("stop")], sequential=[rolled, change_event("start", "e0")])
    builder.add_note(Scenario.FOUNDATION, notes.APPS, own)
    for name in JUDGMENTS:
        with pytest.raises(error, match="isolated purges already fail") if error else nullcontext():
            getattr(judged, name)(builder.judgment_view)
