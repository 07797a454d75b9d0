"""A few rows with problems are judged again, and the matrix says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.selfcheck import trials
from purge_conformance.selfcheck.matrix import Matrix, Row, to_dict
from purge_conformance.selfcheck.matrix_report import markdown, problem_lines
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.trials import CONFIRMATIONS, MAX_CONFIRMED, Plan, confirm, run_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from purge_conformance.selfcheck.grouping import ServerGroup

(VARIANT,) = select_servers(["purge-body-empty"])
RIGHT = Row(VARIANT)
WRONG = replace(RIGHT, failed=("PURGE-06",))
ALARM = "conforms, and failed PURGE-06: a false alarm"


def judge(
    groups: Sequence[ServerGroup], runs: Sequence[Row], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Row]:
    """Return the rows of a selfcheck whose runs have these results, in this order; all have to be used."""
    results = iter(runs)

    def run_once(groups: Sequence[ServerGroup], _: Plan) -> Iterator[list[Row]]:
        for _group in groups:
            yield [next(results)]

    monkeypatch.setattr(trials, "_run_once", run_once)
    plan = Plan(folder, seed=1, jobs=2, server_processes=2)
    rows = list(confirm(run_groups(groups, plan), plan))
    assert list(results) == []
    return rows


def test_problem_of_one_run_is_counted_and_not_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two further runs without a problem make the row right; it keeps the problem of the first."""
    (row,) = judge([(VARIANT,)], [WRONG, RIGHT, RIGHT], tmp_path, monkeypatch)
    assert (list(row.problems()), row.earlier_problems) == ([], (ALARM,))


@pytest.mark.parametrize("further", [[WRONG, RIGHT], [RIGHT, WRONG], [WRONG, WRONG]])
def test_problem_of_two_runs_is_a_problem(further: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One further run with a problem leaves the row wrong."""
    assert len(further) == CONFIRMATIONS
    (row,) = judge([(VARIANT,)], [WRONG, *further], tmp_path, monkeypatch)
    assert (list(row.problems()), row.earlier_problems) == ([ALARM], ())


def test_many_problems_are_not_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More wrong rows than chance explains stay wrong without a further run."""
    count = MAX_CONFIRMED + 1
    rows = judge([(VARIANT,)] * count, [WRONG] * count, tmp_path, monkeypatch)
    assert rows == [WRONG] * count


def test_matrix_names_what_was_judged_three_times() -> None:
    """matrix.json, the Markdown and the terminal have the problem of the first run; it is no problem of the matrix."""
    row = replace(RIGHT, earlier_problems=(ALARM,))
    matrix = Matrix("0.1.0", "1.2.0", {"a": "0" * 64}, 1, (), "2026-01-01T00:00:00Z", 1.0, 1, (row,))
    data = to_dict(matrix)
    schema = catalogue.document("matrix.schema.json")["$defs"]
    assert data["rows"][0]["earlier_problems"] == [ALARM]
    jsonschema.validate(data["rows"][0], {"$defs": schema, **schema["row"]}, jsonschema.Draft202012Validator)
    assert matrix.problems() == []
    assert [line.plain for line in problem_lines(row)] == [
        f"UNSTEADY variant purge-body-empty {ALARM}, in one of three runs"
    ]
    assert "; 1 server judged rightly in 2 of 3 runs" in markdown(matrix)
    assert f"- `purge-body-empty` {ALARM}" in markdown(matrix)
