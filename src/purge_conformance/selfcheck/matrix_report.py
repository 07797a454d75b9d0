"""The matrix to read: on a terminal, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.report.markdown import escape
from purge_conformance.report.text import one_line, pluralize
from purge_conformance.selfcheck.mutants import FAULTLESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.selfcheck.matrix import Matrix, Rate, Row

FAULTS_INTRODUCTION = (
    "The reference server made wrong; each must fail exactly its own requirements. Some that break different ones "
    "share a run; where not exactly those of all of them fail, each is judged again, alone."
)
FAULT_COLUMNS = ("Fault", "Killed by", "What is wrong with it")


def headline(killed: Rate, alarms: Rate, variants: int) -> str:
    """Return the two rates with their counts, and how many variants the conforming servers have, in words."""
    return (
        f"{killed.count} of {pluralize(killed.total, 'fault')} killed ({killed.percent}), "
        f"{pluralize(alarms.count, 'false alarm')} on {pluralize(alarms.total, 'conforming server')} "
        f"with {pluralize(variants, 'variant')} ({alarms.percent})"
    )


def effort(matrix: Matrix) -> str:
    """Return what the check took, in words."""
    runs = {frozenset((row.server.name, *row.companions)): row for row in matrix.rows}.values()
    requests, purges = (sum(getattr(row, name) for row in runs) for name in ("requests", "purges"))
    return (
        f"{pluralize(len(runs), 'target')}, {pluralize(requests, 'request')}, {pluralize(purges, 'purge')}, "
        f"{matrix.seconds:.0f} s, {matrix.jobs} at once"
    )


def terminal_lines(matrix: Matrix) -> list[Text]:
    """Return the matrix for a terminal: every subject, what is wrong, and the rates."""
    output = [_row_line(row) for row in sorted(matrix.rows, key=lambda row: row.is_fault)]
    output.append(Text())
    output += [text for row in matrix.rows for text in problem_lines(row)]
    output += [
        Text(effort(matrix)),
        Text(_headline(matrix), "bold red" if matrix.problems() else "bold green"),
    ]
    return output


def problem_lines(row: Row) -> list[Text]:
    """Return what is wrong with a row, and how to see it again."""
    kind, name = row.server.kind, row.server.name
    output = [Text.assemble(("WRONG", "bold red"), f" {kind} {name} {one_line(problem)}") for problem in row.problems()]
    serve = "purge-conformance serve" + ("" if name == FAULTLESS else f" --{kind} {name}")
    rerun = f"purge-conformance selfcheck --only {name} --out again, or by hand {serve}"
    return [*output, Text.assemble(("  again    ", "dim"), rerun)] if output else []


def markdown(matrix: Matrix) -> str:
    """Return the matrix as GitHub-flavoured Markdown."""
    parts = [
        f"# Kill matrix\n\n**{_headline(matrix)}.**",
        _provenance(matrix),
        *_problems_section(matrix),
        f"## Faults\n\n{FAULTS_INTRODUCTION}",
        *(_table(FAULT_COLUMNS, map(_fault_cells, rows), name) for name, rows in matrix.faults_by_group().items()),
        "## Conforming servers\n\nEach differs in a legal way; none may fail anything.",
        _table(("Server", "False alarms", "How it differs"), map(_server_cells, matrix.conforming)),
        "## Requirements\n\nThat a judgment can fail is shown by the faults that it killed; alone: no other did.",
        _table(("Requirement", "Level", "Faults killed", "Alone"), _requirement_rows(matrix)),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(matrix: Matrix) -> str:
    return headline(matrix.killed, matrix.false_alarms, sum(len(row.server.variants) for row in matrix.rows))


def _provenance(matrix: Matrix) -> str:
    return (
        f"purge-conformance {escape(matrix.suite)}, spec {escape(matrix.spec_version)}, seed {matrix.seed}, "
        f"at {escape(matrix.started_at)}: {effort(matrix)}."
    )


def _row_line(row: Row) -> Text:
    if any(row.problems()):
        return Text.assemble(("WRONG     ", "bold red"), f"{row.server.name}")
    word = ("killed    ", "green") if row.is_fault else ("conforms  ", "green")
    return Text.assemble(word, row.server.name, (f"  {', '.join(row.failed)}", "dim"))


def _problems_section(matrix: Matrix) -> Iterator[str]:
    if problems := matrix.problems():
        yield "## Wrong\n\n" + "\n".join(f"- `{row.server.name}` {escape(problem)}" for row, problem in problems)


def _fault_cells(row: Row) -> tuple[str, ...]:
    return f"`{row.server.name}`", _join_ids(row.killed_by) or "**survived**", escape(row.server.summary)


def _server_cells(row: Row) -> tuple[str, ...]:
    note = f" (departs from {_join_ids(row.server.fails)})" if row.server.fails else ""
    return f"`{row.server.name}`", _join_ids(row.unexpected_failures) or "none", escape(row.server.summary) + note


def _requirement_rows(matrix: Matrix) -> Iterator[tuple[str, ...]]:
    kills = matrix.kills_by_requirement()
    for requirement in catalogue.requirements():
        rows = kills.get(requirement.id, ())
        sole_kills = sum(row.failed == (requirement.id,) for row in rows)
        level = str(requirement.level) if requirement.level is Level.MUST else f"*{requirement.level}*"
        yield requirement.id, level, str(len(rows)), str(sole_kills)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]], title: str = "") -> str:
    table = [head, ("---",) * len(head), *rows]
    return (f"### {title}\n\n" if title else "") + "\n".join(f"| {' | '.join(row)} |" for row in table)


def _join_ids(names: tuple[str, ...]) -> str:
    return ", ".join(names)
