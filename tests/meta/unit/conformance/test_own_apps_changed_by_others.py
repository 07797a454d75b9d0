"""Judgments PURGE-06 and AFTER: changes of the suite's own apps that other clients made are not the target's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import outcome_of
from meta.support.story import app_row, event_row, process_row
from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.analysis.assertions import no_suitable_app
from purge_conformance.analysis.changes_by_others import find_deleted_by_others
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meta.support.story import EvidenceBuilder

Row = dict[str, Any]
OWN = ("a", "b", "c")
STARTED, STOPPED = "STARTED", "STOPPED"


def change(guid: str, app: str, was: str, now: str) -> Row:
    """Return the event of a start or a stop."""
    return {**event_row(guid, app), "state": {"previous": was, "current": now}}


def add_purges(builder: EvidenceBuilder, *stopped: Sequence[str], events: bool = True, destroyed: bool = False) -> None:
    """Add purges, around each of which these apps are stopped.

    Args:
        builder: the evidence.
        stopped: the names of the apps that are stopped, for each purge.
        events: whether the stops are recorded.
        destroyed: whether the purge destroys these events: they are listed only before it.
    """
    builder.add_note(Scenario.FOUNDATION, notes.APPS, dict(zip(App, OWN, strict=False)))
    for index, names in enumerate(stopped, 1):
        place = Place(Step.GENERATED_PURGE, index)
        processes = [process_row(name, name) for name in OWN]
        rows = [app_row(name) for name in OWN]
        builder.add_snapshot(Scenario.GENERATED, place.at(Phase.BEFORE), [], rows, processes)
        recorded = [change(f"{name}-{index}", name, STARTED, STOPPED) for name in names if events]
        if destroyed:
            builder.add_page(Scenario.GENERATED, Step.AWAIT_EVENT, recorded)
            recorded = []
        builder.add_purge(Scenario.GENERATED, place)
        seeds = [event_row(name, name) for name in OWN]
        after = [app_row(name, STOPPED if name in names else STARTED) for name in OWN]
        builder.add_snapshot(Scenario.GENERATED, place.at(Phase.AFTER), [*seeds, *recorded], after, processes)


@pytest.mark.parametrize(
    ("stopped", "events", "outcome"),
    [
        (["a", "", ""], True, "passed"),
        (["a", "b", ""], True, "passed"),
        (["a", "", ""], False, "inconclusive"),  # no event records the stop, and other purges left the app started
        (["a", ""], False, "failed"),  # only one other purge did
        (["a", "a", "", ""], False, "failed"),  # two purges stopped it
        (["a", "b", "", ""], False, "failed"),  # two purges stopped an app
        (["ab", "", ""], True, "failed"),  # several at once
        (["a", "b", "c", ""], True, "failed"),  # with three purges
        (["a", "b"], True, "failed"),  # with each purge
    ],
)
def test_recorded_change_by_chance_is_of_another_client(
    stopped: list[str], outcome: str, builder: EvidenceBuilder, *, events: bool
) -> None:
    """A change that an event records, and that comes with a purge or two of several, is another client's."""
    add_purges(builder, *stopped, events=events)
    assert outcome_of(builder, "PURGE-06") == outcome


@pytest.mark.parametrize(("events", "outcome"), [(True, "passed"), (False, "inconclusive")])
def test_record_of_a_change_may_be_destroyed(events: bool, outcome: str, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- expected
    """A change before the purge, whose event the purge destroys, is another client's if a page listed that event."""
    add_purges(builder, "a", "", "", events=events, destroyed=True)
    assert outcome_of(builder, "PURGE-06") == outcome


@pytest.mark.parametrize(("method", "found"), [("DELETE", ""), ("GET", "a")])
def test_app_that_the_suite_did_not_delete_was_deleted_by_others(
    method: str, found: str, builder: EvidenceBuilder
) -> None:
    """Where no suitable app is left, the reason says that another client deleted one."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "a", App.STOPPED: "b", App.SCALED: "never-listed"})
    builder.add_snapshot(Scenario.SECOND_PURGE, Place(Step.PURGE, phase=Phase.AFTER), [], [app_row("a"), app_row("b")])
    builder.add_exchange(Scenario.APP_CHANGES, Step.DELETE, method=method, path="/v3/apps/a")
    builder.add_snapshot(Scenario.APP_CHANGES, Step.CLOSING, [], [app_row("b")])
    builder.add_exchange(Scenario.CLEANUP, Step.DELETE, method="DELETE", path="/v3/apps/a")
    assert find_deleted_by_others(builder.evidence) == found
    reason = no_suitable_app(builder.judgment_view, "There is no app.").reason
    assert ("another client deleted it" in reason) is bool(found)


def add_changes(builder: EvidenceBuilder, opening: Sequence[Row], *, closing: str) -> None:
    """Add a stop, and a scaling of another app, of which nothing is recorded; the `opening` list is before them."""
    builder.add_snapshot(Scenario.SECOND_PURGE, Place(Step.PURGE, phase=Phase.AFTER), [], [app_row("a"), app_row("b")])
    builder.add_list(Scenario.APP_CHANGES, Step.OPENING, opening)
    for step, sent, app, expected in (
        (Step.STOP, Step.STOP_APP, "a", {"state": STOPPED}),
        (Step.SCALE, Step.SCALE_APP, "b", {"instance_count": 3}),
    ):
        action = "actions/stop" if step is Step.STOP else "processes/web/actions/scale"
        builder.add_exchange(
            Scenario.APP_CHANGES, Place(sent, app=App.STOPPED), method="POST", path=f"/v3/apps/{app}/{action}"
        )
        builder.add_note(Scenario.APP_CHANGES, notes.CHANGE, notes.AppChange(step, app, done=True, current=expected))
        builder.add_list(Scenario.APP_CHANGES, Place(step, phase=Phase.AFTER), opening)
    builder.add_snapshot(Scenario.APP_CHANGES, Step.CLOSING, opening, [app_row("a", STOPPED), app_row("b", closing)])


@pytest.mark.parametrize(
    ("opening", "closing", "by_others"),
    [
        ([change("1", "a", STARTED, STOPPED), change("2", "b", STARTED, STOPPED)], STOPPED, [True, True]),
        ([], STOPPED, [False, False]),  # no event shows that others changed them
        ([change("1", "a", STARTED, STOPPED), change("2", "b", STARTED, STOPPED)], STARTED, [True, False]),
        ([change("1", "a", STOPPED, STARTED)], STARTED, [False, False]),  # another state
    ],
)
def test_change_that_others_made_before_is_not_required(
    opening: list[Row], closing: str, by_others: list[bool], builder: EvidenceBuilder
) -> None:
    """The stop of an app that others had stopped, and the scaling of such an app, need not be recorded."""
    add_changes(builder, opening, closing=closing)
    found = effective_changes(builder.judgment_view, Scenario.APP_CHANGES, Step.STOP, Step.SCALE)
    assert [change.is_by_others for change in found] == by_others
    outcomes = [outcome_of(builder, name) for name in ("AFTER-02", "AFTER-03")]
    assert outcomes == ["passed" if each else "failed" for each in by_others]  # the engine finds that a case is open
