"""Annotations of a GitHub job: workflow commands, one a line, which the runner reads from standard output.

GitHub shows ten errors, ten warnings and ten notices of a step; where there are more, the last one says how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import one_line, printable
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.gate_text import excuse_of
from purge_conformance.report.grouping import by_reason, compact_ids
from purge_conformance.report.junit import errors_of_run
from purge_conformance.report.model import is_undecided
from purge_conformance.report.text import failed_results, failure_sentence, results_not_judged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.report.model import Result, Run

    Annotation = tuple[str, str]  # title, message

MAX_SHOWN = 10  # of one command, per step
COMMANDS = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "notice"}
EXCUSED = "notice"
MESSAGE_CHARS = 2_000
# What ends a line, a property or a command; the percent sign comes first, as it begins each escape.
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def lines(run: Run) -> list[str]:
    """Return a workflow command for each failed requirement, each reason that keeps the verdict open, and the gate."""
    annotations: dict[str, list[Annotation]] = {command: [] for command in COMMANDS.values()}
    for result in failed_results(run):
        excuse = excuse_of(run, result.id)
        title = f"{result.id} ({result.level}) failed{', as known' if excuse else ''}"
        annotations[EXCUSED if excuse else COMMANDS[result.level]].append((title, f"{excuse} {_failure(result)}"))
    annotations["error"] += _open(run)
    return [_command(name, *each) for name, found in annotations.items() for each in _shown(found)]


def render(run: Run) -> str:
    """Return the lines as the text of a file."""
    return "".join(f"{line}\n" for line in lines(run))


def _failure(result: Result) -> str:
    return f"{result.statement} {failure_sentence(result)} {result.requirement.remedy}"


def _open(run: Run) -> Iterator[Annotation]:
    open_ones = (r for r in results_not_judged(run) if is_undecided(r) and r.id not in run.excused)
    for group in by_reason(open_ones):
        yield f"{compact_ids(group)}: {group[0].outcome}", f"{group[0].reason} {group[0].next_step}"
    yield from errors_of_run(run, run.requirements).items()


def _shown(found: list[Annotation]) -> list[Annotation]:
    if len(found) <= MAX_SHOWN:
        return found
    rest = len(found) - MAX_SHOWN + 1
    return [*found[: MAX_SHOWN - 1], (f"{pluralize(rest, 'more annotation')}", "The reports of the run have them all.")]


def _command(name: str, title: str, message: str) -> str:
    """Return one workflow command; no text in it ends it or begins another one, also on older runners."""
    title, message = (printable(one_line(text, MESSAGE_CHARS)) for text in (title, message))
    return f"::{name} title={_escape(title, _PROPERTY)}::{_escape(message, _DATA)}"


def _escape(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
