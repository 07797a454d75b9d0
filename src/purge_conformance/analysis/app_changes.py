"""A change of an app of the suite's own, between two looks at the list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis.assertions import readable, walk_of
from purge_conformance.analysis.purge_series import looks_of
from purge_conformance.evidence.listing import app_of_event, dig

if TYPE_CHECKING:
    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Row

NOTED = "change "  # how the name of a note about a change begins
OF_ITS_OWN = {"guid", "created_at", "updated_at", "links"}  # members that no two events share


@dataclass(frozen=True)
class Changed:
    """A start, a stop or a scaling that the target took.

    Attributes:
        experiment: that asked for it.
        name: of the change.
        app: the guid of the app.
        tells: what an event of it tells, member -> its current value; nothing in evidence of older suites.
        new: the events of the app that are in the list since.
        last: the number of the exchange that shows them.
    """

    experiment: str
    name: str
    app: str
    tells: dict[str, Any]
    new: tuple[Row, ...]
    last: int

    def missing(self) -> str:
        """Return what is there instead of an event of the change, in words; nothing if one is there."""
        if any(self._is_told_by(row) for row in self.new):
            return ""
        return json.dumps([{name: row.get(name) for name in self.tells} for row in self.new]) if self.new else "none"

    def repeated(self) -> list[Row]:
        """Return the events that tell of the change what another one tells already."""
        told = [_without_its_own(row) for row in self.new]
        return [row for n, row in enumerate(self.new) if self._is_known_from(row) and told[n] in told[:n]]

    def _is_told_by(self, event: Row) -> bool:
        """Whether an event tells of the change; what it leaves out it may have told."""
        return all(dig(event, name, "current") in {None, value} for name, value in self.tells.items())

    def _is_known_from(self, event: Row) -> bool:
        """Whether an event says what became of which process, so that another one in the same words repeats it."""
        told = all(dig(event, name, "current") == value for name, value in self.tells.items())
        return bool(self.tells) and told and dig(event, "process", "guid") is not None


def changes(seen: Seen, experiment: str, *names: str) -> list[Changed]:
    """Return the changes of these names that an experiment made, without those that changed nothing.

    Raises:
        Inconclusive: the list could not be read before or after one of them.
    """
    void = _void(seen, experiment)
    noted = {name: seen.note(experiment, f"{NOTED}{name}") or {} for name in names if name not in void}
    return [_change(seen, experiment, name, note) for name, note in noted.items() if note.get("done")]


def all_told(seen: Seen) -> bool:
    """Whether each change that was made by itself is told by an event."""
    noted = [(note.experiment, note.name.removeprefix(NOTED)) for note in seen.notes if note.name.startswith(NOTED)]
    return not any(change.missing() for experiment, name in noted for change in changes(seen, experiment, name))


def _void(seen: Seen, experiment: str) -> set[str]:
    """Return the names of the changes to a state that their app had by itself, as the last look at apps shows."""
    begun = min((x.n for x in seen.of(experiment)), default=0)
    before = [look.saw.apps for look in seen.cached(looks_of) if look.last < begun]
    states = {guid: row.get("state") for apps in before[-1:] for guid, row in apps.by_guid.items()}
    void = set()
    for note in seen.notes:
        if note.experiment == experiment and note.name.startswith(NOTED):
            state = states.pop(note.value["app"], None)  # what the suite itself made of it is none of these
            if state is not None and state == note.value.get("tells", {}).get("state"):
                void.add(note.name.removeprefix(NOTED))
    return void


def _change(seen: Seen, experiment: str, name: str, note: dict[str, Any]) -> Changed:
    before, after = (walk_of(seen, experiment, step) for step in (note["since"], name))
    for walk in (before, after):
        readable(walk, "events")
    new = [row for row in after.rows if app_of_event(row) == note["app"] and row["guid"] not in before.by_guid]
    return Changed(experiment, name, note["app"], note.get("tells", {}), tuple(new), after.exchanges[-1].n)


def _without_its_own(event: Row) -> Row:
    return {name: value for name, value in event.items() if name not in OF_ITS_OWN}
