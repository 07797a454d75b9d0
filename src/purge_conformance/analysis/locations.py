"""The spaces and organizations of the suite's own apps, with the names that these had at each purge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import guid_in_path
from purge_conformance.evidence.listing import dig
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange


class Locations:
    """What the run knows of these: the suite created a space, or read the one that the user named; it renames some."""

    def __init__(self, evidence: Evidence) -> None:
        """Find what was created or read, and what was renamed."""
        read = (*evidence.of(Scenario.PREFLIGHT, Step.SPACE), *evidence.of(Scenario.FOUNDATION, Step.CREATE))
        self._rows = {str(x.json.get("guid")): x.json for x in read if x.succeeded and isinstance(x.json, dict)}
        self._renamings: dict[str, list[Exchange]] = {}
        for x in evidence.of(Scenario.PURGE_AFTER_CHANGES, Step.RENAME, Step.VERIFY_RENAME):
            self._renamings.setdefault(guid_in_path(x.route), []).append(x)

    def members(self, app: str, before: int) -> dict[str, set[str]]:
        """Return the members of a seeded event of an own app -> the values that each may have, as far as known.

        Args:
            app: a guid.
            before: the number of the purge.
        """
        space = self._owner("space", app)
        organization = space and self._owner("organization", space)
        values = {
            "space.guid": {space} if space else set(),
            "space.name": set(self._names(space, before)) if space else set(),
            "organization.guid": {organization} if organization else set(),
        }
        return {member: allowed for member, allowed in values.items() if allowed}

    def renamed(self, app: str, before: int) -> Iterator[str]:
        """Yield `space` and `organization`, if that of an app certainly had a new name; arguments as of `members`."""
        space = self._owner("space", app)
        organization = space and self._owner("organization", space)
        if space and self._renamings.get(space) and self._names(space, before) == self._requested(space):
            yield "space"
        if organization and any(x.n < before and x.succeeded for x in self._renamings.get(organization, ())):
            yield "organization"

    def _owner(self, kind: str, guid: str) -> str | None:
        owner = dig(self._rows.get(guid, {}), "relationships", kind, "data", "guid")
        return owner if isinstance(owner, str) else None

    def _requested(self, guid: str) -> list[str]:
        """Return the last name that was requested for a resource."""
        return [_requested_name(x) for x in self._renamings[guid] if x.method == "PATCH"][-1:]

    def _names(self, guid: str, before: int) -> list[str]:
        """Return the names that a resource may have had: two, if its renaming was neither refused nor seen."""
        first = self._rows.get(guid, {}).get("name")
        names = [first] if isinstance(first, str) else []
        for x in self._renamings.get(guid, ()):
            if x.n < before and names:
                names = _names_after(names, x)
        return names


def _names_after(names: list[str], x: Exchange) -> list[str]:
    """Return the possible names after the request for another one, or after a read; the last requested name is last."""
    if x.method == "PATCH":
        return names if x.rejected else [*names, _requested_name(x)]
    shown: Row = x.json if x.succeeded and isinstance(x.json, dict) else {}
    return names[-1:] if shown.get("name") == names[-1] else names


def _requested_name(x: Exchange) -> str:
    return str(json.loads(x.request_body or "{}").get("name"))
