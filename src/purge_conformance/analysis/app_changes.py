"""Changes of the suite's own apps, each between two lists of the events."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis.assertions import not_run, require_complete, require_responses
from purge_conformance.analysis.changes_by_others import was_set_by_others
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import STOPPED, app_of_event, dig, listing_of, snapshot_at, snapshots
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row

UNIQUE_MEMBERS = {"guid", "created_at", "updated_at", "links"}  # members that no two events share


@dataclass(frozen=True)
class AppChange:
    """A start, a stop or a scaling that the target accepted.

    Attributes:
        scenario: the scenario that sent the request.
        step: its step, which names the change.
        app: the guid of the app.
        expected_values: what an event of the change shows, member -> current value; empty in evidence of older suites.
        new_events: the events of the app that are listed since.
        set_by_others: the state that others gave the app before, so that the change may be none; empty without one.
        last_exchange: the number of the exchange that shows them.
    """

    scenario: Scenario
    step: Step
    app: str
    expected_values: dict[str, Any]
    new_events: tuple[Row, ...]
    last_exchange: int
    set_by_others: str = ""

    def describe_missing(self) -> str:
        """Return what is listed instead of an event of the change, in words; empty if the change is recorded."""
        if any(self._is_recorded_by(row) for row in self.new_events):
            return ""
        return (
            json.dumps([{name: row.get(name) for name in self.expected_values} for row in self.new_events])
            if self.new_events
            else "none"
        )

    def duplicate_events(self) -> list[Row]:
        """Return the events that record the change although an earlier one records it with the same values."""
        contents = [_without_unique_members(row) for row in self.new_events]
        return [
            row for n, row in enumerate(self.new_events) if self._is_identified_by(row) and contents[n] in contents[:n]
        ]

    @property
    def is_by_others(self) -> bool:
        """Whether others had given the app the requested state, or had stopped the app that was scaled."""
        return bool(self.set_by_others) and self.expected_values.get("state", STOPPED) == self.set_by_others

    @property
    def is_identified(self) -> bool:
        """Whether an event names the process and the new values of the change, so that a repetition can be seen."""
        return any(map(self._is_identified_by, self.new_events))

    def _is_recorded_by(self, event: Row) -> bool:
        """Whether an event records the change; a member that it leaves out counts as right."""
        return all(dig(event, name, "current") in {None, value} for name, value in self.expected_values.items())

    def _is_identified_by(self, event: Row) -> bool:
        """Whether an event names the process and its new values, so that an equal event is a duplicate."""
        matches = all(dig(event, name, "current") == value for name, value in self.expected_values.items())
        return bool(self.expected_values) and matches and dig(event, "process", "guid") is not None


def effective_changes(view: JudgmentView, scenario: Scenario, *steps: Step) -> list[AppChange]:
    """Return the changes of these steps that the target accepted, except those that changed nothing.

    Raises:
        Inconclusive: the list could not be read before or after one of them.
    """
    no_ops = _no_op_changes(view, scenario)
    last_notes = {change.step: change for change in view.noted(notes.CHANGE, scenario) if change.step in steps}
    accepted = (last_notes[step] for step in steps if step in last_notes and step not in no_ops)
    return [_read_change(view, scenario, change, change.app) for change in accepted if change.done and change.app]


def all_changes_recorded(view: JudgmentView) -> bool:
    """Whether an event records each change that no purge was concurrent with."""
    return not any(
        change.describe_missing()
        for scenario in (Scenario.APP_CHANGES, Scenario.CHANGES_AFTER_PURGES)
        for note in view.noted(notes.CHANGE, scenario)
        for change in effective_changes(view, scenario, note.step)
    )


def _no_op_changes(view: JudgmentView, scenario: Scenario) -> set[Step]:
    """Return the changes that change nothing, as the last snapshot before the scenario shows.

    They are those to a state that their app already had, and scalings of a stopped app.
    """
    first_number = min((x.n for x in view.of(scenario)), default=0)
    before = [span.snapshot.apps for span in view.cached(snapshots) if span.last < first_number]
    states = {guid: row.get("state") for apps in before[-1:] for guid, row in apps.by_guid.items()}
    no_ops = set()
    for change in view.noted(notes.CHANGE, scenario):
        requested = change.current.get("state") or (STOPPED if change.current else None)
        if requested is not None and states.get(change.app or "") == requested:
            no_ops.add(change.step)
        if "state" in change.current:  # a later change of the app starts from a state that the suite set
            states.pop(change.app or "", None)
    return no_ops


def _read_change(view: JudgmentView, scenario: Scenario, note: notes.AppChange, app: str) -> AppChange:
    span = next(iter(view.spans(scenario, note.step)), None)
    before, after = (_require_list(view, scenario, side) for side in ((span.before, span.after) if span else ((), ())))
    new = [row for row in after.rows if app_of_event(row) == app and row["guid"] not in before.by_guid]
    change = AppChange(scenario, note.step, app, note.current, tuple(new), after.exchanges[-1].n)
    return replace(change, set_by_others=_state_by_others(view, change, before, after))


def _state_by_others(view: JudgmentView, change: AppChange, before: Listing, after: Listing) -> str:
    """Return the state that others gave an app before its change, as events show; empty if nothing shows it.

    For a scaling, which no event of a stopped app need record, a later list of the apps must show that it is stopped.
    """
    state = change.expected_values.get("state")
    if state:
        return state if was_set_by_others(view, before, change.app, state) else ""
    apps = snapshot_at(view, change.scenario, Step.CLOSING).apps.by_guid
    is_stopped = dig(apps.get(change.app, {}), "state") == STOPPED
    return STOPPED if is_stopped and was_set_by_others(view, after, change.app, STOPPED) else ""


def _require_list(view: JudgmentView, scenario: Scenario, numbers: tuple[int, ...]) -> Listing:
    require_responses(view, scenario, view.numbered(numbers), if_none=not_run(scenario))
    listing = listing_of(view, numbers)
    require_complete(listing, "events")
    return listing


def _without_unique_members(event: Row) -> Row:
    return {name: value for name, value in event.items() if name not in UNIQUE_MEMBERS}
