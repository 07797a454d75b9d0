"""The recorded runs against the real Cloud Controller have the outcomes that they had when they were recorded."""

from __future__ import annotations

import json
import lzma
import re
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import RECORDED
from purge_conformance.engine import pytest_process
from purge_conformance.evidence.jsonl import FILE_NAME
from purge_conformance.report import json as as_json

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run

PYTHON_VALUE = re.compile(r"\b(None|True|False)\b(?! of)|\{'|\['|<[A-Za-z_.]+ object")
RUNS = RECORDED.parent / "runs"
EXPECTED = json.loads((RUNS / "outcomes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recorded_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """All recorded runs, judged by one pytest process."""
    folder: Path = tmp_path_factory.mktemp("recorded")
    for name in EXPECTED:
        (folder / name).mkdir()
        content = lzma.decompress((RUNS / f"{name}.{FILE_NAME}.xz").read_bytes())
        (folder / name / FILE_NAME).write_bytes(content)
    output = pytest_process.judge_all(EXPECTED, folder)
    assert all((folder / name / as_json.FILE_NAME).exists() for name in EXPECTED), output
    return {name: as_json.load(folder / name) for name in EXPECTED}


def test_every_recorded_run_has_outcomes() -> None:
    """Each recorded run has expected outcomes."""
    suffix = f".{FILE_NAME}.xz"
    assert {path.name.removesuffix(suffix) for path in RUNS.glob(f"*{suffix}")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_run_has_same_outcomes(name: str, recorded_runs: dict[str, Run]) -> None:
    """The verdict, and outcome, cause and number of findings of each requirement, are those of the record.

    What is newer than the record, and not judged for this reason, is left out.
    """
    run = recorded_runs[name]
    judged = (row for row in run.requirements if not row.newer_than_evidence)
    found = {row.id: [row.outcome, row.cause, len(row.findings)] for row in judged}
    assert found == EXPECTED[name]["requirements"]
    assert run.verdict == EXPECTED[name]["verdict"]


@pytest.mark.parametrize("name", EXPECTED)
def test_findings_have_no_python_value(name: str, recorded_runs: dict[str, Run]) -> None:
    """No value in a finding, a reason or a note is written as Python writes it."""
    run = recorded_runs[name]
    texts = [text for row in run.requirements for each in row.findings for text in (each.expected, each.got)]
    texts += [row.reason for row in run.requirements] + [*run.notes]
    assert not [text for text in texts if PYTHON_VALUE.search(text)]


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_run_leads_with_the_defect(name: str, recorded_runs: dict[str, Run]) -> None:
    """What a JWT without its signature breaks is one defect, as the rulings say; no other defect explains as much."""
    first, *others = recorded_runs[name].defects
    assert first.requirements == ("AUTH-02", "AUTH-05", "AUTH-06", "ERROR-07", "UP-ERROR-01", "LEAK-02")
    assert "without signature" in first.sent
    assert all(len(each.requirements) <= len(first.requirements) / 2 for each in others)
