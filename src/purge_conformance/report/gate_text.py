"""The words for known failures and for a broken gate, the same in every report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.config.known_failures import EntryKind
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.gate import BreachKind

if TYPE_CHECKING:
    from purge_conformance.report.gate import KnownFailure
    from purge_conformance.report.model import Run

NOUNS = {
    EntryKind.FAILURE: "known failure",
    EntryKind.FLAKY: "known flaky failure",
    EntryKind.NOT_JUDGED: "known gap in what is judged",
}
PLURALS = {BreachKind.MISMATCH: "mismatches", BreachKind.REGRESSION: "regressions"}


def count_known_failures(run: Run) -> str:
    """Return for example `2 known failures and 1 known flaky failure`; empty without any."""
    counts = Counter(each.kind for each in run.gate.known_failures) if run.gate else Counter[EntryKind]()
    parts = [pluralize(counts[kind], noun) for kind, noun in NOUNS.items() if counts[kind]]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def gate_sentence(run: Run) -> str:
    """Return how the gate is broken, for example `Gate broken: 1 stale, 2 expired.`; empty if it is not."""
    counts = Counter(breach.kind for breach in run.breaches)
    parts = (f"{number} {PLURALS.get(kind, kind) if number > 1 else kind}" for kind, number in counts.items())
    return f"Gate broken: {', '.join(parts)}." if counts else ""


def describe_excuse(known: KnownFailure, requirement: str) -> str:
    """Return why a requirement that did not pass is excused."""
    if requirement not in known.consequences:
        return describe_known_failure(known)
    return f"Not judged because of the known failure of {', '.join(known.requirements)} (owner {known.owner})."


def excuse_of(run: Run, requirement: str) -> str:
    """Return why a requirement of a run that did not pass is excused; empty if it is not."""
    known = run.gate.excuses.get(requirement) if run.gate else None
    return describe_excuse(known, requirement) if known else ""


def describe_known_failure(known: KnownFailure) -> str:
    """Return who takes care of a known failure, until when it is excused, and why."""
    noun = NOUNS[known.kind]
    link = f", {known.link}" if known.link else ""
    return f"{noun[:1].upper()}{noun[1:]} (owner {known.owner}, until {known.expires}{link}): {known.reason}"


def describe_consequences(known: KnownFailure) -> str:
    """Return what was not judged because of a known failure; empty if all was."""
    ids = ", ".join(known.consequences)
    return f"Not judged because of it: {ids}." if ids else ""
