"""summary.md: the run on one page, fit for `$GITHUB_STEP_SUMMARY` (which takes 1 MiB)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.report.model import Verdict
from purge_conformance.report.text import (
    cure,
    effort,
    failed,
    headline,
    not_judged,
    one_line,
    rate,
    rates,
    tally,
    visible,
)

if TYPE_CHECKING:
    from purge_conformance.report.model import Finding, Result, Run

FILE_NAME = "summary.md"
MOST_FAILURES = 20
MOST_FINDINGS = 3
MOST_CURL = 8_000  # also of a script
MARKS = {Verdict.CONFORMANT: "✅", Verdict.NON_CONFORMANT: "❌", Verdict.INCONCLUSIVE: "⚠️"}

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&@#$]|:(?=//)|(?<=www)\.")


def render(run: Run) -> str:
    """Return the run as GitHub-flavoured Markdown; text of the target is shown as it is, never obeyed."""
    parts = [_head(run), _counts(run), *_failures(run), *_idle(run)]
    if found := rates(run):
        rows = [["Failed", "Requirements"], ["---"] * 2]
        parts += [
            "## Rates of what passed",
            _table([*rows, *([text, escaped(", ".join(ids))] for text, ids in found.items())]),
        ]
    if run.notes:
        parts.append("\n".join(["## Notes", "", *(f"- {escaped(note)}" for note in run.notes)]))
    parts.append("The whole story is in `report.html`, beside this file.")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return the text on one line, so that Markdown shows each of its characters and obeys none."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text))


def _head(run: Run) -> str:
    return (
        f"# {MARKS[run.verdict]} {str(run.verdict).capitalize()}\n\n"
        f"**{escaped(headline(run))}**\n\n"
        f"Target {escaped(run.target)}, judged by purge-conformance {escaped(run.suite)}, "
        f"spec {escaped(run.spec_version)}, "
        f"at {escaped(run.started_at)} with {effort(run)}."
    )


def _counts(run: Run) -> str:
    rows = [["Outcome", *Level], ["---", *("--:" for _ in Level)]]
    rows += [[outcome, *(str(levels[level]) for level in Level)] for outcome, levels in tally(run)]
    return _table(rows)


def _failures(run: Run) -> list[str]:
    results = failed(run)
    if not results:
        return []
    parts = ["## Failed", *(_failure(result) for result in results[:MOST_FAILURES])]
    if rest := results[MOST_FAILURES:]:
        parts.append(f"And {len(rest)} more: {', '.join(escaped(r.id) for r in rest)}.")
    return parts


def _failure(result: Result) -> str:
    advice = "" if result.level is Level.MUST else ", does not decide the verdict"
    parts = [f"### {escaped(result.id)} ({result.level}{advice})", escaped(result.statement)]
    parts += [_finding(finding) for finding in result.findings[:MOST_FINDINGS]]
    if (more := len(result.findings) - MOST_FINDINGS) > 0:
        parts.append(f"{more} more of the kind.")
    parts += [f"{rate(result)}."] if rate(result) else []
    parts.append(f"Blame: {result.blame}. Remedy: {escaped(result.remedy)}")
    return "\n\n".join(parts)


def _finding(finding: Finding) -> str:
    text = f"- **Expected** {escaped(finding.expected)}\n- **Got** {escaped(finding.got)}"
    if finding.passing is not None:
        text += f"\n- **Passed** another time: exchange {finding.passing}"
    again = finding.script or finding.curl
    if again and len(again) <= MOST_CURL:
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", again)), 3)
        text += f"\n\n{fence}sh\n{visible(again).rstrip()}\n{fence}"
    return text


def _idle(run: Run) -> list[str]:
    if not (results := not_judged(run)):
        return []
    rows = [["Requirement", "Level", "Outcome", "Why, and what to do", "Blame"], ["---"] * 5]
    for r in results:
        why = " ".join(filter(None, [escaped(r.reason), escaped(cure(r))]))
        rows.append([escaped(r.id), r.level, r.outcome, why, str(r.blame or "")])
    return ["## Not judged", _table(rows)]


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
