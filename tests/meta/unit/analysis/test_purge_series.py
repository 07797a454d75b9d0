"""The purges of a run that it observes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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

    Row = dict[str, Any]


def add_start(builder: EvidenceBuilder, **more: Any) -> None:  # noqa: ANN401 -- of add_exchange
    """Add the start of an app by the suite."""
    builder.add_exchange(
        Scenario.APP_CHANGES,
        Place(Step.START_APP, app=App.STARTED),
        method="POST",
        path="/v3/apps/a/actions/start",
        **more,
    )


def add_snapshot(builder: EvidenceBuilder, experiment: str, step: str, *events: str, a: str = "STARTED") -> None:
    """Add a snapshot of events, with the app `a` and its process."""
    builder.add_snapshot(experiment, step, [builder.event(guid, "a") for guid in events], [builder.app("a", a)])


def add_observed_purge(
    builder: EvidenceBuilder,
    experiment: str,
    before: list[str],
    after: list[str],
    **more: Any,  # noqa: ANN401 -- of add_exchange
) -> None:
    """Add a purge between two snapshots."""
    add_snapshot(builder, experiment, "before", *before)
    builder.add_purge(experiment, **more)
    add_snapshot(builder, experiment, "after", *after)


def test_observed_purge_is_a_trial(builder: EvidenceBuilder) -> None:
    """Every plain purge between two snapshots is a trial, whichever scenario sent it, also with a shared snapshot."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    builder.add_purge("again")
    add_snapshot(builder, "again", "after", "a")
    add_start(builder)
    add_observed_purge(builder, "changed", ["a", "new"], ["a", "new"])
    found = require_observed_purges(builder.judgment_view)
    assert [trial.request.scenario for trial in found] == ["purge", "second-purge", "purge-after-changes"]
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
    add_observed_purge(builder, "purge", ["old"], ["a"])
    add_snapshot(builder, "changed", "before", "x")
    builder.add_purge("changed", **more)
    add_snapshot(builder, "changed", "after", "x")
    assert [trial.request.scenario for trial in require_observed_purges(builder.judgment_view)] == ["purge"]


@pytest.mark.parametrize("disturbance", ["a purge", "a start after it", "a start at the same time"])
def test_disturbed_purge_is_no_trial(disturbance: str, builder: EvidenceBuilder) -> None:
    """A purge is no trial if another purge, or an unfinished change, is between the same snapshots."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    add_snapshot(builder, "race", "before", "x")
    if disturbance == "a start at the same time":
        add_start(builder, elapsed=5.0)
    builder.add_purge("race")
    if disturbance == "a purge":
        builder.add_purge("race")
    if disturbance == "a start after it":
        add_start(builder)
    add_snapshot(builder, "race", "after", "a")
    assert len(require_observed_purges(builder.judgment_view)) == 1


def test_repeated_purge_is_detected(builder: EvidenceBuilder) -> None:
    """A purge is repeated if the suite changed nothing since the last; reads and rejected purges change nothing."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    builder.add_purge("refused", role="none", status=401)
    add_observed_purge(builder, "again", ["a"], ["a"])
    add_start(builder)
    add_observed_purge(builder, "changed", ["a", "new"], ["a"])
    assert [trial.is_repeat for trial in require_observed_purges(builder.judgment_view)] == [False, True, False]
    assert [trial.request.scenario for trial in require_first_purges(builder.judgment_view)] == [
        "purge",
        "purge-after-changes",
    ]
    assert [is_again for _, is_again in plain_purges(builder.judgment_view)] == [False, True, False]


def test_concurrent_purges_are_excluded(builder: EvidenceBuilder) -> None:
    """Concurrent purges are not judged by their status."""
    builder.add_purge("parallel", tags={Tag.CONCURRENT: YES})
    builder.add_purge("late")
    assert [request.scenario for request, _ in plain_purges(builder.judgment_view)] == ["changes-after-purges"]


def test_changed_app_is_unsettled(builder: EvidenceBuilder) -> None:
    """An app is settled if no earlier snapshot of the run has it in another state."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    add_snapshot(builder, "lifecycle", "end", "a", a="STOPPED")
    add_start(builder)
    add_observed_purge(builder, "changed", ["a", "new"], ["a"])
    first, later = require_observed_purges(builder.judgment_view)
    assert (first.state_changed_earlier, set(first.constant_apps)) == (set(), {"a"})
    assert (later.state_changed_earlier, later.constant_apps, later.started_apps) == ({"a"}, {}, ["a"])


def test_unobserved_purge_has_reason(builder: EvidenceBuilder) -> None:
    """If no purge is observed, the reason is that of the first."""
    add_observed_purge(builder, "purge", ["old"], ["a"], status=500)
    with pytest.raises(Inconclusive, match="did not succeed: 500"):
        require_observed_purges(builder.judgment_view)


def test_snapshots_are_recorded(builder: EvidenceBuilder) -> None:
    """A judgment of trials cites the purges and the lists around them."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    seen = builder.judgment_view
    require_observed_purges(seen)
    assert {x.n for x in builder.exchanges if x.step is Step.PURGE and x.place.part in {None, Part.EVENTS}} <= set(
        seen.read_exchanges
    )


@pytest.mark.parametrize(("after", "whole"), [(["a"], True), (["a", "new"], False), ([], False), (["x"], False)])
def test_incorrect_baseline_is_named(after: list[str], *, whole: bool, builder: EvidenceBuilder) -> None:
    """A special circumstance explains an error only if plain purges are correct."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    add_start(builder)
    add_observed_purge(builder, "changed", ["a", "new"], after)
    if whole:
        require_plain_purges_correct(builder.judgment_view)
    else:
        with pytest.raises(Inconclusive, match="plain purges already fail"):
            require_plain_purges_correct(builder.judgment_view)


def test_destroyed_event_is_requested(builder: EvidenceBuilder) -> None:
    """A GET of a destroyed event counts if the same scenario sends it before the next purge."""
    add_observed_purge(builder, "purge", ["old"], ["a"])
    gets = [
        builder.add_exchange("purge", "destroyed", path="/v3/app_usage_events/old", status=200, data={"guid": "old"})
    ]
    builder.add_exchange("purge", "seeded", path="/v3/app_usage_events/a", data={"guid": "a"})
    builder.add_exchange("late", "destroyed", path="/v3/app_usage_events/old", status=404)
    builder.add_purge("again")
    builder.add_exchange("purge", "destroyed", path="/v3/app_usage_events/old", status=404)
    assert list(gets_of_destroyed_events(builder.judgment_view)) == gets
    assert destroyed_guids(builder.judgment_view) == {}
