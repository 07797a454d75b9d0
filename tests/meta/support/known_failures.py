"""Entries of known failures, and files that hold them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.config.known_failures import Entry, EntryKind, ExpectedFailure

if TYPE_CHECKING:
    from pathlib import Path

ROW = {
    "requirements": ["PURGE-01"],
    "owner": "capi",
    "reason": "Reported upstream.",
    "expires": "2027-01-31",
    "signature": [{"expected": "200", "got": "500"}],
}


def entry(*ids: str, **members: Any) -> Entry:  # noqa: ANN401 -- any member
    """Return an entry for these requirements; members replace the default ones."""
    values: dict[str, Any] = {
        "kind": EntryKind.FAILURE,
        "case": None,
        "rate": None,
        "owner": "capi",
        "reason": "Reported upstream.",
        "link": None,
        "expires": date(2027, 1, 31),
        "signature": (like("500"),),
        "place": "known.yaml, line 3",
    }
    return Entry(ids, **values | members)


def like(
    got: str | None, expected: str | None = "200", case: str | None = None, sent: str | None = None
) -> ExpectedFailure:
    """Return how a requirement fails."""
    return ExpectedFailure(None, case, sent, expected, got)


def write_entries(path: Path, *rows: dict[str, Any]) -> Path:
    """Write a file with these entries, each with the members of `ROW` that it does not have; None removes one."""
    complete = [{key: value for key, value in (ROW | row).items() if value is not None} for row in rows]
    path.write_text(yaml.safe_dump({"known_failures": complete}, sort_keys=False), encoding="utf-8")
    return path
