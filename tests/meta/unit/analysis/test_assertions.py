"""The assertions of judgments: findings, inconclusive results, and their causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.story import AFTER
from purge_conformance.analysis.assertions import (
    MAX_FINDINGS,
    describe_response,
    raise_if_cut_short,
    require_apps,
    require_complete,
    require_each_trial,
    require_exchanges,
    require_no,
    require_snapshot,
    require_status,
    require_usable_target,
    require_walk,
)
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated, Trial
from purge_conformance.analysis.view import JudgmentView, target_responses
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import EMPTY_LISTING
from purge_conformance.evidence.records import Evidence
from purge_conformance.evidence.steps import Part, Scenario, Step
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_findings_are_limited() -> None:
    """Findings break a requirement, no finding fulfils it, and only the first few are reported."""
    require_no([])
    with pytest.raises(RequirementViolated) as caught:
        require_no(Finding("a", str(n)) for n in range(100))
    assert [f.got for f in caught.value.findings] == [str(n) for n in range(MAX_FINDINGS)]


def test_status_matches_expected(builder: EvidenceBuilder) -> None:
    """A response has an expected status, or the finding shows its status."""
    require_status(
        [
            builder.add_exchange(Scenario.READS, Step.LIST, status=400),
            builder.add_exchange(Scenario.READS, Step.LIST, status=422),
        ],
        400,
        422,
    )
    with pytest.raises(RequirementViolated, match="expected 400 or 422; got 200 "):
        require_status([builder.add_exchange(Scenario.READS, Step.LIST, body=b"all\n well")], 400, 422)


def test_unanswered_requests_are_excluded(builder: EvidenceBuilder) -> None:
    """Requests without a response and rate-limited responses are excluded."""
    expected = [builder.add_exchange(Scenario.READS, Step.LIST, status=status) for status in (200, 429, 503, None)]
    assert [x.status for x in target_responses(expected)] == [200, 503]


@pytest.mark.parametrize(
    ("method", "status", "label", "is_targets"),
    [
        ("POST", 502, "text/html", False),
        ("DELETE", 504, "", False),
        ("POST", 502, "application/json", True),
        ("POST", 500, "text/html", True),
        ("GET", 502, "text/html", True),
    ],
)
def test_gateway_error_is_excluded(
    method: str,
    status: int,
    label: str,
    is_targets: bool,  # noqa: FBT001 -- expected
    builder: EvidenceBuilder,
) -> None:
    """A gateway's own 502 or 504 to a request that is never retried is not a response of the target."""
    x = builder.add_exchange(
        Scenario.READS,
        Step.LIST,
        method=method,
        status=status,
        body=b'{"errors": []}' if label == "application/json" else b"<html>",
        response_headers=(("Content-Type", label),),
    )
    assert target_responses([x]) == ((x,) if is_targets else ())


def test_exchanges_are_returned(builder: EvidenceBuilder) -> None:
    """The exchanges of a scenario are returned and recorded as examined."""
    builder.add_exchange(Scenario.READS, Step.GET)
    wanted = builder.add_exchange(Scenario.READS, Step.LIST)
    seen = builder.judgment_view
    assert require_exchanges(seen, Scenario.READS, Step.LIST, if_none="never") == (wanted,)
    assert seen.read_exchanges == [wanted.n]


@pytest.mark.parametrize(("status", "words"), [(None, "reset"), (429, "rate limited"), (504, "gateway")])
def test_missing_response_is_inconclusive(status: int | None, words: str, builder: EvidenceBuilder) -> None:
    """Requests without a response are inconclusive, with the network as cause."""
    builder.add_exchange(
        Scenario.READS, Step.LIST, method="POST", status=status, error="reset" if status is None else None
    )
    with pytest.raises(Inconclusive, match=words) as caught:
        require_exchanges(builder.judgment_view, Scenario.READS, Step.LIST, if_none="never")
    assert caught.value.cause is Cause.NETWORK


def test_missing_exchange_is_not_exercised(builder: EvidenceBuilder) -> None:
    """A step without an exchange in a complete run is not exercised, with the given reason."""
    with pytest.raises(NotExercised, match="never"):
        require_exchanges(builder.judgment_view, Scenario.READS, Step.LIST, if_none="never")


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        (notes.STOPPED, "The run's 3 purges are spent.", Cause.CONFIGURATION),
        (notes.LOST, "no answer", Cause.NETWORK),
        (notes.CRASHED, "KeyError: 'guid'", Cause.SUITE),
    ],
)
def test_stopped_scenario_has_cause(
    name: notes.NoteName[str], value: str, cause: Cause, builder: EvidenceBuilder
) -> None:
    """A scenario that was blocked or cut short is inconclusive, with the recorded reason."""
    builder.add_note(Scenario.READS, name, value)
    with pytest.raises(Inconclusive) as caught:
        raise_if_cut_short(builder.judgment_view, Scenario.READS)
    assert caught.value.cause is cause


def test_other_stopped_scenario_is_ignored(builder: EvidenceBuilder) -> None:
    """The end of another scenario does not matter."""
    builder.add_note(Scenario.LISTS, notes.STOPPED, "spent")
    raise_if_cut_short(builder.judgment_view, Scenario.READS)


def test_killed_run_is_no_defect(builder: EvidenceBuilder) -> None:
    """A run that was killed is inconclusive for scenarios that it had not reached, and the suite is not accused."""
    killed = JudgmentView(Evidence(builder.evidence.header, (), ()))
    with pytest.raises(Inconclusive, match="killed") as caught:
        require_exchanges(killed, Scenario.READS, Step.LIST, if_none="never")
    assert (caught.value.cause, "memory" in caught.value.next_step) == (Cause.CONFIGURATION, True)


def test_unreadable_list_is_inconclusive(builder: EvidenceBuilder) -> None:
    """A list that could not be read to its end is inconclusive, and the last response is shown."""
    builder.add_exchange(Scenario.PURGE, AFTER.of(Part.EVENTS), status=500, body=b"no page")
    with pytest.raises(Inconclusive, match="could not be read to its end: 500 no page"):
        require_snapshot(builder.judgment_view, Scenario.PURGE, AFTER)
    assert not require_walk(builder.judgment_view, Scenario.PURGE, AFTER.of(Part.EVENTS)).complete
    with pytest.raises(Inconclusive, match="no request"):
        require_complete(EMPTY_LISTING, "apps")


def test_unreadable_apps_are_inconclusive(builder: EvidenceBuilder) -> None:
    """Unreadable apps are inconclusive although the events could be read."""
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [])
    with pytest.raises(Inconclusive, match="list of apps"):
        require_apps(require_snapshot(builder.judgment_view, Scenario.PURGE, AFTER))


def test_resource_includes_subpaths(builder: EvidenceBuilder) -> None:
    """Every response on the resource or below it counts, for any role, and no other."""
    expected = [
        builder.add_purge(Scenario.PURGE),
        builder.add_exchange(Scenario.LISTS, Step.LIST, path=f"{EVENTS_PATH}?page=1"),
        builder.add_exchange(Scenario.LISTS, Step.LIST, path=f"{EVENTS_PATH}/x/y"),
    ]
    builder.add_exchange(Scenario.READS, Step.LIST, path="/v3/apps")
    builder.add_exchange(Scenario.READS, Step.LIST, path=PURGE_PATH, status=None)
    assert list(builder.judgment_view.resource_exchanges()) == expected


def test_unusable_target_is_inconclusive(builder: EvidenceBuilder) -> None:
    """A target that is no API, or rejects the admin token, is inconclusive."""
    require_usable_target(builder.evidence)
    builder.add_note(Scenario.PREFLIGHT, notes.UNUSABLE, notes.Unusable("authentication", "refused"))
    with pytest.raises(Inconclusive, match=r"Refused\.") as caught:
        require_usable_target(builder.evidence)
    assert caught.value.cause is Cause.AUTHENTICATION


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"", "200"),
        (500, b"a\n\n b", "500 a b"),
        (200, b"x" * 1000, f"200 {'x' * 300} ..."),
        (None, b"", "no answer (reset)"),
        (200, b"\xff", "200 �"),
    ],
)
def test_response_description_is_short(status: int | None, body: bytes, words: str, builder: EvidenceBuilder) -> None:
    """The description of a response is a few words on one line."""
    assert (
        describe_response(builder.add_exchange(Scenario.READS, Step.LIST, status=status, body=body, error="reset"))
        == words
    )


def trial(n: int, *wrong: str, kind: str = "") -> Trial:
    """Return a trial with this finding."""
    return Trial(n, tuple(Finding("nothing", what, n) for what in wrong), kind)


def test_passed_trials_are_counted(builder: EvidenceBuilder) -> None:
    """Trials without a failure fulfil the requirement and are counted."""
    seen = builder.judgment_view
    require_each_trial(seen, [trial(1), trial(2), trial(3)])
    assert seen.tally == Tally(trials=3, failures=0, is_flaky=False)


def test_intermittent_failures_are_flaky(builder: EvidenceBuilder) -> None:
    """If some trials of a kind fail, the requirement is broken, and each finding names a trial that passed."""
    seen = builder.judgment_view
    with pytest.raises(RequirementViolated) as caught:
        require_each_trial(seen, [trial(1), trial(2, "a", "b"), trial(3, "a"), trial(4)])
    assert seen.tally == Tally(trials=4, failures=2, is_flaky=True)
    assert caught.value.findings == tuple(Finding("nothing", got, 2, passing_exchange=4) for got in "ab")


def test_consistent_kinds_are_not_flaky(builder: EvidenceBuilder) -> None:
    """A kind that always fails beside one that never fails is not flaky; a single trial is not counted."""
    seen = builder.judgment_view
    with pytest.raises(RequirementViolated) as caught:
        require_each_trial(
            seen, [trial(1, kind="x"), trial(2, kind="x"), trial(3, "a", kind="y"), trial(4, "a", kind="y")]
        )
    assert seen.tally == Tally(trials=4, failures=2, is_flaky=False)
    assert caught.value.findings[0].passing_exchange is None
    require_each_trial(seen, [trial(1, kind="x"), trial(2, kind="y")])
    assert seen.tally == Tally()


def test_queries_are_memoized(builder: EvidenceBuilder) -> None:
    """A second judgment gets the cached result of a query and records the same exchanges."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    calls: list[JudgmentView] = []

    def query(seen: JudgmentView) -> list[Step]:
        calls.append(seen)
        return [x.step for x in seen.of(Scenario.READS, Step.LIST)]

    evidence = builder.evidence
    seen = [JudgmentView(evidence), JudgmentView(evidence)]
    assert [each.memoized(query) for each in seen] == [[Step.LIST], [Step.LIST]]
    assert [each.read_exchanges for each in seen] == [[1], [1]]
    assert len(calls) == 1


def test_failed_queries_record_exchanges(builder: EvidenceBuilder) -> None:
    """A query that fails records the exchanges that it examined, each time."""
    builder.add_exchange(Scenario.READS, Step.LIST, status=None)
    evidence = builder.evidence
    for seen in (JudgmentView(evidence), JudgmentView(evidence)):
        with pytest.raises(Inconclusive):
            seen.memoized(lambda view: require_exchanges(view, Scenario.READS, Step.LIST, if_none="nothing"))
        assert seen.read_exchanges == [1]
