"""A change of an app of the suite's own, between two looks at the list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis.assertions import require_complete, require_walk
from purge_conformance.analysis.purge_series import snapshot_spans
from purge_conformance.evidence.listing import app_of_event, dig

if TYPE_CHECKING:
    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Row

NOTE_PREFIX = "change "  # how the name of a note about a change begins
UNIQUE_MEMBERS = {"guid", "created_at", "updated_at", "links"}  # members that no two events share


@dataclass(frozen=True)
class AppChange:
    """A start, a stop or a scaling that the target took.

    Attributes:
        experiment: that asked for it.
        name: of the change.
        app: the guid of the app.
        tells: what an event of it tells, member -> its current value; nothing in evidence of older suites.
        new: the events of the app that are in the list since.
        last: the number of the exchange that shows them.
    """

    scenario: str
    name: str
    app: str
    expected_values: dict[str, Any]
    new_events: tuple[Row, ...]
    last_exchange: int

    def describe_missing(self) -> str:
        """Return what is there instead of an event of the change, in words; nothing if one is there."""
        if any(self._is_recorded_by(row) for row in self.new_events):
            return ""
        return (
            json.dumps([{name: row.get(name) for name in self.expected_values} for row in self.new_events])
            if self.new_events
            else "none"
        )

    def duplicate_events(self) -> list[Row]:
        """Return the events that tell of the change what another one tells already."""
        contents = [_without_unique_members(row) for row in self.new_events]
        return [
            row for n, row in enumerate(self.new_events) if self._is_identified_by(row) and contents[n] in contents[:n]
        ]

    def _is_recorded_by(self, event: Row) -> bool:
        """Whether an event tells of the change; what it leaves out it may have told."""
        return all(dig(event, name, "current") in {None, value} for name, value in self.expected_values.items())

    def _is_identified_by(self, event: Row) -> bool:
        """Whether an event says what became of which process, so that another one in the same words repeats it."""
        matches = all(dig(event, name, "current") == value for name, value in self.expected_values.items())
        return bool(self.expected_values) and matches and dig(event, "process", "guid") is not None


def effective_changes(view: JudgmentView, scenario: str, *names: str) -> list[AppChange]:
    """Return the changes of these names that an experiment made, without those that changed nothing.

    Raises:
        Inconclusive: the list could not be read before or after one of them.
    """
    no_ops = _no_op_changes(view, scenario)
    notes = {name: view.note(scenario, f"{NOTE_PREFIX}{name}") or {} for name in names if name not in no_ops}
    return [_read_change(view, scenario, name, note) for name, note in notes.items() if note.get("done")]


def all_changes_recorded(view: JudgmentView) -> bool:
    """Whether each change that was made by itself is told by an event."""
    names = [
        (note.experiment, note.name.removeprefix(NOTE_PREFIX))
        for note in view.notes
        if note.name.startswith(NOTE_PREFIX)
    ]
    return not any(
        change.describe_missing() for experiment, name in names for change in effective_changes(view, experiment, name)
    )


def _no_op_changes(view: JudgmentView, scenario: str) -> set[str]:
    """Return the names of the changes to a state that their app had by itself, as the last look at apps shows."""
    first_number = min((x.n for x in view.of(scenario)), default=0)
    before = [look.snapshot.apps for look in view.cached(snapshot_spans) if look.last < first_number]
    states = {guid: row.get("state") for apps in before[-1:] for guid, row in apps.by_guid.items()}
    no_ops = set()
    for note in view.notes:
        if note.experiment == scenario and note.name.startswith(NOTE_PREFIX):
            state = states.pop(note.value["app"], None)  # what the suite itself made of it is none of these
            if state is not None and state == note.value.get("tells", {}).get("state"):
                no_ops.add(note.name.removeprefix(NOTE_PREFIX))
    return no_ops


def _read_change(view: JudgmentView, scenario: str, name: str, note: dict[str, Any]) -> AppChange:
    before, after = (require_walk(view, scenario, step) for step in (note["since"], name))
    for walk in (before, after):
        require_complete(walk, "events")
    new = [row for row in after.rows if app_of_event(row) == note["app"] and row["guid"] not in before.by_guid]
    return AppChange(scenario, name, note["app"], note.get("tells", {}), tuple(new), after.exchanges[-1].n)


def _without_unique_members(event: Row) -> Row:
    return {name: value for name, value in event.items() if name not in UNIQUE_MEMBERS}
