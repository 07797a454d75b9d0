"""The self-check: its findings, those of planted defects above all, and its files."""

from __future__ import annotations

import ast
import json
import shutil
from typing import TYPE_CHECKING

import jsonschema
import pytest

from meta.support.paths import CONFORMANCE
from purge_conformance import catalogue
from purge_conformance.selfcheck import run as checking
from purge_conformance.selfcheck.mutants import FAULTLESS

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.selfcheck.matrix import Matrix, Row


FAULT, VARIANT, ALONE = "purge-returns-data", "purge-body-empty", "opaque-tokens"
IMPORTS = (
    "from purge_conformance.analysis.outcomes import RequirementViolated; "
    "from purge_conformance.report.model import Finding"
)
ALARM = 'raise RequirementViolated((Finding("nothing", "something", 1),))'


def plant_judgments(room: Path, bodies: dict[str, str]) -> Path:
    """Copy the judgments, some of them with another body."""
    shutil.copytree(CONFORMANCE, room)
    for path in room.glob("test_*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in reversed(ast.parse("\n".join(lines)).body):
            marks = {ast.unparse(mark) for mark in getattr(node, "decorator_list", ())}
            for name, body in bodies.items():
                if isinstance(node, ast.FunctionDef) and f"pytest.mark.requirement('{name}')" in marks:
                    lines[node.body[0].lineno : node.end_lineno] = [f"    {IMPORTS}", f"    {body}"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return room


def row_of(matrix: Matrix, name: str) -> Row:
    """Return the row of a mutant."""
    return next(row for row in matrix.rows if row.server.name == name)


@pytest.fixture(scope="module")
def correct_check(tmp_path_factory: pytest.TempPathFactory) -> tuple[Matrix, Path]:
    """A self-check of a few mutants with the suite's own judgments, and its folder."""
    folder = tmp_path_factory.mktemp("sound")
    return checking.check(folder, only=[FAULT, VARIANT, ALONE, FAULTLESS], jobs=2), folder


@pytest.fixture(scope="module")
def defective_check(tmp_path_factory: pytest.TempPathFactory) -> tuple[Matrix, Path]:
    """A self-check with a judgment that cannot fail and one that always fails, and its folder."""
    folder = tmp_path_factory.mktemp("wrong")
    room = plant_judgments(folder / "room", {"PURGE-02": 'view.count("empty-body", [1])', "GET-01": ALARM})
    return checking.check(folder / "out", only=[FAULT, FAULTLESS], jobs=2, judgments=room), folder / "out"


def test_fault_is_killed(correct_check: tuple[Matrix, Path]) -> None:
    """A fault is killed by its own requirement only."""
    row = row_of(correct_check[0], FAULT)
    assert (row.killed_by, row.failed, list(row.problems())) == (("PURGE-02",), ("PURGE-02",), [])
    assert (correct_check[0].killed.count, correct_check[0].killed.total) == (1, 1)


@pytest.mark.parametrize("name", [FAULTLESS, VARIANT, ALONE])
def test_conforming_server_is_not_accused(name: str, correct_check: tuple[Matrix, Path]) -> None:
    """A conforming server causes no alarm, mounted beside others or on a server of its own."""
    row = row_of(correct_check[0], name)
    assert (row.failed, list(row.problems())) == ((), [])
    assert row.requests > row.purges > 0
    assert row.seconds > 0


def test_vacuous_judgment_is_reported(defective_check: tuple[Matrix, Path]) -> None:
    """If a judgment cannot fail, its fault survives."""
    assert "survived: PURGE-02 did not fail" in row_of(defective_check[0], FAULT).problems()
    assert (defective_check[0].killed.count, defective_check[0].killed.total) == (0, 1)


def test_wrong_kill_is_reported(defective_check: tuple[Matrix, Path]) -> None:
    """A fault that another requirement kills is reported."""
    assert "also failed GET-01" in row_of(defective_check[0], FAULT).problems()


def test_false_alarm_is_reported(defective_check: tuple[Matrix, Path]) -> None:
    """A judgment that fails on a conforming server is reported."""
    assert list(row_of(defective_check[0], FAULTLESS).problems()) == ["conforms, and failed GET-01: a false alarm"]
    assert (defective_check[0].false_alarms.count, defective_check[0].false_alarms.total) == (1, 1)


def test_failed_evidence_is_stored(correct_check: tuple[Matrix, Path], defective_check: tuple[Matrix, Path]) -> None:
    """Evidence and reports of each problem are beside the matrix; no other evidence remains."""
    files = [checking.JSON, checking.MARKDOWN]
    assert sorted(path.name for path in correct_check[1].iterdir()) == files
    assert sorted(path.name for path in defective_check[1].iterdir()) == sorted([*files, FAULT, FAULTLESS])
    for name in (FAULT, FAULTLESS):
        assert {"evidence.jsonl", "report.html"} <= {path.name for path in (defective_check[1] / name).iterdir()}


def test_matrix_json_is_valid(correct_check: tuple[Matrix, Path], defective_check: tuple[Matrix, Path]) -> None:
    """The matrix is valid against its schema, and contains the results."""
    for matrix, folder in (correct_check, defective_check):
        data = json.loads((folder / checking.JSON).read_text(encoding="utf-8"))
        jsonschema.validate(data, catalogue.document("matrix.schema.json"), jsonschema.Draft202012Validator)
        assert [row["problems"] for row in data["rows"]] == [list(row.problems()) for row in matrix.rows]


def test_markdown_names_every_mutant(correct_check: tuple[Matrix, Path], defective_check: tuple[Matrix, Path]) -> None:
    """The Markdown names every mutant, the rates, and the problems."""
    for matrix, folder in (correct_check, defective_check):
        text = (folder / checking.MARKDOWN).read_text(encoding="utf-8")
        assert all(f"`{row.server.name}`" in text for row in matrix.rows)
        assert ("## Problems" in text) == bool(matrix.problems())
    assert "**1 of 1 fault killed (100 %), 0 false alarms on 3 conforming servers with 2 variants (0 %).**" in (
        correct_check[1] / checking.MARKDOWN
    ).read_text(encoding="utf-8")
