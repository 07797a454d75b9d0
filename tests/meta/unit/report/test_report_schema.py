"""The schemas of the reports: each report is valid, and a contradictory one is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from meta.support.results import requirement
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.known_failures import EntryKind
from purge_conformance.report.gate import Breach, BreachKind, Gate, KnownFailure, NotChecked
from purge_conformance.report.model import (
    Cause,
    Finding,
    Outcome,
    Result,
    Run,
    StatusCount,
    Timing,
    roll_up,
)
from purge_conformance.report.plain import from_dict, to_dict

NAMES = tuple(f"{name}.schema.json" for name in ("comparison", "report", "evidence", "known-failures", "matrix"))
BROKEN = Result(
    requirement("A-1", profile=Profile.UPSTREAM, conditional="a 409 occurs"),
    Outcome.FAILED,
    cause=Cause.TARGET,
    findings=(Finding("a", "b"),),
)
RUN = Run(
    suite_version="0.1.0",
    spec_version="1.0.0",
    spec_digests={"openapi.yaml": "0" * 64},
    target="http://t",
    settings={"seed": 1},
    started_at="2026-01-02T03:04:05Z",
    finished_at="2026-01-02T03:04:06.25+00:00",
    requests=1,
    purges=0,
    requirements=(BROKEN,),
    statuses=(StatusCount("get", 200, documented=True, count=0),),
    timings=(Timing("discover", 0.5, 1),),
    notes=("One note.",),
    verdict=roll_up([BROKEN]),
)

GATE = Gate(
    (KnownFailure(("A-1",), EntryKind.FLAKY, "plain", "capi", "Not yet fixed.", None, "2027-01-31", ("A-2",)),),
    (NotChecked("A-3", "A-3 was not selected."),),
    (Breach(BreachKind.STALE, "A-4", "A-4 passed."), Breach(BreachKind.REGRESSION, "A-5", "A-5 failed.")),
    "main/report.json",
)


def schema_errors(name: str, data: object) -> list[str]:
    """Return the errors of the data against a schema of `spec/`."""
    return [error.message for error in jsonschema.Draft202012Validator(catalogue.document(name)).iter_errors(data)]


def report(**changes: object) -> Any:  # noqa: ANN401 -- JSON
    """Return a report as JSON, with changes of its only requirement."""
    data = json.loads(json.dumps(to_dict(RUN)))
    data["requirements"][0] |= changes
    return data


@pytest.mark.parametrize("name", [*NAMES, "requirements.schema.json"])
def test_schemas_are_valid(name: str) -> None:
    """Each schema is valid against JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(catalogue.document(name))


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_closed_and_described(name: str) -> None:
    """Every object with fields is closed, and every field has a description."""
    whole = catalogue.document(name)
    for schema in [whole, *whole["$defs"].values()]:
        if "properties" in schema:
            assert schema["additionalProperties"] is False
        for field in schema.get("properties", {}).values():
            definition = whole["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}
            assert {"description", "const"} & (field.keys() | definition.keys())


def test_written_report_is_valid() -> None:
    """A written report is valid, and is read as it was written."""
    assert schema_errors("report.schema.json", report()) == []
    assert from_dict(report()) == RUN


@pytest.mark.parametrize("breaches", [GATE.breaches, ()])
def test_gate_is_read_as_written(breaches: tuple[Breach, ...]) -> None:
    """The gate of a run is valid, has its status, and is read as it was written; without one the member is null."""
    run = replace(RUN, gate=replace(GATE, breaches=breaches))
    data = json.loads(json.dumps(to_dict(run)))
    assert schema_errors("report.schema.json", data) == []
    assert data["gate"]["status"] == ("broken" if breaches else "kept")
    assert from_dict(data) == run
    assert to_dict(RUN)["gate"] is None
    data["gate"]["status"] = "kept" if breaches else "broken"
    assert schema_errors("report.schema.json", data)


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"outcome": "passed"},
        {"outcome": "inconclusive", "findings": []},
        {"cause": None},
        {"findings": []},
        {"reason": "a failure needs none"},
        {"outcome": "passed", "cause": "target", "findings": []},
        {"level": "must"},
        {"exchanges": [0]},
        {"next_step": "a failure needs none"},
        {"source": "the page"},
        {"seconds": -1},
        {"tally": {"trials": 1}},
        {"tally": {"trials": -1, "failures": 0, "is_flaky": False}},
    ],
)
def test_contradictory_report_is_rejected(changes: dict[str, object]) -> None:
    """A report whose fields contradict each other or the format is rejected."""
    assert schema_errors("report.schema.json", report(**changes))
