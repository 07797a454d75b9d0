"""A purge between two snapshots."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.purge import group_by_app, require_purge, require_purge_at, require_started_apps
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


def add_purge_between_snapshots(
    builder: EvidenceBuilder,
    *,
    before: list[Row],
    after: list[Row],
    status: int = 200,
    **more: Any,  # noqa: ANN401 -- of EvidenceBuilder.add_snapshot
) -> None:
    """Add a purge between two snapshots, with the apps and processes in `more`."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, before, **more)
    builder.add_purge(Scenario.PURGE, status=status)
    builder.add_snapshot(Scenario.PURGE, AFTER, after, **more)


def test_purge_is_observed(builder: EvidenceBuilder) -> None:
    """An observed purge has the events before and after, and the unchanged apps."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    add_purge_between_snapshots(builder, before=[builder.event("old", "a")], after=[builder.event("a", "a")], apps=apps)
    found = require_purge(builder.judgment_view, Scenario.PURGE)
    assert (found.started_apps, found.surviving_events, set(found.new_events_by_app())) == (["a"], {}, {"a"})
    assert found.last_exchange == found.after.events.exchanges[-1].n == len(builder.exchanges)


@pytest.mark.parametrize("status", [500, 403, 302])
def test_purge_that_failed_is_inconclusive(status: int, builder: EvidenceBuilder) -> None:
    """The effects of a failed purge cannot be judged."""
    add_purge_between_snapshots(builder, before=[], after=[], status=status)
    with pytest.raises(Inconclusive, match=f"did not succeed: {status}"):
        require_purge(builder.judgment_view, Scenario.PURGE)


@pytest.mark.parametrize("part", [Part.EVENTS, Part.APPS])
def test_purge_between_unread_lists_is_inconclusive(part: Part, builder: EvidenceBuilder) -> None:
    """A purge between incomplete lists cannot be judged."""
    add_purge_between_snapshots(builder, before=[], after=[])
    builder.list_ends.append(ListEnd(Scenario.PURGE, AFTER.of(part), complete=False))
    with pytest.raises(Inconclusive, match=f"The list of {part}"):
        require_purge(builder.judgment_view, Scenario.PURGE)


def test_purge_without_started_app_is_not_exercised(builder: EvidenceBuilder) -> None:
    """Without a started app there is nothing to seed, and the reason says so."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS_ERROR, "POST /v3/apps made nothing")
    add_purge_between_snapshots(builder, before=[], after=[], apps=[builder.app("a", "STOPPED")])
    with pytest.raises(NotExercised, match="POST /v3/apps made nothing") as caught:
        require_started_apps(require_purge(builder.judgment_view, Scenario.PURGE), builder.judgment_view)
    assert caught.value.cause is Cause.CONFIGURATION


def test_guids_that_may_be_seeded(builder: EvidenceBuilder) -> None:
    """A seeded event may have the guid of any app, or process, that was possibly started."""
    apps = [builder.app("a"), builder.app("b", "STOPPED"), builder.app("raced", "STOPPED")]
    processes = [builder.process("p", "a"), builder.process("q", "b")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=apps, processes=processes)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(
        Scenario.PURGE, AFTER, apps=[*apps[:2], builder.app("raced"), builder.app("new")], processes=processes
    )
    assert require_purge(builder.judgment_view, Scenario.PURGE).seedable_guids == {"a", "p", "raced", "new"}


def test_surviving_events_are_detected(builder: EvidenceBuilder) -> None:
    """An unchanged event survives the purge; an event with the guid of an app may be seeded again."""
    old, mine, again = (
        builder.event("old", "a"),
        builder.event("a", "a"),
        builder.event("x", "a", "2026-07-01T12:00:09Z"),
    )
    before = [old, mine, builder.event("x", "a")]
    add_purge_between_snapshots(builder, before=before, after=[old, mine, again], apps=[builder.app("a")])
    found = require_purge(builder.judgment_view, Scenario.PURGE)
    assert (set(found.surviving_events), found.new_events_by_app()) == ({"old"}, {"a": [mine, again]})


def test_event_belongs_to_app(builder: EvidenceBuilder) -> None:
    """An event belongs to the app with its guid, or else to the app that it names, or to none."""
    events = [builder.event("a", "b"), builder.event("x", "a"), builder.event("y"), builder.event("z", "c")]
    found = {app: [row["guid"] for row in rows] for app, rows in group_by_app(events, {"a", "b"}).items()}
    assert found == {"a": ["a", "x"], None: ["y"], "c": ["z"]}


@pytest.mark.parametrize(
    ("seeded", "faithful"),
    [(["a"], True), ([], False), (["a", "b"], False), (["a", "gone"], False), (["a", "old"], False)],
)
def test_correct_purge_is_recognized(seeded: list[str], *, faithful: bool, builder: EvidenceBuilder) -> None:
    """A purge is correct if no event survives, every started app has an event, and nothing else has one."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    after = [builder.event(guid, guid) for guid in seeded]
    add_purge_between_snapshots(builder, before=[builder.event("old", "old")], after=after, apps=apps)
    assert require_purge(builder.judgment_view, Scenario.PURGE).is_complete() is faithful


def test_named_purge_uses_own_snapshots(builder: EvidenceBuilder) -> None:
    """A purge at a step of its own uses the snapshots with the name of that step."""
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.BEFORE), [builder.event("old")])
    builder.add_exchange(Scenario.UNEXPECTED_INPUT, Step.NOT_JSON, method="POST", path=PURGE_PATH)
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.AFTER))
    found = require_purge_at(builder.judgment_view, Scenario.UNEXPECTED_INPUT, Step.NOT_JSON)
    assert (set(found.before.events.by_guid), found.after.events.rows) == ({"old"}, ())


@pytest.mark.parametrize("app", ["started-without-event", "stopped-with-event"])
def test_only_apps_that_kept_their_state_are_wrong_by_it(app: str, builder: EvidenceBuilder) -> None:
    """An app whose state changed earlier is not judged by it: AGAIN-03 judges its events."""
    apps = [
        builder.app("a"),
        builder.app("started-without-event"),
        builder.app("stopped-with-event", "STOPPED"),
    ]
    after = [builder.event(guid, guid) for guid in ("a", "stopped-with-event")]
    add_purge_between_snapshots(builder, before=[], after=after, apps=apps)
    purge = require_purge(builder.judgment_view, Scenario.PURGE)
    assert app in purge.wrong_apps(())
    assert app not in replace(purge, state_changed_earlier=frozenset({app})).wrong_apps(())
