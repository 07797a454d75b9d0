"""What a report says about a run besides the outcomes: statuses, timings and notes."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.analysis.concurrent_reads import summarize_concurrent_reads
from purge_conformance.analysis.foreign_purges import find_foreign_purges
from purge_conformance.analysis.interference import count_changing_apps
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.retention import describe_deletions
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import notes
from purge_conformance.evidence.ending import REFUSED, describe_kill
from purge_conformance.evidence.steps import Scenario
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.model import StatusCount, Timing
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.evidence.records import Evidence, Exchange

MAX_INTERVALS = 3
CUT_SHORT = {note.name for note in (notes.STOPPED, notes.LOST, notes.INTERRUPTED, notes.CRASHED)}


def count_statuses(exchanges: Iterable[Exchange]) -> tuple[StatusCount, ...]:
    """Return how often each operation answered with each documented status, and with every other that occurred."""
    counts = Counter((find_operation_id(x.method, x.path), x.status) for x in exchanges if x.status is not None)
    rows: list[StatusCount] = []
    for operation, documented in catalogue.documented_statuses().items():
        occurred = {status for name, status in counts if name == operation and status is not None}
        rows += [
            StatusCount(operation, status, status in documented, counts[operation, status])
            for status in sorted(occurred | set(documented))
        ]
    return tuple(rows)


def measure_scenarios(exchanges: Iterable[Exchange]) -> tuple[Timing, ...]:
    """Return the duration of each scenario, its repetitions included, in the order of the run."""
    rounds: dict[tuple[Scenario, int], list[Exchange]] = {}
    for x in exchanges:
        rounds.setdefault((x.scenario, x.round), []).append(x)
    by_scenario: dict[Scenario, list[Sequence[Exchange]]] = {}
    for (scenario, _), group in rounds.items():
        by_scenario.setdefault(scenario, []).append(group)
    return tuple(
        Timing(scenario, round(sum(map(_duration, groups)), 4), sum(map(len, groups)))
        for scenario, groups in by_scenario.items()
    )


def _duration(exchanges: Sequence[Exchange]) -> float:
    seconds = max(x.sent_at + x.elapsed for x in exchanges) - exchanges[0].sent_at
    return max(0.0, seconds)  # the suite's clock may be set back during the run


def run_notes(evidence: Evidence) -> Iterator[str]:
    """Yield what else a reader must know, one sentence each."""
    if killed := describe_kill(evidence):
        yield killed
    yield from (f"{REFUSED}: {reason}" for reason in evidence.noted(notes.REFUSAL))
    if summary := evidence.note(Scenario.ARCHIVE, notes.ARCHIVED):
        is_allowed = bool(evidence.header.settings.get("allow_incomplete_archive"))
        yield from archive.describe(summary, is_allowed=is_allowed)
    yield from archive.describe_additions(evidence)
    yield from _flag_notes(evidence)
    yield from evidence.note(Scenario.PREFLIGHT, notes.WARNINGS) or ()
    yield from _app_notes(evidence)
    if foreign_purges := find_foreign_purges(evidence):
        yield f"Another client purged during the run{_describe_intervals(foreign_purges)}. Run again without it."
    if deletions := describe_deletions(evidence):
        yield deletions
    if concurrent_reads := summarize_concurrent_reads(evidence):
        yield f"During concurrent purges, readers of the list saw: {concurrent_reads}."
    if leftovers := evidence.note(Scenario.CLEANUP, notes.LEFT):
        yield f"Not deleted on the target: {_group_leftovers(leftovers)}. {_deletion_hint(evidence)}"
    yield from dict.fromkeys(evidence.noted(notes.EXPIRED))
    cut_short = [note for note in evidence.notes if note.name in CUT_SHORT]
    for why in dict.fromkeys(note.value for note in cut_short):
        times = Counter(note.scenario for note in cut_short if note.value == why)
        names = [f"{name} ({count} times)" if count > 1 else name for name, count in times.items()]
        yield f"Cut short: {', '.join(names)}. {why}"
    yield from (unusable.reason for unusable in evidence.noted(notes.UNUSABLE))


def _group_leftovers(leftovers: Iterable[str]) -> str:
    """Return what could not be deleted, each reason once."""
    paths_by_reason: dict[str, list[str]] = {}
    for path, _, reason in (each.partition(" (") for each in leftovers):
        paths_by_reason.setdefault(reason, []).append(path)
    return "; ".join(f"{', '.join(paths)}{reason and ' ('}{reason}" for reason, paths in paths_by_reason.items())


def _describe_intervals(intervals: Sequence[tuple[int, int]]) -> str:
    """Return between which exchanges something happened, and how often at least."""
    shown = [f"{first} and {last}" for first, last in intervals[:MAX_INTERVALS]]
    if len(intervals) == 1:
        return f", between exchanges {shown[0]}"
    more = f", and {len(intervals) - len(shown)} more times" if len(intervals) > len(shown) else ""
    return f" at least {len(intervals)} times, between exchanges {'; '.join(shown)}{more}"


def _flag_notes(evidence: Evidence) -> Iterator[str]:
    """Yield which flags made the run do what another run would have refused, or more than others do."""
    if evidence.header.settings.get("alongside"):
        yield "--alongside was given: another run of the suite may have purged or changed apps during this one."
    if evidence.header.settings.get("before_purge"):
        is_sent = any(is_purge(x.method, x.path) and x.role == ADMIN for x in evidence.exchanges)
        ending = "exited with 0 before the first purge" if is_sent else "was given, and no purge was sent"
        yield f"The command of --before-purge {ending}."


def _app_notes(evidence: Evidence) -> Iterator[str]:
    is_observing = evidence.header.settings.get("apps") == Mode.OBSERVE
    if error := evidence.note(Scenario.FOUNDATION, notes.APPS_ERROR):
        yield f"The suite created no app: {error}" if is_observing else f"The suite could not use its own apps: {error}"
    if home_space := evidence.note(Scenario.FOUNDATION, notes.HOME_SPACE):
        yield home_space if home_space.endswith(".") else f"{home_space}."
    apps, changing = count_changing_apps(evidence)
    if changing or (apps and is_observing):
        yield (
            f"The target has {pluralize(apps, 'app')} that the suite did not create; {changing} of them changed during "
            "the run. Only those that did not change are judged."
        )


def _deletion_hint(evidence: Evidence) -> str:
    """Return how to delete what a run left on the target."""
    if evidence.header.settings.get("apps") == Mode.HOOK:
        return "Delete them with the hook's own means."
    run = evidence.note(Scenario.CLEANUP, notes.RUN)
    words = ["purge-conformance", "cleanup", evidence.header.target, *(["--run", run] if run else [])]
    return f"To delete them: {shlex.join(words)}"
