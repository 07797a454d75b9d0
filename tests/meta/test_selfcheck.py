"""The check of the suite: what it finds, planted mistakes above all, and what it leaves."""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.errors import BadSetting
from purge_conformance.selfcheck import run as checking
from purge_conformance.selfcheck.mutants import FAULTLESS, Kind, select_servers

if TYPE_CHECKING:
    from purge_conformance.selfcheck.matrix import Matrix, Row

ROOM = Path(__file__).parents[1] / "conformance"
FAULT, VARIANT, ALONE = "purge-returns-data", "purge-body-empty", "opaque-tokens"
IMPORTS = (
    "from purge_conformance.analysis.outcomes import RequirementViolated; "
    "from purge_conformance.report.model import Finding"
)
ALARM = 'raise RequirementViolated((Finding("nothing", "something", 1),))'


def planted(room: Path, bodies: dict[str, str]) -> Path:
    """Copy the judgments, those of some requirements with another body."""
    shutil.copytree(ROOM, room)
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
    """Return the row of a subject."""
    return next(row for row in matrix.rows if row.server.name == name)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Matrix, Path]:
    """A check of a few subjects by the suite's own judgments, and its folder."""
    folder = tmp_path_factory.mktemp("sound")
    return checking.check(folder, only=[FAULT, VARIANT, ALONE, FAULTLESS], jobs=2), folder


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> tuple[Matrix, Path]:
    """A check by a room in which one judgment cannot fail, one always does, and one crashes; and its folder."""
    folder = tmp_path_factory.mktemp("wrong")
    room = planted(folder / "room", {"PURGE-02": "return", "GET-01": ALARM})
    return checking.check(folder / "out", only=[FAULT, FAULTLESS], jobs=2, judgments=room), folder / "out"


def test_fault_is_killed(sound: tuple[Matrix, Path]) -> None:
    """A fault is killed by its own requirement and by nothing else."""
    row = row_of(sound[0], FAULT)
    assert (row.killed_by, row.failed, list(row.problems())) == (("PURGE-02",), ("PURGE-02",), [])
    assert (sound[0].killed.count, sound[0].killed.total) == (1, 1)


@pytest.mark.parametrize("name", [FAULTLESS, VARIANT, ALONE])
def test_conforming_server_is_not_accused(name: str, sound: tuple[Matrix, Path]) -> None:
    """A server that conforms raises no alarm, mounted beside others or on a server of its own."""
    row = row_of(sound[0], name)
    assert (row.failed, list(row.problems())) == ((), [])
    assert row.requests > row.purges > 0
    assert row.seconds > 0


def test_judgment_that_cannot_fail_is_found(wrong: tuple[Matrix, Path]) -> None:
    """Where a judgment cannot fail, the fault that is its own survives."""
    assert "survived: PURGE-02 did not fail" in row_of(wrong[0], FAULT).problems()
    assert (wrong[0].killed.count, wrong[0].killed.total) == (0, 1)


def test_wrong_catch_is_found(wrong: tuple[Matrix, Path]) -> None:
    """A fault that something else catches than its own requirements is said."""
    assert "was caught by GET-01, not its own" in row_of(wrong[0], FAULT).problems()


def test_false_alarm_is_found(wrong: tuple[Matrix, Path]) -> None:
    """A judgment that accuses a server which conforms is said."""
    assert list(row_of(wrong[0], FAULTLESS).problems()) == ["conforms, and failed GET-01: a false alarm"]
    assert (wrong[0].false_alarms.count, wrong[0].false_alarms.total) == (1, 1)


def test_what_went_wrong_is_kept(sound: tuple[Matrix, Path], wrong: tuple[Matrix, Path]) -> None:
    """Evidence and reports of what went wrong lie beside the matrix; of all else nothing is left."""
    files = [checking.JSON, checking.MARKDOWN]
    assert sorted(path.name for path in sound[1].iterdir()) == files
    assert sorted(path.name for path in wrong[1].iterdir()) == sorted([*files, FAULT, FAULTLESS])
    for name in (FAULT, FAULTLESS):
        assert {"evidence.jsonl", "report.html"} <= {path.name for path in (wrong[1] / name).iterdir()}


def test_matrix_json_is_valid(sound: tuple[Matrix, Path], wrong: tuple[Matrix, Path]) -> None:
    """What is written is valid against its schema, and says what was found."""
    for matrix, folder in (sound, wrong):
        data = json.loads((folder / checking.JSON).read_text(encoding="utf-8"))
        jsonschema.validate(data, catalogue.document("matrix.schema.json"), jsonschema.Draft202012Validator)
        assert [row["problems"] for row in data["rows"]] == [list(row.problems()) for row in matrix.rows]


def test_markdown_tells_all(sound: tuple[Matrix, Path], wrong: tuple[Matrix, Path]) -> None:
    """The Markdown names every subject, the rates, and what is wrong."""
    for matrix, folder in (sound, wrong):
        text = (folder / checking.MARKDOWN).read_text(encoding="utf-8")
        assert all(f"`{row.server.name}`" in text for row in matrix.rows)
        assert ("## Wrong" in text) == bool(matrix.problems())
    assert "**1 of 1 fault killed (100 %), 0 false alarms on 3 conforming servers with 2 variants (0 %).**" in (
        sound[1] / checking.MARKDOWN
    ).read_text(encoding="utf-8")


def test_subjects_are_all_there() -> None:
    """The whole check has every fault, the faultless server, and every variant once, alone or in a make."""
    faults, variants = ([each.id for each in found] for found in (catalogue.faults(), catalogue.variants()))
    assert sorted(s.name for s in select_servers() if s.kind is Kind.FAULT) == sorted(faults)
    assert [s.name for s in select_servers() if s.kind is Kind.FAULTLESS] == [FAULTLESS]
    assert sorted(name for s in select_servers() for name in s.variants) == sorted(variants)


def test_variant_of_make_is_judged_alone_when_asked_for() -> None:
    """A variant that a make has can be named, for a look at it alone; the make conforms where each of its own does."""
    make = catalogue.server_profiles()[0]
    alone, together = (select_servers([name])[0] for name in (make.variants[0], make.id))
    assert (alone.variants, together.variants) == (make.variants[:1], make.variants)
    profiles = {variant.id: variant.profiles for variant in catalogue.variants()}
    assert set(together.profiles) == set.intersection(*(set(profiles[name]) for name in make.variants))


def test_unknown_subject_is_misuse() -> None:
    """A glob that matches nothing is misuse."""
    with pytest.raises(BadSetting, match="'no-such-\\*' matches no fault and no variant"):
        select_servers(["no-such-*"])


@pytest.mark.parametrize(
    ("name", "changes", "problems"),
    [
        (FAULT, {"failed": ("PURGE-02",), "undecided": ("AGAIN-03",)}, []),
        (FAULT, {"trouble": "it died"}, ["could not be judged: it died"]),
        ("purge-answers-202", {"failed": ("PURGE-01",)}, ["did not fail STATUS-01, as it must"]),
        (VARIANT, {"undecided": ("SEED-01",)}, ["left SEED-01 undecided, which is not declared"]),
        (VARIANT, {"trouble": "it died"}, ["could not be judged: it died"]),
    ],
)
def test_problems_are_said(name: str, changes: dict[str, Any], problems: list[str], sound: tuple[Matrix, Path]) -> None:
    """Each way of not being as it must be has its words, and what is as it must be has none."""
    (subject,) = select_servers([name])
    row = replace(row_of(sound[0], FAULTLESS), server=subject, **changes)
    assert list(row.problems()) == problems
