"""The last lines on the terminal: what failed, what was not judged, the verdict, where the reports are.

They read well without colours, and nothing that a target sent can steer the terminal or the CI system that logs them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from purge_conformance.catalogue.model import Level
from purge_conformance.report.model import Outcome, Verdict, is_undecided
from purge_conformance.report.text import (
    effort,
    failed_results,
    headline,
    next_step,
    one_line,
    pluralize,
    rate,
    rates,
    results_not_judged,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from purge_conformance.report.model import Finding, Result, Run

MAX_FINDINGS = 3
MAX_CURL_CHARS = 2_000
MAX_SCRIPT_CHARS = 8_000
STYLES = {Verdict.CONFORMANT: "bold green", Verdict.NON_CONFORMANT: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}

# Azure Pipelines, TeamCity and old GitHub runners obey `##name[...]` anywhere in a line of a log. `::name::` is obeyed
# at a line's start alone, where no text of a target ever stands.
_LOG_COMMAND = re.compile(r"##(?=\w*\[)")


def show(run: Run, out: Path | None, console: Console) -> None:
    """Print the last lines, with colours where the console is a terminal, and one line a line."""
    for line in lines(run, out):
        codec = console.encoding
        line.plain = line.plain.encode(codec, "backslashreplace").decode(codec)
        console.print(line, soft_wrap=True, highlight=False)


def lines(run: Run, out: Path | None) -> list[Text]:
    """Return the last lines; `.plain` is each without its style.

    Args:
        run: what was judged.
        out: folder of the reports, or None where none were written.
    """
    output: list[Text] = []
    for result in failed_results(run):
        output += [*_failure(result), Text()]
    for reason, results in _by_reason(filter(_needs_explanation, results_not_judged(run))).items():
        output += [*_not_judged(reason, results), Text()]
    output += [_field("note", note) for note in run.notes]
    output += [_field("rate", f"{text}: {', '.join(ids)}") for text, ids in rates(run).items()]
    counts = ", ".join(f"{number} {outcome}" for outcome, number in run.counts().items() if number)
    output.append(Text(f"{pluralize(len(run.requirements), 'requirement')}: {counts or 'none judged'}"))
    output.append(Text(f"{effort(run)}, against {_sanitize(run.target)}"))
    output.append(Text(f"Verdict: {run.verdict}. {headline(run)}", STYLES[run.verdict]))
    if out is not None:
        output.append(
            Text(f"Reports: {_sanitize(str(out / 'report.html'))}, and beside it report.json, junit.xml, summary.md")
        )
    return output


def _needs_explanation(result: Result) -> bool:
    return is_undecided(result) or result.outcome is Outcome.INCONCLUSIVE


def _failure(result: Result) -> list[Text]:
    binding = result.level is Level.MUST
    output = [_title("FAILED", result, "bold red" if binding else "bold yellow")]
    for finding in result.findings[:MAX_FINDINGS]:
        output += [_field("expected", finding.expected), _field("got", finding.got)]
        output += _reproduce(finding)
        output += [_field("passed", f"another time: exchange {finding.passing}")] if finding.passing else []
    if (more := len(result.findings) - MAX_FINDINGS) > 0:
        output.append(_field("and", f"{more} more of the kind"))
    output += [_field("rate", rate(result))] if rate(result) else []
    output.append(_field("blame", result.cause or ""))
    output.append(_field("remedy", result.remedy))
    return output


def _reproduce(finding: Finding) -> list[Text]:
    """Return how to send it again, ready to be copied: one line, or those of a script."""
    lines = (finding.script or finding.curl or "").splitlines()
    if not lines:
        return []
    too_long = sum(map(len, lines)) > (MAX_SCRIPT_CHARS if finding.script else MAX_CURL_CHARS)
    if too_long or (len(lines) > 1 and not finding.script) or any(line.lstrip().startswith("::") for line in lines):
        return [_field("again", f"the curl line is too long for here: see exchange {finding.exchange} in report.html")]
    return [_label_line("" if n else "again", _LOG_COMMAND.sub("# #", visible(line))) for n, line in enumerate(lines)]


def _by_reason(results: Iterable[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.reason, []).append(result)
    return groups


def _not_judged(reason: str, results: list[Result]) -> list[Text]:
    """Tell why requirements were not judged: one with its sentence, several with one reason by their ids."""
    first = results[0]
    output = [_title(first.outcome.upper(), first, "bold yellow")]
    if len(results) > 1:
        ids = ", ".join(result.id for result in results)
        output = [Text.assemble(("NOT JUDGED", "bold yellow"), f" {len(results)} requirements: {_sanitize(ids)}")]
    output.append(_field("because", reason))
    return [*output, _field("cure", next_step(first))] if next_step(first) else output


def _title(word: str, result: Result, style: str) -> Text:
    return Text.assemble((word, style), f" {_sanitize(result.id)} ({result.level}): {_sanitize(result.statement)}")


def _field(name: str, value: str) -> Text:
    return _label_line(name, _sanitize(value))


def _label_line(name: str, value: str) -> Text:
    return Text.assemble((f"  {name:<9}", "dim"), value)


def _sanitize(text: str) -> str:
    return _LOG_COMMAND.sub("# #", one_line(text, MAX_CURL_CHARS))
