"""The commands that start no run: `list`, `report`, `selfcheck` and the help."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import invoke
from purge_conformance import __version__, catalogue
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report import write_all
from purge_conformance.report.model import Finding
from purge_conformance.selfcheck import run as selfcheck_run
from purge_conformance.selfcheck.matrix import Matrix, Row
from purge_conformance.selfcheck.mutants import select_servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.story import EvidenceBuilder


def test_list_prints_every_requirement() -> None:
    """`list` prints one line per requirement, of both profiles if none is named."""
    lines = invoke("list").output.splitlines()
    assert len(lines) == len(catalogue.requirements())
    assert re.fullmatch(r"PURGE-01 +MUST +core +A purge by an admin answers 200\.", lines[0])


def test_list_prints_json() -> None:
    """`list --json` prints all fields of the selected requirements."""
    rows = json.loads(invoke("list", "--json", "--profile=upstream", "--select=UP-SEED-*").output)
    assert {row["id"] for row in rows} == {f"UP-SEED-0{n}" for n in (1, 2, 3, 4)}
    assert {"level", "profile", "statement", "quote", "remedy"} <= set(rows[0])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--version",), 0, __version__),
        (("--help",), 0, "3 inconclusive"),
        (("run", "--help"), 0, "destroys all app usage events"),
        (("judge", "/no/such/folder", "--out=x"), 2, "does not exist"),
        (("report", "/no/such/folder"), 2, "does not exist"),
        (("list", "--select=NO-SUCH"), 2, "matches no requirement"),
        (("serve", "--fault=no-such-fault", "--port=0"), 2, "no-such-fault"),
        (("serve", "--port=0", "--events=5"), 2, "Give --apps N, with N at least 1, too"),
        (("serve", "--port=0", "--apps=-1"), 2, "-1 is not in the range 0<=x<=1000000"),
        (("serve", "--port=0", "--apps=1", "--events=10000001"), 2, "not in the range 0<=x<=10000000"),
        (("serve", "--port=0", "--apps=many"), 2, "'many' is not a valid integer"),
        (("no-such-command",), 2, "no-such-command"),
    ],
)
def test_commands_print_help(arguments: tuple[str, ...], code: int, words: str) -> None:
    """Each subcommand prints its help and rejects a wrong argument with exit code 2."""
    result = invoke(*arguments)
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_report_command_is_reproducible(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """`report` writes the same reports from report.json and the evidence."""
    builder.add_purge(Scenario.PURGE, status=500)
    with Journal(tmp_path / "run", builder.evidence.header) as journal:
        for exchange in builder.exchanges:
            journal.record(exchange)
        evidence = journal.evidence()
    verdicts = RunBuilder(evidence, {r.id: r for r in catalogue.requirements()})
    verdicts.record("PURGE-01", RequirementViolated((Finding("200", "500", 1),)), None, 0.1)
    write_all(verdicts.build(), evidence, tmp_path / "run")
    (tmp_path / "copy").mkdir()
    for name in ("report.json", "evidence.jsonl"):
        (tmp_path / "copy" / name).write_bytes((tmp_path / "run" / name).read_bytes())
    assert invoke("report", str(tmp_path / "copy")).exit_code == 0
    for name in ("report.json", "junit.xml", "summary.md", "report.html"):
        assert (tmp_path / "copy" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


@pytest.mark.parametrize(("count", "code"), [(1, 0), (0, 1)])
def test_selfcheck_exit_code_follows_matrix(
    count: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`selfcheck` exits with 0 if the matrix is as expected, else with 1, and prints how to reproduce it."""
    (mutant,) = select_servers(["purge-returns-data"])
    row = Row(mutant, failed=mutant.fails * count, requests=9, purges=1)
    matrix = Matrix("0", "1", {}, 1, (), "2026-07-01T12:00:00Z", 1.0, 2, (row,))

    def check(folder: Path, *, on_row: Callable[[Row, int, int], None], **_: object) -> Matrix:
        assert folder == tmp_path
        on_row(row, 1, 1)
        return matrix

    monkeypatch.setattr(selfcheck_run, "check", check)
    result = invoke("selfcheck", "--out", str(tmp_path))
    assert result.exit_code == code, result.output
    assert ("survived" in result.output) == ("--only purge-returns-data" in result.output) == bool(code)
    assert f"{count} of 1 fault killed" in result.output
