"""Evidence of format 1 is read as format 2; what it says stays the same."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from purge_conformance import catalogue
from purge_conformance.errors import BadData
from purge_conformance.evidence import format1, jsonl, notes
from purge_conformance.evidence.records import FORMAT, Header
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Evidence

RUNS = sorted((Path(__file__).parents[2] / "recorded" / "runs").glob("*.xz"))
SCHEMA = catalogue.document("evidence.schema.json")
HEADER = Header("0.1.0", {}, "http://127.0.0.1:1", {}, "2026-01-01T00:00:00Z", format=1)
PLACES = [
    (Scenario.PURGE, "before.events", Place(Step.PURGE, phase=Phase.BEFORE, part=Part.EVENTS)),
    (Scenario.SECOND_PURGE, "after.apps", Place(Step.PURGE, phase=Phase.AFTER, part=Part.APPS)),
    (Scenario.ARCHIVE, "events", Place(Step.EXISTING_EVENTS)),
    (Scenario.APP_CHANGES, "start", Place(Step.START, phase=Phase.AFTER)),
    (Scenario.APP_CHANGES, "start-again", Place(Step.START_AGAIN, phase=Phase.AFTER)),
    (Scenario.APP_CHANGES, "start-idle", Place(Step.START_APP, app=App.STOPPED)),
    (Scenario.APP_CHANGES, "end.processes", Place(Step.CLOSING, part=Part.PROCESSES)),
    (Scenario.FOUNDATION, "became-mover", Place(Step.AWAIT_STATE, app=App.TOGGLED)),
    (Scenario.REJECTED_PURGES, "later 3", Place(Step.WAIT_AFTER_REJECTED, 3)),
    (Scenario.LISTS, "walk 4", Place(Step.WALK, 4)),
    (Scenario.LISTS, "order -created_at", Place(Step.DESCENDING)),
    (Scenario.LISTS, "created_ats 11", Place(Step.FILTER_CREATED_ATS, 11)),
    (Scenario.GENERATED, "purge 3.after.events", Place(Step.GENERATED_PURGE, 3, Phase.AFTER, Part.EVENTS)),
    (Scenario.STATEFUL, "purge 5.destroyed", Place(Step.GET_DESTROYED, 5)),
    (Scenario.REPEAT, "2.purge", Place(Step.PURGE, 2)),
    (Scenario.REPEAT, "2.before.events", Place(Step.PURGE, 2, Phase.BEFORE, Part.EVENTS)),
    (Scenario.REPEAT, "2.again", Place(Step.SECOND_PURGE, 2)),
    (Scenario.REPEAT, "2.again.after.apps", Place(Step.SECOND_PURGE, 2, Phase.AFTER, Part.APPS)),
    (Scenario.UNEXPECTED_INPUT, "form.before.apps", Place(Step.FORM, phase=Phase.BEFORE, part=Part.APPS)),
    (Scenario.UNEXPECTED_INPUT, "form.destroyed", Place(Step.GET_DESTROYED)),
    (Scenario.INDUCED_ERRORS, "conflict.events", Place(Step.AFTER_CONFLICT, part=Part.EVENTS)),
    (Scenario.INDUCED_ERRORS, "purge 409", Place(Step.INDUCED_PURGE)),
    (Scenario.CONCURRENT_PURGES, "second.reads", Place(Step.CONCURRENT_READ, 2)),
    (Scenario.CONCURRENT_PURGES, "first.after.events", Place(Step.CONCURRENT, 1, Phase.AFTER, Part.EVENTS)),
    (Scenario.RACE, "quiet.events", Place(Step.SEQUENTIAL, phase=Phase.AFTER, part=Part.EVENTS)),
    (Scenario.RACE, "third.change", Place(Step.CONCURRENT_CHANGE, 3)),
    (Scenario.PURGE_WITHOUT_STARTED_APPS, "apps", Place(Step.ALL_APPS)),
    (Scenario.SEQUENCES, "1.10 look 2", Place(Step.LIST_AFTER_ACTION, 2, sequence=1, position=10)),
    (Scenario.SEQUENCES, "1.12 create d", Place(Step.ACTION, sequence=1, position=12)),
    (Scenario.SEQUENCES, "1.12 create d made", Place(Step.AWAIT_CREATION, sequence=1, position=12)),
    (Scenario.SEQUENCES, "1.22 purge as none", Place(Step.ACTION, sequence=1, position=22)),
    (Scenario.SEQUENCES, "1.23 purge", Place(Step.ACTION, sequence=1, position=23)),
    (Scenario.SEQUENCES, "1.15 read by guids", Place(Step.ACTION, sequence=1, position=15)),
    (Scenario.SEQUENCES, "3 purge", Place(Step.RESET_PURGE, sequence=3)),
    (Scenario.SEQUENCES, "1 demolish", Place(Step.DELETE, sequence=1)),
    (Scenario.CLEANUP, "demolish job", Place(Step.AWAIT_JOB)),
]


@pytest.mark.parametrize(("scenario", "name", "expected"), PLACES, ids=[f"{s}: {name}" for s, name, _ in PLACES])
def test_step_becomes_place(scenario: Scenario, name: str, expected: Place) -> None:
    """A composed step becomes a place with declared parts."""
    assert format1.place(scenario, name) == expected


@pytest.mark.parametrize(
    ("experiment", "step"),
    [("odd 2", "form"), ("race 3", "first")],
)
def test_round_becomes_number(experiment: str, step: str) -> None:
    """The number behind the name of an experiment becomes the round."""
    row = format1.Converter().convert(exchange(1, experiment, step))
    assert row["round"] == int(experiment.split()[1])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"kind": "note", "experiment": "stir", "name": "run", "value": ""}, 'got the experiment "stir"'),
        ({"kind": "note", "experiment": "purge", "name": "told", "value": ""}, 'got the note "told"'),
        (
            {"kind": "note", "experiment": "purge", "name": "x.complete", "value": True},
            'got the step "x" in the scenario purge',
        ),
        ({"kind": "note", "experiment": "foundation", "name": "apps", "value": {"x": "1"}}, 'got the app "x"'),
        (
            {"kind": "exchange", "experiment": "purge", "step": "x", "tags": {}},
            'got the step "x" in the scenario purge',
        ),
        ({"kind": "exchange", "experiment": "purge", "step": "purge", "tags": {"x": "1"}}, 'got the tag "x"'),
        ({"kind": "span", "experiment": "purge"}, 'got the kind "span"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_name_is_refused(row: dict[str, Any], message: str) -> None:
    """A name that format 1 never wrote is an error that quotes it."""
    with pytest.raises(BadData, match=message):
        format1.Converter().convert(row)


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: run.name)
def recorded_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the evidence of a run against the real Cloud Controller, of format 1."""
    folder = tmp_path_factory.mktemp("run")
    (folder / jsonl.FILE_NAME).write_bytes(lzma.decompress(request.param.read_bytes()))
    return folder


def test_recorded_run_is_converted(recorded_run: Path, tmp_path: Path) -> None:
    """Every record of a run is converted; written as format 2 it fits the schema, and is read as the same evidence."""
    evidence = jsonl.read(recorded_run)
    with (recorded_run / jsonl.FILE_NAME).open(encoding="utf-8") as lines:
        kinds = [(row["kind"], row.get("name", "").endswith(".complete")) for row in map(json.loads, lines)]
    assert len(evidence.exchanges) == kinds.count(("exchange", False))
    assert len(evidence.notes) == kinds.count(("note", False))
    assert len(evidence.list_ends) == kinds.count(("note", True))
    records: list[jsonl.Record] = [replace(evidence.header, format=FORMAT)]
    records += [*evidence.exchanges, *evidence.notes, *evidence.list_ends, *evidence.all_spans]
    written = [jsonl.to_json(record) for record in records]
    validator = Draft202012Validator(SCHEMA)
    assert [error.message for line in written for error in validator.iter_errors(json.loads(line))] == []
    (tmp_path / jsonl.FILE_NAME).write_text("\n".join(written) + "\n", "utf-8")
    again = jsonl.read(tmp_path)
    parts = ("exchanges", "notes", "list_ends", "all_spans")
    assert [getattr(again, part) for part in parts] == [getattr(evidence, part) for part in parts]


def test_spans_lie_between_observations(recorded_run: Path) -> None:
    """In each span the observation before ends before the requests, and the one after begins after them."""
    spans = jsonl.read(recorded_run).all_spans
    assert spans
    for span in spans:
        numbers = (*span.before, *span.requests, *span.after)
        assert list(numbers) == sorted(set(numbers))
        assert span.requests


def test_waits_become_spans() -> None:
    """Each wait is a span: one page of events, the requests, and one page again."""
    steps = ["idle 0", "idle", "idle", "idle 0", "later 0", "later", "later", "later 0"]
    evidence = read(exchange(n, "refused", step) for n, step in enumerate(steps, 1))
    spans = evidence.spans(Scenario.REJECTED_PURGES, Step.WAIT_AFTER_READS, Step.WAIT_AFTER_REJECTED)
    assert [(span.step, span.place.index, span.before, span.requests, span.after) for span in spans] == [
        (Step.WAIT_AFTER_READS, 0, (1,), (2, 3), (4,)),
        (Step.WAIT_AFTER_REJECTED, 0, (5,), (6, 7), (8,)),
    ]


def test_unanswered_page_is_skipped() -> None:
    """An attempt lies between the nearest pages that the target answered."""
    steps = [("look", 200), ("credential", 401), ("look", None), ("method", 404), ("look", 200)]
    evidence = read(exchange(n, "refused", step, status=status) for n, (step, status) in enumerate(steps, 1))
    spans = evidence.spans(Scenario.REJECTED_PURGES)
    assert [(span.step, span.before, span.requests, span.after) for span in spans] == [
        (Step.CREDENTIAL, (1,), (2,), (5,)),
        (Step.METHOD, (1,), (4,), (5,)),
    ]


def test_notes_are_typed() -> None:
    """Notes get the types that their names declare."""
    change = {"app": "1", "done": True, "since": "before", "tells": {"state": "STARTED"}}
    plan = {"steps": ["create a", "purge"], "processes": 1, "shorter": False}
    evidence = read(
        [
            {"kind": "note", "experiment": "foundation", "name": "apps", "value": {"mover": "1"}},
            {"kind": "note", "experiment": "late", "name": "change start", "value": change},
            {"kind": "note", "experiment": "sequences", "name": "sequence 1", "value": plan},
        ]
    )
    assert evidence.note(Scenario.FOUNDATION, notes.APPS) == {App.TOGGLED: "1"}
    assert evidence.noted(notes.CHANGE) == (notes.AppChange(Step.START, "1", True, {"state": "STARTED"}),)
    assert evidence.noted(notes.SEQUENCE) == (notes.SequencePlan(1, ("create a", "purge"), 1, False),)


def exchange(n: int, experiment: str, step: str, *, status: int | None = 200) -> dict[str, Any]:
    """Return an exchange as format 1 wrote it."""
    row: dict[str, Any] = {"kind": "exchange", "n": n, "experiment": experiment, "step": step, "role": "admin"}
    row |= {"method": "GET", "path": "/v3/app_usage_events", "request_headers": [], "request_body": None}
    row |= {"sent_at": 0.0, "elapsed": 0.1, "status": status, "response_headers": [], "body_text": ""}
    return row | {"error": None, "tags": {}}


def read(rows: Iterable[dict[str, Any]]) -> Evidence:
    """Return the evidence of rows of format 1."""
    return jsonl.evidence(HEADER, rows)
