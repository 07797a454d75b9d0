"""The matrix to read: on a terminal, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.report.markdown import escaped
from purge_conformance.report.text import counted, one_line
from purge_conformance.selfcheck.mutants import FAULTLESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.selfcheck.matrix import Matrix, Rate, Row

FAULTS = (
    "The reference server made wrong; each must fail exactly its own requirements. Some that break different ones "
    "share a run; where not exactly those of all of them fail, each is judged again, alone."
)
FAULT = ("Fault", "Killed by", "What is wrong with it")


def headline(killed: Rate, alarms: Rate, variants: int) -> str:
    """Return the two rates with their counts, and how many variants the conforming servers have, in words."""
    return (
        f"{killed.count} of {counted(killed.of, 'fault')} killed ({killed.percent}), "
        f"{counted(alarms.count, 'false alarm')} on {counted(alarms.of, 'conforming server')} "
        f"with {counted(variants, 'variant')} ({alarms.percent})"
    )


def effort(matrix: Matrix) -> str:
    """Return what the check took, in words."""
    runs = {frozenset((row.subject.name, *row.beside)): row for row in matrix.rows}.values()
    requests, purges = (sum(getattr(row, name) for row in runs) for name in ("requests", "purges"))
    return (
        f"{counted(len(runs), 'target')}, {counted(requests, 'request')}, {counted(purges, 'purge')}, "
        f"{matrix.seconds:.0f} s, {matrix.jobs} at once"
    )


def lines(matrix: Matrix) -> list[Text]:
    """Return the matrix for a terminal: every subject, what is wrong, and the rates."""
    told = [_line(row) for row in sorted(matrix.rows, key=lambda row: row.is_fault)]
    told.append(Text())
    told += [text for row in matrix.rows for text in problem_lines(row)]
    told += [
        Text(effort(matrix)),
        Text(_headline(matrix), "bold red" if matrix.problems() else "bold green"),
    ]
    return told


def problem_lines(row: Row) -> list[Text]:
    """Return what is wrong with a row, and how to see it again."""
    kind, name = row.subject.kind, row.subject.name
    told = [Text.assemble(("WRONG", "bold red"), f" {kind} {name} {one_line(problem)}") for problem in row.problems()]
    serve = "purge-conformance serve" + ("" if name == FAULTLESS else f" --{kind} {name}")
    again = f"purge-conformance selfcheck --only {name} --out again, or by hand {serve}"
    return [*told, Text.assemble(("  again    ", "dim"), again)] if told else []


def markdown(matrix: Matrix) -> str:
    """Return the matrix as GitHub-flavoured Markdown."""
    parts = [
        f"# Kill matrix\n\n**{_headline(matrix)}.**",
        _made(matrix),
        *_wrong(matrix),
        f"## Faults\n\n{FAULTS}",
        *(_table(FAULT, map(_fault, rows), name) for name, rows in matrix.groups().items()),
        "## Conforming servers\n\nEach differs in a legal way; none may fail anything.",
        _table(("Server", "False alarms", "How it differs"), map(_conforming, matrix.conforming)),
        "## Requirements\n\nThat a judgment can fail is shown by the faults that it killed; alone: no other did.",
        _table(("Requirement", "Level", "Faults killed", "Alone"), _requirements(matrix)),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(matrix: Matrix) -> str:
    return headline(matrix.killed, matrix.false_alarms, sum(len(row.subject.variants) for row in matrix.rows))


def _made(matrix: Matrix) -> str:
    return (
        f"purge-conformance {escaped(matrix.suite)}, spec {escaped(matrix.spec_version)}, seed {matrix.seed}, "
        f"at {escaped(matrix.started_at)}: {effort(matrix)}."
    )


def _line(row: Row) -> Text:
    if any(row.problems()):
        return Text.assemble(("WRONG     ", "bold red"), f"{row.subject.name}")
    word = ("killed    ", "green") if row.is_fault else ("conforms  ", "green")
    return Text.assemble(word, row.subject.name, (f"  {', '.join(row.failed)}", "dim"))


def _wrong(matrix: Matrix) -> Iterator[str]:
    if found := matrix.problems():
        yield "## Wrong\n\n" + "\n".join(f"- `{row.subject.name}` {escaped(problem)}" for row, problem in found)


def _fault(row: Row) -> tuple[str, ...]:
    return f"`{row.subject.name}`", _ids(row.killed_by) or "**survived**", escaped(row.subject.summary)


def _conforming(row: Row) -> tuple[str, ...]:
    note = f" (departs from {_ids(row.subject.fails)})" if row.subject.fails else ""
    return f"`{row.subject.name}`", _ids(row.strays) or "none", escaped(row.subject.summary) + note


def _requirements(matrix: Matrix) -> Iterator[tuple[str, ...]]:
    breakers = matrix.breakers()
    for requirement in catalogue.requirements():
        rows = breakers.get(requirement.id, ())
        alone = sum(row.failed == (requirement.id,) for row in rows)
        level = str(requirement.level) if requirement.level is Level.MUST else f"*{requirement.level}*"
        yield requirement.id, level, str(len(rows)), str(alone)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]], title: str = "") -> str:
    table = [head, ("---",) * len(head), *rows]
    return (f"### {title}\n\n" if title else "") + "\n".join(f"| {' | '.join(row)} |" for row in table)


def _ids(names: tuple[str, ...]) -> str:
    return ", ".join(names)
