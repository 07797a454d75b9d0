"""The writer of report.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.results import HOSTILE, NOTHING, make_run
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.errors import BadData
from purge_conformance.report import json as as_json
from purge_conformance.report import write_all
from purge_conformance.report.plain import REQUIREMENT_FIELDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_report_json_round_trips(tmp_path: Path, text: str) -> None:
    """A report is read as it was written, whatever text a target sent."""
    run = make_run(text)
    write_all(run, NOTHING, tmp_path)
    assert as_json.load(tmp_path) == run


def test_report_json_keeps_key_order() -> None:
    """Keys are in the model's order, text is UTF-8, and the file ends with a line feed."""
    text = as_json.dump(make_run("größer"))
    properties = catalogue.document("report.schema.json")["properties"]
    assert list(json.loads(text)) == list(properties)
    assert tuple(json.loads(text)["requirements"][0])[: len(REQUIREMENT_FIELDS)] == REQUIREMENT_FIELDS
    assert "größer" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (None, "has no report.json"),
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "expected an object"),
        ('{"format": 1}', "version 1 of report.schema.json, expected 2. Write it again: purge-conformance judge"),
        ('{"schema": 3}', "version 3 of report.schema.json, expected 2"),
        ("{}", "version null of report.schema.json, expected 2"),
        ('{"schema": 2, "secret": 3}', "not valid against report.schema.json"),
    ],
)
def test_damaged_report_is_rejected(tmp_path: Path, damage: str | None, words: str) -> None:
    """An invalid report is rejected with the actual and the expected content, and the next step."""
    if damage is not None:
        (tmp_path / "report.json").write_text(damage)
    with pytest.raises(BadData, match=words):
        as_json.load(tmp_path)


def test_invalid_value_is_located(tmp_path: Path) -> None:
    """A report with one invalid value is rejected with the location of the value."""
    data = json.loads(as_json.dump(make_run()))
    data["requirements"][2]["outcome"] = "great"
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(BadData, match=r"at \$\.requirements\[2\]\.outcome: 'great' is not one of"):
        as_json.load(tmp_path)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=60))
def test_any_text_round_trips(text: str) -> None:
    """report.json contains any text of a target."""
    run = make_run(text, levels=(Level.MUST,))
    assert json.loads(as_json.dump(run))["notes"] == [text]
