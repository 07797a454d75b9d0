"""A fleet: its file and its report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level
from purge_conformance.report.fleet import Fleet, FleetEntry
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LEVELS = {"PURGE-01": Level.MUST, "SEED-01": Level.MUST, "ERROR-01": Level.MUST, "LIST-05": Level.SHOULD}
PASSED = dict.fromkeys(LEVELS, Outcome.PASSED)


def entry(name: str, code: int, outcomes: Mapping[str, Outcome] | None = None, **more: Any) -> FleetEntry:  # noqa: ANN401
    """Return a target; with outcomes it has a report."""
    about = {"verdict": "some-verdict", "outcomes": outcomes, "levels": LEVELS, "requests": 900, "purges": 38}
    return FleetEntry(name, f"http://{name}", code, **{"seconds": 12.34} | (about if outcomes else {}) | more)


def fleet_of(*entries: FleetEntry) -> Fleet:
    """Return the report of these targets."""
    return Fleet(entries, "0.1.0", BEGIN, BEGIN + timedelta(seconds=90))


FOUR = fleet_of(
    entry("good", 0, PASSED, verdict="conformant"),
    entry("bad", 1, PASSED | {"SEED-01": Outcome.FAILED}, verdict="non-conformant"),
    entry("refused", 2, reason="There is no admin token."),
    entry("open", 3, PASSED | {"ERROR-01": Outcome.NOT_EXERCISED}, verdict="inconclusive"),
)


def write_fleet(folder: Path, **entries: str) -> Path:
    """Write a file with a target of each name, and return its path."""
    path = folder / "fleet.yaml"
    rows = [f"  - {{name: {name}, {entry}}}\n" for name, entry in entries.items()]
    path.write_text(f"defaults: {{tokens: {{admin: 'env:ADMIN_SECRET'}}}}\ntargets:\n{''.join(rows)}", encoding="utf-8")
    return path
