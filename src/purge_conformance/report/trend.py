"""The reports of a folder in the order of their runs: what the trend page plots."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.errors import BadData
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report.facts import JUDGED, read_facts
from purge_conformance.report.json import FILE_NAME
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from purge_conformance.report.facts import ReportFacts

MAX_REPORTS = 1_000  # that are read, the last written ones
MAX_ENTRIES = 100_000  # files and folders that are looked at
MAX_WORDS_CHARS, MAX_URL_CHARS = 60, 200


@dataclass(frozen=True, slots=True)
class Point:
    """One run.

    Attributes:
        path: of its report.json.
        verdict: of the run, also one that only a newer suite gives.
        started_at: when its evidence begins; None if unknown.
        target: base URL; empty if unknown.
        suite_version: of the suite that judged; empty if unknown.
        seconds, requests, purges: what it cost; None if unknown.
        outcomes: id of a requirement -> its outcome.
        failed_musts: how many MUSTs failed.
        newly_failed, newly_passed, newly_not_judged: ids of what changed since the last earlier run that has it.
    """

    path: Path
    verdict: str
    started_at: datetime | None
    target: str
    suite_version: str
    seconds: float | None
    requests: int | None
    purges: int | None
    outcomes: Mapping[str, Outcome]
    failed_musts: int
    newly_failed: tuple[str, ...] = ()
    newly_passed: tuple[str, ...] = ()
    newly_not_judged: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Return how many requirements had an outcome."""
        return sum(each == outcome for each in self.outcomes.values())


@dataclass(frozen=True, slots=True)
class Trend:
    """The reports of a folder.

    Attributes:
        folder: where they were searched.
        points: one per report, the oldest run first; those without a time before all others.
        unreadable: path -> why it is not shown.
        left_out: how many reports were not read since there are too many.
        is_whole: whether the whole folder was searched.
    """

    folder: Path
    points: tuple[Point, ...]
    unreadable: Mapping[Path, str]
    left_out: int = 0
    is_whole: bool = True


def read_trend(folder: Path, read: Callable[[Path], ReportFacts] = read_facts) -> Trend:
    """Read each report.json in a folder and in all folders below it; symbolic links to folders are not followed.

    Args:
        folder: where to search.
        read: reads one report.

    Raises:
        BadData: no report can be read.
    """
    unreadable: dict[Path, str] = {}
    paths, is_whole = _find(folder, unreadable)
    chosen = sorted(paths, key=_written_at)[-MAX_REPORTS:]
    points: list[Point] = []
    for path in chosen:
        try:
            points.append(_point(path, read(path)))
        except BadData as error:
            unreadable[path] = str(error)
    if not points:
        reasons = f" {next(iter(unreadable.values()))}" if unreadable else ""
        raise BadData(f"{folder} has no {FILE_NAME} that can be read. Give a folder of runs.{reasons}")
    points.sort(key=lambda point: (point.started_at or datetime.min.replace(tzinfo=UTC), point.path))
    return Trend(folder, tuple(_with_changes(points)), unreadable, len(paths) - len(chosen), is_whole)


def _find(folder: Path, unreadable: dict[Path, str]) -> tuple[list[Path], bool]:
    """Return the reports below a folder, and whether all of it was searched; add folders that cannot be read."""

    def skip(error: OSError) -> None:
        unreadable[Path(error.filename)] = f"{error.filename}: {error.strerror}. Give the permission to read it."

    found: list[Path] = []
    seen = 0
    for parent, folders, names in os.walk(folder, onerror=skip):
        folders.sort()
        seen += len(folders) + len(names)
        if FILE_NAME in names:
            found.append(Path(parent, FILE_NAME))
        if seen > MAX_ENTRIES:
            return found, False
    return found, True


def _written_at(path: Path) -> tuple[float, Path]:
    try:
        return path.stat().st_mtime, path
    except OSError:
        return 0.0, path


def _point(path: Path, report: ReportFacts) -> Point:
    return Point(
        path,
        one_line(report.verdict, MAX_WORDS_CHARS),
        report.started_at,
        one_line(report.target, MAX_URL_CHARS),
        one_line(report.suite_version, MAX_WORDS_CHARS),
        report.seconds,
        report.requests,
        report.purges,
        {name: row.outcome for name, row in report.requirements.items()},
        report.count(Outcome.FAILED, Level.MUST),
    )


def _with_changes(points: list[Point]) -> Iterator[Point]:
    """Yield each run with what changed since the last earlier run that judged the same requirement."""
    last: dict[str, Outcome] = {}
    for point in points:
        changed = {name: now for name, now in point.outcomes.items() if last.get(name, now) is not now}
        yield replace(
            point,
            newly_failed=tuple(name for name, now in changed.items() if now is Outcome.FAILED),
            newly_passed=tuple(name for name, now in changed.items() if now is Outcome.PASSED),
            newly_not_judged=tuple(name for name, now in changed.items() if now not in JUDGED and last[name] in JUDGED),
        )
        last.update(point.outcomes)
