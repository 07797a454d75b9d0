"""The evidence of a full run."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import jsonschema

from purge_conformance import catalogue
from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.rounds import RACES
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.scenarios.definitions import SCENARIOS, Repetition

if TYPE_CHECKING:
    from meta.support.command import FullRun


OF_ERRORS = {"ERROR-06", "ERROR-07", "ERROR-08", "BODY-03", "REFUSE-08"}


def test_full_run_respects_budgets(full_run: FullRun) -> None:
    """A full run of both profiles sends at most 40 admin purges and at most 1500 requests."""
    exchanges = full_run.evidence.exchanges
    assert sum(is_purge(x.method, x.path) and x.role == "admin" for x in exchanges) == full_run.report["purges"] <= 40
    assert len(exchanges) == full_run.report["requests"] <= 1500


def test_exchanges_are_numbered(full_run: FullRun) -> None:
    """The exchanges of a run are numbered from 1, without a gap."""
    assert [x.n for x in full_run.evidence.exchanges] == list(range(1, len(full_run.evidence.exchanges) + 1))


def test_scenarios_are_ordered(full_run: FullRun) -> None:
    """A run reads first, archives before the first purge, and cleans up last."""
    order = list(dict.fromkeys(x.scenario for x in full_run.evidence.exchanges))
    assert (order[0], order[-1], Scenario.ARCHIVE in order) == (Scenario.PREFLIGHT, Scenario.CLEANUP, True)
    first = next(x for x in full_run.evidence.exchanges if is_purge(x.method, x.path))
    assert first.scenario == order[order.index(Scenario.ARCHIVE) + 1] == Scenario.PURGE


def test_suite_apps_are_deleted(full_run: FullRun) -> None:
    """A run deletes everything that it created, and nothing else."""
    created = {x.json["guid"] for x in full_run.evidence.exchanges if x.status == 201}
    sent = [x for x in full_run.evidence.exchanges if x.method == "DELETE"]
    deleted = {x.guid for x in sent if not x.route.startswith(EVENTS_PATH)}  # what is tried there must be refused
    assert deleted == created
    assert full_run.evidence.note(Scenario.CLEANUP, notes.LEFT) == []


def test_evidence_is_valid(full_run: FullRun) -> None:
    """Each line of the evidence is valid against spec/evidence.schema.json, and the report against its own."""
    validator = jsonschema.Draft202012Validator(catalogue.document("evidence.schema.json"))
    lines = (full_run.folder / FILE_NAME).read_text(encoding="utf-8").splitlines()
    assert [error.message for line in lines for error in validator.iter_errors(json.loads(line))] == []
    jsonschema.validate(full_run.report, catalogue.document("report.schema.json"), jsonschema.Draft202012Validator)


def test_every_scenario_sends_requests(full_run: FullRun) -> None:
    """Every planned scenario sends requests to a server without a fault, and none is cut short."""
    sent = Counter(x.scenario for x in full_run.evidence.exchanges)
    planned = {
        definition.name
        for definition in SCENARIOS
        if definition.repetition is not Repetition.FURTHER and Mode.DRIVE in definition.app_modes
    }
    assert planned == set(sent)
    assert planned == set(Scenario) - {Scenario.REPEAT, Scenario.LISTS_BEFORE_PURGE}
    names = {name.name for name in (notes.STOPPED, notes.LOST, notes.UNUSABLE, notes.CRASHED)}
    assert [note for note in full_run.evidence.notes if note.name in names] == []


def test_evidence_is_ordered_by_number(full_run: FullRun) -> None:
    """However the answers came, evidence is in the order of sending."""
    numbers = [x.n for x in read(full_run.folder).exchanges]
    assert numbers == sorted(numbers)


def test_full_run_judges_errors(full_run: FullRun) -> None:
    """With the reference server's hook a whole run judges 409, 500 and 503, each purge once and each read."""
    assert {full_run.outcomes[name] for name in OF_ERRORS} == {"passed"}
    sent = [x for x in full_run.evidence.exchanges if Tag.INDUCED in x.tags]
    assert sorted((x.step, x.tags[Tag.INDUCED], x.status) for x in sent) == [
        (Step.INDUCED_GET, "500", 500),
        (Step.INDUCED_GET, "503", 503),
        (Step.INDUCED_LIST, "500", 500),
        (Step.INDUCED_LIST, "503", 503),
        *((Step.INDUCED_PURGE, str(status), status) for status in (409, 500, 503)),
    ]
    assert full_run.report["settings"]["hook"] == "url"
    assert len(full_run.evidence.of(Scenario.INDUCED_ERRORS)) <= 17


def test_full_run_has_races(full_run: FullRun) -> None:
    """A whole run has changes beside every purge of a race, at most 60 requests and 5 purges, and says so by tags."""
    found = full_run.evidence.of(Scenario.RACE)
    purges = [x for x in found if is_purge(x.method, x.path)]
    assert (len(found) <= 60, len(purges)) == (True, 5)
    for index, count in RACES.items():
        changes = full_run.evidence.of(Scenario.RACE, Step.CONCURRENT_CHANGE, index=index)
        assert len([x for x in changes if Tag.CONCURRENT in x.tags]) >= 3
        concurrent = [x for x in purges if (x.step, x.place.index) == (Step.CONCURRENT, index)]
        assert len(concurrent) == count
        assert all(Tag.CONCURRENT in x.tags for x in concurrent)
