"""The report of a fleet: what came of the run of each target, as fleet.json and as a table for the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import visible_json
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

FILE_NAME = "fleet.json"
SCHEMA = 1
CODE_PRECEDENCE = (0, 2, 3, 1)  # the exit code of a fleet is that of its worst target, the last of these
GROUPS = {1: "failed", 3: "inconclusive", 2: "refused", 0: "passed"}  # exit code -> what to call such targets
WITHOUT_VERDICT = {2: "refused", 3: "no result"}
MAX_NAME, MAX_VERDICT = 25, 23  # characters of a column: the table fits into 80 columns
UNSETTLED = {Outcome.FAILED, Outcome.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class FleetEntry:
    """One target.

    Attributes:
        name: of the target, and of the folder of its run.
        url: its base URL.
        exit_code: of its run; 3 if it ended without one.
        seconds: how long the process of its run took; 0 if it was not started.
        reason: why there is no verdict, or what else is wrong, as a sentence; empty otherwise.
        verdict: of its report; None: it has none.
        requests, purges: of its report; None if unknown.
        outcomes: id of a requirement -> its outcome; empty without a report.
        levels: id of a requirement -> its level.
    """

    name: str
    url: str
    exit_code: int
    seconds: float = 0.0
    reason: str = ""
    verdict: str | None = None
    requests: int | None = None
    purges: int | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """The verdict, or what there is instead."""
        return self.verdict or WITHOUT_VERDICT.get(self.exit_code, WITHOUT_VERDICT[3])

    def musts(self, outcome: Outcome) -> tuple[str, ...]:
        """Return the ids of the MUSTs that had an outcome."""
        return tuple(n for n, each in self.outcomes.items() if each == outcome and self.levels[n] is Level.MUST)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The run of a fleet.

    Attributes:
        entries: its targets, in the order of its file.
        suite_version: of the suite that ran.
        started_at, finished_at: first start and last end of a run, with a time zone.
        is_interrupted: whether a signal ended it.
    """

    entries: tuple[FleetEntry, ...]
    suite_version: str
    started_at: datetime
    finished_at: datetime
    is_interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of the worst target."""
        return max((entry.exit_code for entry in self.entries), key=CODE_PRECEDENCE.index)

    @property
    def requirements(self) -> tuple[str, ...]:
        """The ids that reports of the fleet have, in the order of `spec/`; others, of another suite, behind them."""
        ids = dict.fromkeys(name for entry in self.entries for name in entry.outcomes)
        known = [requirement.id for requirement in catalogue.requirements() if requirement.id in ids]
        return tuple(dict.fromkeys([*known, *ids]))

    @property
    def notable(self) -> tuple[str, ...]:
        """The ids of the requirements that failed or stayed open on a target, or that differ between targets."""
        reports = [entry.outcomes for entry in self.entries if entry.outcomes]
        seen = {name: {outcomes.get(name) for outcomes in reports} for name in self.requirements}
        return tuple(name for name, outcomes in seen.items() if outcomes & UNSETTLED or len(outcomes) > 1)


def headline(fleet: Fleet) -> str:
    """Return how many targets ended how, the worst first, for example `1 of 4 targets failed, 3 passed`."""
    counts = {word: sum(entry.exit_code == code for entry in fleet.entries) for code, word in GROUPS.items()}
    (first, number), *others = [(word, number) for word, number in counts.items() if number]
    total = pluralize(len(fleet.entries), "target")
    return ", ".join([f"{number} of {total} {first}", *(f"{n} {word}" for word, n in others)])


def dump(fleet: Fleet) -> str:
    """Return the text of `fleet.json`, valid against `spec/fleet-report.schema.json`."""
    data = {
        "schema": SCHEMA,
        "suite_version": fleet.suite_version,
        "exit_code": fleet.exit_code,
        "interrupted": fleet.is_interrupted,
        "started_at": fleet.started_at.isoformat(timespec="seconds"),
        "finished_at": fleet.finished_at.isoformat(timespec="seconds"),
        "targets": [_entry(entry, fleet.requirements) for entry in fleet.entries],
    }
    return visible_json(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _entry(entry: FleetEntry, order: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "url": entry.url,
        "exit_code": entry.exit_code,
        "verdict": entry.verdict,
        "reason": entry.reason,
        "seconds": round(entry.seconds, 1),
        "requests": entry.requests,
        "purges": entry.purges,
        "musts": {str(outcome): len(entry.musts(outcome)) for outcome in Outcome},
        "outcomes": {name: str(entry.outcomes[name]) for name in order if name in entry.outcomes},
    }


def table(fleet: Fleet) -> Iterator[str]:
    """Yield the lines of a table of at most 80 columns, with MUSTs, then what is wrong with a target, a line each."""
    row = f"{{:{MAX_NAME}}} {{:{MAX_VERDICT}}} {{:>6}} {{:>6}} {{:>5}} {{:>8}}"
    yield row.format("Target", "Verdict", "Passed", "Failed", "Exit", "Time")
    for entry in fleet.entries:
        passed, failed = (len(entry.musts(each)) if entry.outcomes else "" for each in (Outcome.PASSED, Outcome.FAILED))
        name, result = _fit(entry.name, MAX_NAME), _fit(entry.result, MAX_VERDICT)
        yield row.format(name, result, passed, failed, entry.exit_code, f"{entry.seconds:,.0f} s")
    for entry in fleet.entries:
        if entry.reason:
            yield f"{entry.name}: {entry.reason}"


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
