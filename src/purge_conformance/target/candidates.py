"""Spaces and droplets that exist on the target, which the user may name where the suite cannot create its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import is_usable_guid
from purge_conformance.evidence.listing import dig, resources, total_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

MAX_CANDIDATES = 4
MAX_NAME_CHARS = 40
SPACES_PATH = f"/v3/spaces?per_page={MAX_CANDIDATES}"
DROPLETS_PATH = f"/v3/droplets?states=STAGED&order_by=-created_at&per_page={MAX_CANDIDATES}"
BUILDPACK = "buildpack"  # the lifecycle of the apps that the suite creates


def only_space(page: Exchange) -> tuple[str, str] | None:
    """Return guid and description of the only space of the target; None: there are others, or none."""
    spaces = list(_usable(page))
    if len(spaces) != 1 or len(resources(page)) != 1 or (total_results(page) or 1) != 1:
        return None
    return str(spaces[0]["guid"]), _describe(spaces[0])


def describe_spaces(page: Exchange) -> str:
    """Return the flag with the spaces that a page lists, for example `--space GUID: dev (1f3a...)`."""
    spaces = ", ".join(map(_describe, _usable(page)))
    rest = (total_results(page) or 0) - len(resources(page))
    more = f", and {rest} more" if spaces and rest > 0 else ""
    return f"--space GUID{': ' if spaces else ''}{spaces}{more}"


def staged_droplets(page: Exchange) -> Sequence[str]:
    """Return the guids of the droplets that a page lists and that the suite's apps can run."""
    return [
        row["guid"]
        for row in _usable(page)
        if row.get("state") == "STAGED" and dig(row, "lifecycle", "type") in {None, BUILDPACK}
    ]


def _usable(page: Exchange) -> Iterator[Row]:
    rows = resources(page)[:MAX_CANDIDATES] if page.succeeded else ()
    return (row for row in rows if is_usable_guid(row.get("guid")))


def _describe(row: Row) -> str:
    name = row.get("name")
    words = " ".join(name.split()) if isinstance(name, str) else ""
    short = words if len(words) <= MAX_NAME_CHARS else f"{words[:MAX_NAME_CHARS]}..."
    return f"{short} ({row['guid']})".strip()
