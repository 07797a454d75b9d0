"""The kill matrix as text for a terminal, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.markdown import escape
from purge_conformance.selfcheck.matrix import join_ids
from purge_conformance.selfcheck.mutants import FAULTLESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.selfcheck.matrix import Matrix, Rate, Row

FAULTS_INTRODUCTION = (
    "Each is the reference server with one fault, and must fail exactly the requirements of that fault. Independent "
    "faults share a run; if it fails other requirements than those of its faults, each is judged again, alone."
)
UNSTEADY_INTRODUCTION = "The first of three runs of each of these differed, and the other two were as expected."
FAULT_COLUMNS = ("Fault", "Killed by", "What it does")


def headline(killed: Rate, alarms: Rate, variants: int) -> str:
    """Return one line with both rates, their counts, and the number of variants of the conforming servers."""
    return (
        f"{killed.count} of {pluralize(killed.total, 'fault')} killed ({killed.percent}), "
        f"{pluralize(alarms.count, 'false alarm')} on {pluralize(alarms.total, 'conforming server')} "
        f"with {pluralize(variants, 'variant')} ({alarms.percent})"
    )


def effort(matrix: Matrix) -> str:
    """Return one line with the numbers of runs, requests and purges, and the duration."""
    runs = {frozenset((row.server.name, *row.companions)): row for row in matrix.rows}.values()
    requests, purges = (sum(getattr(row, name) for row in runs) for name in ("requests", "purges"))
    return (
        f"{pluralize(len(runs), 'target')}, {pluralize(requests, 'request')}, {pluralize(purges, 'purge')}, "
        f"{matrix.seconds:.0f} s, {matrix.jobs} at the same time"
    )


def terminal_lines(matrix: Matrix) -> list[Text]:
    """Return the lines for a terminal: every server, the problems, and the rates."""
    output = [_row_line(row) for row in sorted(matrix.rows, key=lambda row: row.is_fault)]
    output.append(Text())
    output += [text for row in matrix.rows for text in problem_lines(row)]
    output += [
        Text(effort(matrix)),
        Text(_headline(matrix), "bold red" if matrix.problems() else "bold green"),
    ]
    return output


def problem_lines(row: Row) -> list[Text]:
    """Return the problems of a row, and the commands that reproduce them; or those that only a first run had."""
    kind, name = row.server.kind, row.server.name
    if row.earlier_problems:
        once = "in one of three runs"
        return [Text(f"UNSTEADY {kind} {name} {one_line(problem)}, {once}") for problem in row.earlier_problems]
    output = [Text.assemble(("WRONG", "bold red"), f" {kind} {name} {one_line(problem)}") for problem in row.problems()]
    serve = "purge-conformance serve" + ("" if name == FAULTLESS else f" --{kind} {name}")
    rerun = f"purge-conformance selfcheck --only {name}; to send requests yourself: {serve}"
    return [*output, Text.assemble(("  reproduce  ", "dim"), rerun)] if output else []


def markdown(matrix: Matrix) -> str:
    """Return the matrix as GitHub-flavoured Markdown."""
    parts = [
        f"# Kill matrix\n\n**{_headline(matrix)}.**",
        _provenance(matrix),
        *_problems_section(matrix),
        *_unsteady_section(matrix),
        f"## Faults\n\n{FAULTS_INTRODUCTION}",
        *(_table(FAULT_COLUMNS, map(_fault_cells, rows), name) for name, rows in matrix.faults_by_group().items()),
        "## Conforming servers\n\nEach differs in a way that the documentation allows; none may fail a requirement.",
        _table(("Server", "False alarms", "How it differs"), map(_server_cells, matrix.conforming)),
        "## Requirements\n\nThe faults that each judgment killed; alone: faults that only this judgment killed.",
        _table(("Requirement", "Level", "Faults killed", "Alone"), _requirement_rows(matrix)),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(matrix: Matrix) -> str:
    rates = headline(matrix.killed, matrix.false_alarms, sum(len(row.server.variants) for row in matrix.rows))
    count = len(matrix.unsteady)
    return f"{rates}; {pluralize(count, 'server')} judged rightly in 2 of 3 runs" if count else rates


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
        yield "## Problems\n\n" + "\n".join(f"- `{row.server.name}` {escape(problem)}" for row, problem in problems)


def _unsteady_section(matrix: Matrix) -> Iterator[str]:
    lines = [f"- `{row.server.name}` {escape(text)}" for row in matrix.unsteady for text in row.earlier_problems]
    if lines:
        yield f"## Judged three times\n\n{UNSTEADY_INTRODUCTION}\n\n" + "\n".join(lines)


def _fault_cells(row: Row) -> tuple[str, ...]:
    return f"`{row.server.name}`", join_ids(row.killed_by) or "**survived**", escape(row.server.summary)


def _server_cells(row: Row) -> tuple[str, ...]:
    note = f" (violates the SHOULD {join_ids(row.server.fails)})" if row.server.fails else ""
    return f"`{row.server.name}`", join_ids(row.unexpected_failures) or "none", escape(row.server.summary) + note


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
