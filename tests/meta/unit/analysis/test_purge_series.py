"""The purges of a run that it observes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.history import destroyed_guids, gets_of_destroyed_events
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_first_purges,
    require_observed_purges,
    require_plain_purges_correct,
)
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import YES, App, Part, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.steps import Where

    Row = dict[str, Any]


def add_start(builder: EvidenceBuilder, **more: Any) -> None:  # noqa: ANN401 -- of add_exchange
    """Add the start of an app by the suite."""
    builder.add_exchange(
        Scenario.APP_CHANGES,
        Place(Step.START_APP, app=App.TOGGLED),
        method="POST",
        path="/v3/apps/a/actions/start",
        **more,
    )


def add_snapshot(builder: EvidenceBuilder, scenario: Scenario, where: Where, *events: str, a: str = "STARTED") -> None:
    """Add a snapshot of events, with the app `a` and its process."""
    builder.add_snapshot(scenario, where, [builder.event(guid, "a") for guid in events], [builder.app("a", a)])


def add_observed_purge(
    builder: EvidenceBuilder,
    scenario: Scenario,
    before: list[str],
    after: list[str],
    **more: Any,  # noqa: ANN401 -- of add_exchange
) -> None:
    """Add a purge between two snapshots."""
    add_snapshot(builder, scenario, BEFORE, *before)
    builder.add_purge(scenario, **more)
    add_snapshot(builder, scenario, AFTER, *after)


def test_observed_purge_is_a_trial(builder: EvidenceBuilder) -> None:
    """Every plain purge between two snapshots is a trial, whichever scenario sent it, also with a shared snapshot."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    builder.add_purge(Scenario.SECOND_PURGE)
    add_snapshot(builder, Scenario.SECOND_PURGE, AFTER, "a")
    add_start(builder)
    add_observed_purge(builder, Scenario.PURGE_WITHOUT_STARTED_APPS, ["a", "new"], ["a", "new"])
    found = require_observed_purges(builder.judgment_view)
    assert [trial.request.scenario for trial in found] == [
        Scenario.PURGE,
        Scenario.SECOND_PURGE,
        Scenario.PURGE_WITHOUT_STARTED_APPS,
    ]
    assert [set(trial.surviving_events) for trial in found] == [set(), set(), {"new"}]


@pytest.mark.parametrize(
    "more",
    [
        {"status": 500},
        {"status": 401},
        {"status": None},
        {"role": "global_auditor"},
        {"request_body": "{}"},
        {"path": f"{PURGE_PATH}?a=b"},
        {"tags": {Tag.SUPERSEDED: "unavailable"}},
    ],
)
def test_failed_purge_is_no_trial(more: Any, builder: EvidenceBuilder) -> None:  # noqa: ANN401 -- of add_exchange
    """A purge that fails, that a foreign client sends, or that is not plain, is no trial."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    add_snapshot(builder, Scenario.UNEXPECTED_INPUT, BEFORE, "x")
    builder.add_exchange(Scenario.UNEXPECTED_INPUT, Step.PURGE, method="POST", **{"path": PURGE_PATH, **more})
    add_snapshot(builder, Scenario.UNEXPECTED_INPUT, AFTER, "x")
    assert [trial.request.scenario for trial in require_observed_purges(builder.judgment_view)] == [Scenario.PURGE]


@pytest.mark.parametrize("disturbance", ["a purge", "a start after it", "a start at the same time"])
def test_disturbed_purge_is_no_trial(disturbance: str, builder: EvidenceBuilder) -> None:
    """A purge is no trial if another purge, or an unfinished change, is between the same snapshots."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    add_snapshot(builder, Scenario.RACE, BEFORE, "x")
    if disturbance == "a start at the same time":
        add_start(builder, elapsed=5.0)
    builder.add_purge(Scenario.RACE)
    if disturbance == "a purge":
        builder.add_purge(Scenario.RACE)
    if disturbance == "a start after it":
        add_start(builder)
    add_snapshot(builder, Scenario.RACE, AFTER, "a")
    assert len(require_observed_purges(builder.judgment_view)) == 1


def test_repeated_purge_is_detected(builder: EvidenceBuilder) -> None:
    """A purge is repeated if the suite changed nothing since the last; reads and rejected purges change nothing."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    builder.add_purge(Scenario.REJECTED_PURGES, role="none", status=401)
    add_observed_purge(builder, Scenario.SECOND_PURGE, ["a"], ["a"])
    add_start(builder)
    add_observed_purge(builder, Scenario.PURGE_AFTER_CHANGES, ["a", "new"], ["a"])
    assert [trial.is_repeat for trial in require_observed_purges(builder.judgment_view)] == [False, True, False]
    assert [trial.request.scenario for trial in require_first_purges(builder.judgment_view)] == [
        Scenario.PURGE,
        Scenario.PURGE_AFTER_CHANGES,
    ]
    assert [is_again for _, is_again in plain_purges(builder.judgment_view)] == [False, True, False]


def test_concurrent_purges_are_excluded(builder: EvidenceBuilder) -> None:
    """Concurrent purges are not judged by their status."""
    builder.add_purge(Scenario.CONCURRENT_PURGES, tags={Tag.CONCURRENT: YES})
    builder.add_purge(Scenario.CHANGES_AFTER_PURGES)
    assert [request.scenario for request, _ in plain_purges(builder.judgment_view)] == [Scenario.CHANGES_AFTER_PURGES]


def test_changed_app_is_unsettled(builder: EvidenceBuilder) -> None:
    """An app is settled if no earlier snapshot of the run has it in another state."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    add_snapshot(builder, Scenario.APP_CHANGES, Step.CLOSING, "a", a="STOPPED")
    add_start(builder)
    add_observed_purge(builder, Scenario.PURGE_AFTER_CHANGES, ["a", "new"], ["a"])
    first, later = require_observed_purges(builder.judgment_view)
    assert (first.state_changed_earlier, set(first.constant_apps)) == (set(), {"a"})
    assert (later.state_changed_earlier, later.constant_apps, later.started_apps) == ({"a"}, {}, ["a"])


def test_unobserved_purge_has_reason(builder: EvidenceBuilder) -> None:
    """If no purge is observed, the reason is that of the first."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"], status=500)
    with pytest.raises(Inconclusive, match="did not succeed: 500"):
        require_observed_purges(builder.judgment_view)


def test_snapshots_are_recorded(builder: EvidenceBuilder) -> None:
    """A judgment of trials cites the purges and the lists around them."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    seen = builder.judgment_view
    require_observed_purges(seen)
    wanted = {Place(Step.PURGE), BEFORE.of(Part.EVENTS), AFTER.of(Part.EVENTS)}
    assert {x.n for x in builder.exchanges if x.place in wanted} <= set(seen.read_exchanges)


@pytest.mark.parametrize(("after", "whole"), [(["a"], True), (["a", "new"], False), ([], False), (["x"], False)])
def test_incorrect_baseline_is_named(after: list[str], *, whole: bool, builder: EvidenceBuilder) -> None:
    """A special circumstance explains an error only if plain purges are correct."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    add_start(builder)
    add_observed_purge(builder, Scenario.PURGE_AFTER_CHANGES, ["a", "new"], after)
    if whole:
        require_plain_purges_correct(builder.judgment_view)
    else:
        with pytest.raises(Inconclusive, match="plain purges already fail"):
            require_plain_purges_correct(builder.judgment_view)


def test_destroyed_event_is_requested(builder: EvidenceBuilder) -> None:
    """A GET of a destroyed event counts if the same scenario sends it before the next purge."""
    add_observed_purge(builder, Scenario.PURGE, ["old"], ["a"])
    gets = [
        builder.add_exchange(
            Scenario.PURGE, Step.GET_DESTROYED, path="/v3/app_usage_events/old", status=200, data={"guid": "old"}
        )
    ]
    builder.add_exchange(Scenario.PURGE, Step.GET_SEEDED, path="/v3/app_usage_events/a", data={"guid": "a"})
    builder.add_exchange(Scenario.CHANGES_AFTER_PURGES, Step.GET_DESTROYED, path="/v3/app_usage_events/old", status=404)
    builder.add_purge(Scenario.SECOND_PURGE)
    builder.add_exchange(Scenario.PURGE, Step.GET_DESTROYED, path="/v3/app_usage_events/old", status=404)
    assert list(gets_of_destroyed_events(builder.judgment_view)) == gets
    assert destroyed_guids(builder.judgment_view) == {}
