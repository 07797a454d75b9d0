"""summary.md: the run on one page, small enough for `$GITHUB_STEP_SUMMARY` (at most 1 MiB)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import one_line, visible
from purge_conformance.report.gate_text import describe_consequences, describe_known_failure
from purge_conformance.report.grouping import (
    by_reason,
    by_steps,
    compact_ids,
    count_defects,
    defects_of,
    distinct_findings,
    levels_of,
)
from purge_conformance.report.headline import headline, verdict_title
from purge_conformance.report.model import Verdict
from purge_conformance.report.scripts import file_name, script_of
from purge_conformance.report.text import (
    describe_cases,
    effort,
    failed_results,
    rate,
    rates,
    results_not_judged,
    tally,
)

if TYPE_CHECKING:
    from purge_conformance.report.model import Finding, Result, Run

FILE_NAME = "summary.md"
MAX_FAILURES = 20
MAX_FINDINGS = 3
MAX_CELL_CHARS = 300
MAX_CURL_CHARS = 8_000
MARKS = {
    Verdict.CONFORMANT: "✅",
    Verdict.EXCEPT_KNOWN: "☑️",
    Verdict.NON_CONFORMANT: "❌",
    Verdict.INCONCLUSIVE: "⚠️",
    Verdict.PARTIAL: "◐",
}

_CODE = re.compile(r"`([^`]{1,200})`")
_MENTION = re.compile(r"(?<![A-Za-z0-9_])@(?=[A-Za-z0-9])")
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&@#$]|:(?=//)|(?<=www)\.")


def render(run: Run) -> str:
    """Return the run as GitHub-flavoured Markdown; text of the target is never interpreted as Markdown."""
    parts = [_head(run), *_gate(run), *_defects(run), _counts(run), *_failures(run), *_not_judged(run), *_cases(run)]
    if rate_groups := rates(run):
        rows = [["Rate", "Requirements"], ["---"] * 2]
        parts += [
            "## Failure rates of requirements that passed",
            table([*rows, *([text, escape(", ".join(ids))] for text, ids in rate_groups.items())]),
        ]
    if run.notes:
        parts.append("\n".join(["## Notes", "", *(f"- {escape(note)}" for note in run.notes)]))
    parts.append("`report.html`, in the same folder, has the details.")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Return the text on one line, so that Markdown shows each of its characters and interprets none.

    GitHub finds mentions of users in what Markdown shows, so that a space has to break them.
    """
    return _escape_line(one_line(text))


def _escape_line(line: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", _MENTION.sub("@ ", line))


def prose(text: str) -> str:
    """Return a sentence of the specification, which marks code as Markdown does; all else in it is escaped."""
    parts = _CODE.split(one_line(text))
    return "".join(f"`{part}`" if n % 2 else _escape_line(part) for n, part in enumerate(parts))


def fence(text: str, language: str = "") -> str:
    """Return the text as a block of code; its hidden characters are escapes."""
    mark = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{mark}{language}\n{visible(text).rstrip()}\n{mark}"


def table(rows: list[list[str]]) -> str:
    """Return the rows as a table, the header and the line below it first."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _head(run: Run) -> str:
    return (
        f"# {MARKS[run.verdict]} {verdict_title(run)}\n\n"
        f"**{escape(headline(run))}**\n\n"
        f"Target {escape(run.target)}, judged by purge-conformance {escape(run.suite_version)}, "
        f"spec {escape(run.spec_version)}, "
        f"at {escape(run.started_at)} with {effort(run)}."
    )


def _counts(run: Run) -> str:
    rows = [["Outcome", *Level], ["---", *("--:" for _ in Level)]]
    rows += [[outcome, *(str(levels[level]) for level in Level)] for outcome, levels in tally(run)]
    return table(rows)


def _gate(run: Run) -> list[str]:
    """Return the promises that were broken, the known failures, and what could not be checked."""
    if not run.gate:
        return []
    lines = [f"- **{breach.kind.capitalize()}**: {escape(breach.sentence)}" for breach in run.gate.breaches]
    for known in run.gate.known_failures:
        text = f"- {escape(', '.join(known.requirements))}: {escape(describe_known_failure(known))}"
        lines.append(text + (f" {escape(describe_consequences(known))}" if known.consequences else ""))
    lines += [f"- Not checked: {escape(each.sentence)}" for each in run.gate.not_checked]
    return [f"## Gate {run.gate.status}", "\n".join(lines)] if lines else [f"## Gate {run.gate.status}"]


def _defects(run: Run) -> list[str]:
    """Return the defects as a table; the failures below have their details."""
    views = defects_of(run)
    if not views:
        return []
    rows = [["Defect", "Sent", "Got", "Requirements"], ["---"] * 4]
    for view in views[:MAX_FAILURES]:
        sent, got = (escape(one_line(text, MAX_CELL_CHARS)) for text in (view.defect.sent, view.defect.got))
        rows.append([str(view.number), f"{sent}{view.others}", got, escape(view.ids)])
    rest = [f"And {len(views) - MAX_FAILURES} more."] if len(views) > MAX_FAILURES else []
    return [f"## {count_defects(run)}", table(rows), *rest]


def _failures(run: Run) -> list[str]:
    results = failed_results(run)
    if not results:
        return []
    parts = ["## Failed", *(_failure(result) for result in results[:MAX_FAILURES])]
    if rest := results[MAX_FAILURES:]:
        parts.append(f"And {len(rest)} more: {', '.join(escape(r.id) for r in rest)}.")
    return parts


def _failure(result: Result) -> str:
    advice = "" if result.level is Level.MUST else ", does not affect the verdict"
    parts = [f"### {escape(result.id)} ({result.level}{advice})", prose(result.statement)]
    findings = distinct_findings(result.findings)[:MAX_FINDINGS]
    for same_steps in by_steps(findings):
        parts += [*map(_finding, same_steps), *_reproduce(same_steps[0])]
    if (more := max(len(result.findings), result.finding_count) - len(findings)) > 0:
        parts.append(f"{more} more of the same kind.")
    parts += [f"To show it again: `sh {file_name(result)}`."] if script_of(result) else []
    parts += [f"{rate(result)}."] if rate(result) else []
    parts.append(f"Cause: {result.cause}. Remedy: {prose(result.requirement.remedy)}")
    return "\n\n".join(parts)


def _finding(finding: Finding) -> str:
    text = f"- **Expected** {escape(finding.expected)}\n- **Got** {escape(finding.got)}"
    if finding.passing_exchange is not None:
        text += f"\n- **Passed** the same check: exchange {finding.passing_exchange}"
    return text


def _reproduce(finding: Finding) -> list[str]:
    return [fence(finding.curl, "sh")] if finding.curl and len(finding.curl) <= MAX_CURL_CHARS else []


def _not_judged(run: Run) -> list[str]:
    if not (results := results_not_judged(run)):
        return []
    rows = [["Requirements", "Outcome", "Reason and next step", "Cause"], ["---"] * 4]
    for group in by_reason(results):
        first = group[0]
        step = f" **Next step:** {escape(first.next_step)}" if first.next_step else ""
        ids = f"{escape(compact_ids(group))} ({levels_of(group)})"
        rows.append([ids, first.outcome, escape(first.reason) + step, str(first.cause or "")])
    return ["## Not judged", table(rows)]


def _cases(run: Run) -> list[str]:
    rows = [[escape(r.id), escape(describe_cases(r))] for r in run.requirements if describe_cases(r)]
    if not rows:
        return []
    cells = table([["Requirement", "Cases"], ["---"] * 2, *rows])
    return [f"<details><summary>What was judged of each requirement</summary>\n\n{cells}\n\n</details>"]
