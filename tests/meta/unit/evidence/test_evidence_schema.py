"""The evidence is valid against spec/evidence.schema.json."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import Record, to_json
from purge_conformance.evidence.records import Exchange, Header, ListEnd, Note, Span
from purge_conformance.evidence.steps import YES, Part, Phase, Place, Scenario, Step, Tag

PLACE = Place(Step.CONCURRENT, 1, Phase.AFTER, Part.EVENTS)
EXCHANGE = Exchange(
    *(1, Scenario.RACE, PLACE, "admin", "GET", "/", (("a", "b"),), None, 1.5, 0.5, 200, (), b"{}"),
    tags={Tag.CONCURRENT: YES},
)
LINES = [
    Header("0.1.0", {"openapi.yaml": "0" * 64}, "http://t", {"seed": 1}, "2026-01-02T03:04:05Z"),
    EXCHANGE,
    replace(EXCHANGE, body=b"\xff\xfe"),
    replace(EXCHANGE, status=None, body=b"", error="no answer"),
    Note(Scenario.ARCHIVE, notes.ARCHIVED.name, {"any": [1, None]}),
    ListEnd(Scenario.RACE, PLACE, complete=True, round=2),
    Span(Scenario.RACE, Place(Step.CONCURRENT, 1), (1, 2), (3,), (), 2),
]


def schema_errors(name: str, data: object) -> list[str]:
    """Return the errors of the data against a schema of `spec/`."""
    return [error.message for error in jsonschema.Draft202012Validator(catalogue.document(name)).iter_errors(data)]


@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_written_evidence_is_valid(line: Record) -> None:
    """Each kind of line that the suite writes is valid; with one more field it is not."""
    data = json.loads(to_json(line))
    assert schema_errors("evidence.schema.json", data) == []
    assert schema_errors("evidence.schema.json", {**data, "more": 1})


def test_evidence_has_one_body() -> None:
    """An exchange has one body: as text, as base64, or as a reference to another exchange."""
    data = json.loads(to_json(EXCHANGE))
    assert schema_errors("evidence.schema.json", json.loads(to_json(EXCHANGE, body_of=1))) == []
    assert schema_errors("evidence.schema.json", {**data, "body_of": 1})
    assert schema_errors("evidence.schema.json", {**data, "body_base64": "AAAA"})
    del data["body_text"]
    assert schema_errors("evidence.schema.json", data)
