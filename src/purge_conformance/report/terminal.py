"""The last lines on the terminal: failures, requirements that were not judged, the verdict, and where the reports are.

They can be read without colours, and no text of a target can control the terminal or the CI system that logs them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import one_line, printable
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.difference import describe_difference, find_difference
from purge_conformance.report.gate_text import describe_consequences, describe_known_failure
from purge_conformance.report.grouping import (
    by_next_step,
    by_reason,
    by_steps,
    compact_ids,
    count_defects,
    defects_of,
    distinct_findings,
    levels_of,
)
from purge_conformance.report.headline import verdict_sentence
from purge_conformance.report.model import Cause, Outcome, Verdict, is_undecided
from purge_conformance.report.scripts import file_name
from purge_conformance.report.text import effort, rate, rates, results_not_judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rich.console import Console

    from purge_conformance.report.difference import Piece
    from purge_conformance.report.gate import Gate
    from purge_conformance.report.grouping import DefectView
    from purge_conformance.report.model import Finding, Result, Run

MAX_FINDINGS = 3
MAX_SUMMARY, MAX_SUMMARY_CHARS = 8, 150  # defects in the summary, and characters of each
MIN_SAME_CHARS = 80  # by which the answer of a defect is found again in the text of a finding
GUID = re.compile(r"\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")  # the summary has its beginning
NAMED_APP = re.compile(r"(?P<name>.+?) \((?P<guid>[^\s()]+)\): ")  # how what is known of an app begins
LABEL_WIDTH = 12
COMMAND_LABEL = "  reproduce "
REASON_INDENT = "    "  # before the requirements of a next step
MAX_REASONS = 6  # of one next step; report.html has all
MAX_CURL_CHARS = 2_000
STYLES = {
    Verdict.CONFORMANT: "bold green",
    Verdict.EXCEPT_KNOWN: "bold cyan",
    Verdict.NON_CONFORMANT: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.PARTIAL: "bold cyan",
}


def show(run: Run, out: Path | None, console: Console, write_line: Callable[[Text, Console], None]) -> None:
    """Print the last lines: with colours and wrapped on a terminal, otherwise each on one line."""
    for line in lines(run, out):
        for part in _wrap(line, console):
            write_line(part, console)


def _wrap(line: Text, console: Console) -> list[Text]:
    """Return the line in parts that fit on the terminal; a command stays on one line, so that it can be copied."""
    is_command = line.plain.startswith(COMMAND_LABEL)
    if not console.file.isatty() or len(line) <= console.width or is_command:
        return [line]
    is_reason, is_field = line.plain.startswith(REASON_INDENT), line.plain.startswith("  ")
    indent = f"{REASON_INDENT}  " if is_reason else " " * (LABEL_WIDTH if is_field else 2)
    first = line.wrap(console, console.width)[0]
    rest = Text(line.plain[len(first) :].lstrip())
    return [first, *(Text.assemble(indent, part) for part in rest.wrap(console, console.width - len(indent)))]


def lines(run: Run, out: Path | None) -> list[Text]:
    """Return the last lines; `.plain` is each without its style.

    Args:
        run: what was judged.
        out: folder of the reports, or None where none were written.
    """
    output: list[Text] = []
    defects = defects_of(run)
    output += [Text(count_defects(run)), Text()] if defects else []
    for view in defects:
        output += [] if view.is_known else _defect(view, len(defects))
    for results in by_reason(_without_next_step(run)):
        output += [*_not_judged(results), Text()]
    output += _gate(run.gate) if run.gate else []
    output += [_field("note", note) for note in run.notes]
    output += [_field("rate", f"{text}: {', '.join(ids)}") for text, ids in rates(run).items()]
    output += [Text()] if output and output[-1].plain else []
    output += _summary(defects)
    output += _next_steps(run)
    counts = ", ".join(f"{number} {outcome}" for outcome, number in run.counts().items() if number)
    output.append(Text(f"{pluralize(len(run.requirements), 'requirement')}: {counts or 'none judged'}"))
    output.append(Text(f"{effort(run)}, target {_sanitize(run.target)}"))
    style = "bold red" if run.breaches else STYLES[run.verdict]
    output.append(Text(f"Verdict: {_sanitize(verdict_sentence(run))}", style))
    if out is not None:
        output.append(Text(f"Reports: {_sanitize(str(out / 'report.html'))}, report.json, junit.xml, summary.md"))
    return output


def _summary(views: list[DefectView]) -> list[Text]:
    """Return one line for each defect that is not known, with the requirements that fail because of it."""
    rows = [view for view in views if not view.is_known]
    if not rows:
        return []
    output = [Text(pluralize(len(rows), "DEFECT") if len(rows) == 1 else f"{len(rows)} DEFECTS", "bold")]
    output += [_field(str(view.number), _in_short(view)) for view in rows[:MAX_SUMMARY]]
    if (more := len(rows) - MAX_SUMMARY) > 0:
        output.append(_field("and", f"{more} more, see report.html"))
    return [*output, Text()]


def _in_short(view: DefectView) -> str:
    """Return the requirements of a defect and what the target did, in a line or two of a terminal."""
    sent = view.defect.sent.replace(f"POST {PURGE_PATH}", "a purge")
    finding = view.finding
    text = (
        f"{sent} got {view.defect.got}" if len(view.results) > 1 else f"expected {finding.expected}, got {finding.got}"
    )
    for app in filter(None, map(NAMED_APP.match, finding.apps)):
        text = text.replace(app["guid"], app["name"])
    text = GUID.sub(r"\1…", text)
    line = " ".join(f"{view.ids}: {text}".split())
    return line if len(line) <= MAX_SUMMARY_CHARS else f"{line[:MAX_SUMMARY_CHARS].rpartition(' ')[0]} …"


def _gate(gate: Gate) -> list[Text]:
    """Return the known failures, what could not be checked, and which promises were broken."""
    output: list[Text] = []
    for known in gate.known_failures:
        output.append(Text.assemble(("KNOWN", "bold cyan"), f" {_sanitize(', '.join(known.requirements))}"))
        output.append(_field("as", describe_known_failure(known)))
        output += [_field("with it", describe_consequences(known))] if known.consequences else []
    output += [_field("unchecked", each.sentence) for each in gate.not_checked]
    for breach in gate.breaches:
        output.append(Text.assemble(("GATE BROKEN", "bold red"), f" {_sanitize(breach.test_case)} ({breach.kind})"))
        output.append(_field("why", breach.sentence))
    return [*output, Text()] if output else []


def _without_next_step(run: Run) -> list[Result]:
    """Return the results that need an explanation, and that no next step can have judged."""
    names = {result.id for group in by_next_step(run).values() for result in group}
    names |= {*run.excused}
    return [result for result in results_not_judged(run) if _needs_explanation(result) and result.id not in names]


def _needs_explanation(result: Result) -> bool:
    return is_undecided(result) or result.outcome is Outcome.INCONCLUSIVE


def _defect(view: DefectView, total: int) -> list[Text]:
    """Return a defect: what was sent and what came, then each requirement that fails because of it."""
    title = f" {view.number} of {total}, {pluralize(len(view.results), 'requirement')}: {_sanitize(view.ids)}"
    output = [Text.assemble(("DEFECT", "bold red" if view.is_binding else "bold yellow"), title)]
    output += [_field("sent", f"{view.defect.sent}{view.others}")] if view.defect.sent else []
    output += [_field("like", _describe_fault(view.defect.behaves_like))] if view.defect.behaves_like else []
    if len(view.results) == 1:
        return [*output, *_failure(*view.results[0]), Text()]
    shown_by = next(result for result, findings in view.results if view.finding in findings)
    output += [_field("got", view.defect.got), *_reproduce(view.finding, shown_by), _field("cause", Cause.TARGET)]
    for result, findings in view.results:
        output += _failure_of_defect(result, findings[0], view.defect.got)
    return [*output, Text()]


def _describe_fault(name: str) -> str:
    return f"behaves like {name}, a fault of the reference server (`purge-conformance explain {name}`)"


def _failure_of_defect(result: Result, finding: Finding, got: str) -> list[Text]:
    """Return a requirement that fails with others; `got` is what was said of all of them."""
    own, _, _ = finding.got.partition(got[:MIN_SAME_CHARS])
    output = [_failure_title(result), _field("expected", finding.expected)]
    output += [_field("got", own.rstrip(": "))] if own else []
    output += [_field("rate", rate(result))] if rate(result) else []
    return [*output, _field("remedy", result.requirement.remedy)]


def _failure(result: Result, all_findings: tuple[Finding, ...]) -> list[Text]:
    """Return a requirement that fails alone."""
    output = [_failure_title(result)]
    distinct = distinct_findings(all_findings)[:MAX_FINDINGS]
    described: set[str] = set()
    for same_steps in by_steps(distinct):
        for n, finding in enumerate(same_steps):
            is_same = n > 0 and finding.expected == same_steps[n - 1].expected
            output += _pair(finding)[1 if is_same else 0 :]
            output += [_field("app", app) for app in finding.apps if app not in described]
            described.update(finding.apps)
            passed = finding.passing_exchange
            output += [_field("passed", f"the same check passed in exchange {passed}")] if passed else []
        output += [_label_line("" if n else "picture", printable(line)) for n, line in enumerate(same_steps[0].picture)]
        output += _reproduce(same_steps[0], result)
    not_listed = max(0, result.finding_count - len(result.findings))
    if more := len(all_findings) - len(distinct) + not_listed:
        output.append(_field("and", f"{more} more of the same kind, see report.html"))
    output += [_field("rate", rate(result))] if rate(result) else []
    output.append(_field("cause", result.cause or ""))
    output.append(_field("remedy", result.requirement.remedy))
    return output


def _pair(finding: Finding) -> list[Text]:
    """Return what is expected and what was got; where both say the same kind of thing also what differs, which is bold.

    The line of what differs has signs, for a reader without colours.
    """
    if len(finding.expected) + len(finding.got) > MAX_CURL_CHARS:
        return [_field("expected", finding.expected), _field("got", finding.got)]
    texts = [" ".join(text.split()) for text in (finding.expected, finding.got)]
    difference = find_difference(*texts)
    if difference is None:
        return [_field("expected", finding.expected), _field("got", finding.got)]
    lines = [_label_line(name, _mark(pieces)) for name, pieces in zip(("expected", "got"), difference, strict=True)]
    return [*lines, _field("differs", describe_difference(*texts))]


def _mark(pieces: Iterable[Piece]) -> Text:
    return Text.assemble(*((printable(piece.text), "bold" if piece.differs else "") for piece in pieces))


def _failure_title(result: Result) -> Text:
    return _title("FAILED", result, "bold red" if result.level is Level.MUST else "bold yellow")


def _reproduce(finding: Finding, result: Result | None = None) -> list[Text]:
    """Return how to show it again, ready to be copied: the file of a script of the result, or one command."""
    if result and finding.script:
        return [_label_line("reproduce", f"sh {file_name(result)}")]
    lines = (finding.curl or "").splitlines()
    if not lines:
        return []
    too_long = sum(map(len, lines)) > MAX_CURL_CHARS
    if too_long or len(lines) > 1 or any(line.lstrip().startswith("::") for line in lines):
        return [_field("reproduce", f"too long for a terminal: see exchange {finding.exchange} in report.html")]
    return [_label_line("reproduce", printable(line)) for line in lines]


def _not_judged(results: list[Result]) -> list[Text]:
    """Return why requirements were not judged: one with its statement, several with the same reason by their ids."""
    first = results[0]
    output = [_title(first.outcome.upper(), first, "bold yellow")]
    if len(results) > 1:
        words = f" {len(results)} requirements ({levels_of(results)}): {_sanitize(compact_ids(results))}"
        output = [Text.assemble(("NOT JUDGED", "bold yellow"), words)]
    output.append(_field("reason", first.reason))
    return [*output, _field("next step", first.next_step)] if first.next_step else output


def _next_steps(run: Run) -> list[Text]:
    """Return what lets a further run judge the rest: each step once, and below it why it is needed."""
    groups = {step: [r for r in group if r.id not in run.excused] for step, group in by_next_step(run).items()}
    groups = {step: group for step, group in groups.items() if group}
    if not groups:
        return []
    results = [result for group in groups.values() for result in group]
    words = f" to judge {pluralize(len(results), 'more requirement')}"
    if undecided := sum(map(is_undecided, results)):
        number = "" if len(results) == 1 else f"{undecided} of "
        words += f", {number}which keep{'s' if undecided == 1 else ''} the verdict open"
    output = [Text.assemble(("NEXT STEPS", "bold"), words)]
    for step, group in groups.items():
        output += [Text.assemble("- ", (_sanitize(step), "bold")), *_reasons(group)]
    return [*output, Text()]


def _reasons(group: list[Result]) -> list[Text]:
    """Return why requirements with the same next step were not judged; of many reasons, the first ones."""
    explained = [results for results in by_reason(group) if any(map(_needs_explanation, results))]
    shown, more = explained[:MAX_REASONS], [result for results in explained[MAX_REASONS:] for result in results]
    lines = [f"{compact_ids(results)} ({levels_of(results)}): {results[0].reason}" for results in shown]
    lines += [f"{compact_ids(more)} ({levels_of(more)}): see the reasons in report.html"] if more else []
    names = {result.id for results in explained for result in results}
    others = [result for result in group if result.id not in names]
    lines += [f"{compact_ids(others)} ({levels_of(others)})"] if others else []
    return [Text(f"{REASON_INDENT}{_sanitize(line)}") for line in lines]


def _title(word: str, result: Result, style: str) -> Text:
    return Text.assemble((word, style), f" {_sanitize(result.id)} ({result.level}): {_sanitize(result.statement)}")


def _field(name: str, value: str) -> Text:
    return _label_line(name, _sanitize(value))


def _label_line(name: str, value: str | Text) -> Text:
    return Text.assemble((f"  {name:<10}", "dim"), value)


def _sanitize(text: str) -> str:
    return printable(one_line(text, MAX_CURL_CHARS))
