"""What a reproduction runs, what it needs from its user, and how an attempt ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.results import make_run, result
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.engine.reproduce import (
    Ending,
    Failure,
    find_failure,
    judge_attempt,
    options_of,
    restricted,
)
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import HeaderSet
from purge_conformance.report import json as as_json
from purge_conformance.report.model import Finding, Outcome, Scope

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Exchange

URL = "http://127.0.0.1:1/v"
TOKENS = {"tokens": {"admin": "env:T"}}
REQUIREMENTS = {each.id: each for each in catalogue.requirements()}


def failure_of(name: str, exchange: Exchange | None = None, **settings: Any) -> Failure:  # noqa: ANN401 -- any setting
    """Return a failure of a run with these settings."""
    return Failure(REQUIREMENTS[name], replace(make_run(), target=URL, settings=settings), exchange)


def write_report(folder: Path, *numbers: int) -> None:
    """Write a report in which AUTH-01 failed, shown by these exchanges, and AUTH-02 passed."""
    failed = replace(
        result("AUTH-01", Level.MUST, Outcome.FAILED), findings=tuple(Finding("401", "200", n) for n in numbers)
    )
    passed = result("AUTH-02", Level.MUST, Outcome.PASSED)
    (folder / as_json.FILE_NAME).write_text(as_json.dump(replace(make_run(), requirements=(failed, passed))))


@pytest.mark.parametrize(("name", "words"), [("AUTH-02", "AUTH-02 passed"), ("auth-03", "AUTH-03 is not in it")])
def test_only_failures_are_reproduced(name: str, words: str, tmp_path: Path) -> None:
    """A requirement that passed, or that the report does not have, is refused with what failed."""
    write_report(tmp_path, 1)
    with pytest.raises(BadSetting, match=f"{words}. Failed there: AUTH-01. Name one"):
        find_failure(tmp_path, name)


def test_misspelt_requirement_gets_a_suggestion(tmp_path: Path) -> None:
    """An id that no requirement has gets the one that is meant; upper and lower case do not matter."""
    write_report(tmp_path, 1)
    with pytest.raises(BadSetting, match=r"Did you mean AUTH-01\?"):
        find_failure(tmp_path, "AUTH-1")
    assert find_failure(tmp_path, "auth-01").requirement.id == "AUTH-01"


def test_cheapest_scenario_shows_failure(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Of the exchanges that show a failure, the one whose scenarios send the fewest purges is repeated."""
    first = builder.add_exchange(Scenario.REPEAT, Step.CREDENTIAL)
    second = builder.add_exchange(Scenario.REJECTED_PURGES, Step.CREDENTIAL)
    write_report(tmp_path, first.n, second.n)
    assert find_failure(tmp_path, "AUTH-01").scenarios is None  # without evidence all scenarios are run
    with Journal(tmp_path, builder.evidence.header) as journal:
        for x in builder.exchanges:
            journal.record(x)
    found = find_failure(tmp_path, "AUTH-01")
    assert found.exchange
    assert (found.exchange.n, found.scenarios) == (second.n, frozenset({Scenario.REJECTED_PURGES}))


def test_options_are_those_of_the_report() -> None:
    """Seed, cases, apps and scope are the report's, whatever the configuration says; other options are the user's."""
    failure = failure_of("SEED-01", seed=7, examples=3, timeout=9.0, patience=60.0, apps="drive", space="s-1")
    given = TOKENS | {"seed": 1, "timeout": 5.0, "select": ["X"], "profile": ["upstream"], "repeat": 4}
    options = options_of(failure, given)
    assert (options["target"], options["select"], options["profile"]) == (URL, ["SEED-01"], ["core"])
    assert (options["seed"], options["examples"], options["repeat"]) == (7, 3, 1)
    assert (options["timeout"], options["patience"]) == (5.0, 60.0)
    assert (options["apps.mode"], options["apps.space"]) == ("drive", "s-1")


def test_another_target_has_other_spaces() -> None:
    """With --target neither the space nor the mode of the report's target is used."""
    options = options_of(failure_of("SEED-01", apps="drive", space="s-1"), TOKENS, "http://127.0.0.1:2")
    assert options["target"] == "http://127.0.0.1:2"
    assert not [name for name in options if name.startswith("apps.")]


def test_report_that_only_reads_is_reproduced_by_reads() -> None:
    """A failure of an observe-only run is reproduced without a purge."""
    failure = failure_of("LIST-01")
    failure = replace(failure, run=replace(failure.run, scope=Scope((str(Profile.OBSERVE_ONLY),))))
    assert options_of(failure, TOKENS)["profile"] == ["observe-only"]


def test_admin_purges_are_repeated_for_a_repetition(builder: EvidenceBuilder) -> None:
    """What only --repeat shows is repeated."""
    exchange = builder.add_exchange(Scenario.REPEAT, Step.CREDENTIAL, role="none")
    assert options_of(failure_of("AUTH-01", exchange), TOKENS)["repeat"] == 2


@pytest.mark.parametrize(
    ("scenario", "role", "given", "words"),
    [
        (Scenario.PURGE, "admin", {"target": "http://127.0.0.1:3"}, "--target with the URL"),
        (Scenario.REJECTED_PURGES, "space_developer", {}, "--token space_developer=SOURCE"),
        (Scenario.INDUCED_ERRORS, "admin", {}, "Give --hook"),
    ],
)
def test_missing_means_are_usage_errors(
    scenario: Scenario, role: str, given: dict[str, Any], words: str, builder: EvidenceBuilder
) -> None:
    """A configuration of another target, a role without a token or a missing hook is refused, with the flag to give."""
    exchange = builder.add_exchange(scenario, Step.CREDENTIAL, role=role)
    with pytest.raises(BadSetting, match=words):
        options_of(failure_of("AUTH-07", exchange), TOKENS | given)


@pytest.mark.parametrize(
    ("name", "scenario", "needed", "purges"),
    [
        ("SEED-01", Scenario.PURGE, {Scenario.PURGE}, 1),
        ("ERROR-01", Scenario.READS, {Scenario.READS}, 0),
        ("ERROR-01", Scenario.PREFLIGHT, set(), 0),
        ("PARALLEL-03", Scenario.CONCURRENT_PURGES, {Scenario.CONCURRENT_PURGES, Scenario.PURGE}, 8),
    ],
)
def test_few_purges(
    name: str, scenario: Scenario, needed: set[Scenario], purges: int, builder: EvidenceBuilder
) -> None:
    """Only the scenario that showed the failure is run, with what it follows and its judgment assumes."""
    failure = failure_of(name, builder.add_exchange(scenario, Step.LIST))
    options = restricted(options_of(failure, TOKENS), failure.scenarios)
    assert (failure.scenarios, options["max_purges"]) == (frozenset(needed), purges)
    fewer = restricted(options_of(failure, TOKENS | {"max_purges": 0}), failure.scenarios)
    assert fewer["max_purges"] == 0


def test_headers_are_distributed_as_in_the_run(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Where a set of headers shows a failure, the limit is that of the run; without that set it was not tried."""
    shown = builder.add_purge(Scenario.PURGE_AFTER_CHANGES, tags={Tag.HEADERS: HeaderSet.NEGOTIATION})
    failure = failure_of("HEADER-01", shown, max_purges=40)
    assert restricted(options_of(failure, TOKENS), failure.scenarios, failure.max_purges)["max_purges"] == 40
    assert failure_of("HEADER-01", builder.add_purge(Scenario.PURGE), max_purges=40).max_purges is None
    evidence = replace(builder.evidence, exchanges=builder.evidence.exchanges[1:])
    settings = evidence.header.settings | {"select": ["PURGE-01"]}
    evidence = replace(evidence, header=replace(evidence.header, settings=settings))
    assert judge_attempt(failure_of("PURGE-01", shown), evidence, tmp_path).ending is Ending.NOT_TRIED


@pytest.mark.parametrize(
    ("status", "ending"), [(500, Ending.FAILED_AGAIN), (200, Ending.DID_NOT_FAIL), (429, Ending.NOT_TRIED)]
)
def test_endings(
    status: int, ending: Ending, builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt fails again, does not fail, or says nothing: then more scenarios may tell; reports are written."""
    builder.add_purge(Scenario.PURGE, status=status)
    evidence = builder.evidence
    monkeypatch.setitem(evidence.header.settings, "select", ["PURGE-01"])
    attempt = judge_attempt(failure_of("PURGE-01", evidence.exchanges[0]), evidence, tmp_path)
    assert (attempt.ending, attempt.needs_more) == (ending, ending is Ending.NOT_TRIED), attempt
    assert bool(attempt.finding) == (ending is Ending.FAILED_AGAIN)
    assert as_json.load(tmp_path).scope.select == ("PURGE-01",)


def test_prerequisites_do_not_excuse(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A requirement that fails again did so, also if one that it rests on fails now as well."""
    place = Place(Step.PURGE)
    apps, processes = [builder.app("a"), builder.app("b")], [builder.process("a", "a", 2), builder.process("b", "b")]
    builder.add_snapshot(Scenario.PURGE, place.at(Phase.BEFORE), (), apps, processes)
    sent = builder.add_purge(Scenario.PURGE, place)
    event = {**builder.event("a", "a"), "instance_count": {"current": 1}}  # of 2 instances; and none of the app b
    builder.add_snapshot(Scenario.PURGE, place.at(Phase.AFTER), [event], apps, processes)
    settings = builder.evidence.header.settings | {"select": ["UP-SEED-03"], "profiles": ["upstream"]}
    header = replace(builder.evidence.header, settings=settings)
    attempt = judge_attempt(failure_of("UP-SEED-03", sent), replace(builder.evidence, header=header), tmp_path)
    (judged,) = as_json.load(tmp_path).requirements
    assert judged.outcome is Outcome.INCONCLUSIVE
    assert attempt.ending is Ending.FAILED_AGAIN, attempt
