"""Evidence of format 1, read as format 2: composed names become declared ones, and the spans are found.

Format 1 wrote one string for a scenario and its round (`odd 2`), and one for a place (`form.before.events`). It had no
spans: order and names showed which requests lay between which observations. `Converter` maps the rows, one by one;
`with_spans` adds the spans. A name that format 1 never wrote is an error.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from purge_conformance.errors import BadData
from purge_conformance.evidence import notes
from purge_conformance.evidence.format1_names import APPS, PATTERNS, SCENARIOS, SNAPSHOTS, STEPS, TAGS, of_apps
from purge_conformance.evidence.induced import INDUCED_STATUSES
from purge_conformance.evidence.intermediaries import is_of_target
from purge_conformance.evidence.members import (
    ANY,
    BOOLEAN,
    OBJECT,
    OBJECT_OF_STRINGS,
    STRING,
    STRINGS,
    check,
    check_members,
    integer,
    or_null,
    show,
)
from purge_conformance.evidence.records import Span, numbers
from purge_conformance.evidence.steps import ATTEMPTS, YES, Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import GeneratedAuth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.evidence.notes import NoteName
    from purge_conformance.evidence.records import Evidence

    Row = dict[str, Any]

FORMAT = 1
_ROUND = re.compile(r"(?P<name>.*?)(?: (?P<round>[1-9][0-9]*))?")
_PHASED = re.compile(r"(?:(?P<name>.+)\.)?(?P<phase>before|after)")
_COMPLETE = re.compile(r"(?P<step>.+)\.complete")
_ABOUT = re.compile(r"(?P<kind>change|sequence|purge|list|get) (?P<which>.+)")  # a note about one of several
_NOTE = {"kind": STRING, "experiment": STRING, "name": STRING, "value": ANY}
_CHANGE = {"app": or_null(STRING), "done": BOOLEAN}
_SEQUENCE = {"steps": STRINGS, "processes": integer(0), "shorter": BOOLEAN}
_WAITS = {Step.WAIT_AFTER_REJECTED, Step.WAIT_AFTER_READS}
_NOTES: dict[str, NoteName[Any]] = {
    "doctor": notes.WARNINGS,
    "run": notes.RUN,
    "apps": notes.APPS,
    "trouble": notes.APPS_ERROR,
    "untimed": notes.UNTIMED,
    "archived": notes.ARCHIVED,
    "left": notes.LEFT,
    "finished": notes.FINISHED,
    "stopped": notes.STOPPED,
    "expired": notes.EXPIRED,
    "crashed": notes.CRASHED,
    "unusable": notes.UNUSABLE,
    "lost": notes.LOST,
    "interrupted": notes.INTERRUPTED,
}


class Converter:
    """Converts the rows of one run, in their order."""

    def __init__(self) -> None:
        """Start at the beginning of a run."""
        self._opened: dict[Scenario, Place] = {}  # the purge, or the wait, whose observation before it was read

    def convert(self, row: Row) -> Row:
        """Return the row of format 2 for a row of format 1.

        Raises:
            BadData: the row has a name that format 1 does not know.
        """
        kind = row.get("kind")
        scenario, number = scenario_of(_string(row, "experiment"))
        where = {"scenario": scenario, "round": number}
        if kind == "exchange":
            tags = _tags(row)
            numbered = _numbered(place(scenario, _string(row, "step")), scenario, row, self._opened)
            rest = {name: value for name, value in row.items() if name not in {"experiment", "step", "tags"}}
            return {**rest, **where, **numbered.to_row(), "tags": tags}
        if kind != "note":
            _unknown("kind", kind)
        check_members(row, _NOTE)
        return where | _note(scenario, row["name"], row["value"])


def _string(row: Row, name: str) -> str:
    """Return a member of a row that has to be a string."""
    if name not in row:
        raise BadData(f"got no member `{name}`, expected {STRING[1]}.")
    check(row[name], STRING, name)
    return str(row[name])


def place(scenario: Scenario, name: str) -> Place:
    """Return the place that format 1 called so.

    Raises:
        BadData: it does not know the name in this scenario.
    """
    base, _, part = name.rpartition(".")
    if base and part in set(Part):
        return _observation(scenario, base).of(Part(part))
    if found := STEPS[scenario].get(name):
        return found if isinstance(found, Place) else Place(found)
    for pattern, make in PATTERNS.get(scenario, ()):
        if match := pattern.fullmatch(name):
            return make(*match.groups())
    return of_apps(name) or _unknown("step", name, scenario)


def with_spans(evidence: Evidence) -> Evidence:
    """Return evidence that was converted, with its spans, in the order of the run."""
    spans = [
        *_around_requests(evidence),
        *_attempts(evidence),
        *_app_changes(evidence),
        *_races(evidence),
        *_induced(evidence),
    ]
    return replace(evidence, all_spans=tuple(sorted(spans, key=lambda span: span.requests[0])))


def _unknown(what: str, name: object, scenario: Scenario | None = None) -> NoReturn:
    where = f" in the scenario {scenario}" if scenario else ""
    raise BadData(f"got the {what} {show(name)}{where}, expected one that format 1 has.")


def scenario_of(name: str) -> tuple[Scenario, int]:
    """Return the scenario and the round that format 1 named in one string.

    Raises:
        BadData: it does not know the name.
    """
    match = _ROUND.fullmatch(name)
    if match is None or match["name"] not in SCENARIOS:
        _unknown("experiment", name)
    return SCENARIOS[match["name"]], int(match["round"] or 1)


def _observation(scenario: Scenario, name: str) -> Place:
    """Return the place of a snapshot: one that stands by itself, or one around requests (of a purge, unless named)."""
    if found := SNAPSHOTS.get((scenario, name)):
        return found
    match = _PHASED.fullmatch(name)
    if match is None:
        _unknown("snapshot", name, scenario)
    requests = place(scenario, match["name"]) if match["name"] else Place(Step.PURGE)
    return requests.at(Phase(match["phase"]))


def _numbered(found: Place, scenario: Scenario, row: Row, opened: dict[Scenario, Place]) -> Place:
    """Return the place with what format 1 showed by order: which purge a request is, and which page comes before."""
    if found.step is Step.GENERATED_PURGE and found.part:
        opened[scenario] = found.requests
        return found
    if found.step is Step.GENERATED_PURGE and row["tags"].get("auth") == GeneratedAuth.TOKEN:
        return opened.get(scenario, found)
    if found.step not in _WAITS:
        return found
    if found.index is None:
        return opened.get(scenario, found)
    if opened.get(scenario) == found:
        if "superseded" not in row["tags"]:
            del opened[scenario]
        return found.at(Phase.AFTER)
    if "superseded" not in row["tags"]:
        opened[scenario] = found
    return found.at(Phase.BEFORE)


def _tags(row: Row) -> dict[str, str]:
    check(row.get("tags"), OBJECT_OF_STRINGS, "tags")
    found = {str(TAGS.get(name) or _unknown("tag", name)): value for name, value in row["tags"].items()}
    return found | dict.fromkeys({Tag.CONCURRENT} & found.keys(), YES)  # format 1 repeated the step there


def _note(scenario: Scenario, name: str, value: Any) -> Row:  # noqa: ANN401 -- any JSON value
    if match := _COMPLETE.fullmatch(name):
        return {"kind": "list-end", **place(scenario, match["step"]).to_row(), "complete": value}
    if match := _ABOUT.fullmatch(name):
        return {"kind": "note", **_about(scenario, match["kind"], match["which"], value)}
    new = _NOTES.get(name) or _unknown("note", name)
    if new is notes.APPS:
        check(value, OBJECT_OF_STRINGS)
        value = {str(APPS.get(label) or _unknown("app", label)): guid for label, guid in value.items()}
    if new is notes.UNUSABLE:
        check_members(value, {"blame": STRING, "reason": STRING})
        value = {"cause": value["blame"], "reason": value["reason"]}
    return {"kind": "note", "name": new.name, "value": value}


def _about(scenario: Scenario, kind: str, which: str, value: Row) -> Row:
    """Return the name and the value of a note about one of several changes, sequences or errors."""
    check(value, OBJECT)
    if kind == "change":
        check_members(value, _CHANGE, {"since": ANY, "tells": OBJECT})
        step, current = place(scenario, which).step, value.get("tells", {})
        change = {"step": step, "app": value["app"], "done": value["done"], "current": current}
        return {"name": notes.CHANGE.name, "value": change}
    if kind == "sequence":
        check_members(value, _SEQUENCE)
        if not which.isdecimal():
            _unknown("note", f"{kind} {which}")
        rest = {name: value[name] for name in ("processes", "shorter")}
        return {"name": notes.SEQUENCE.name, "value": {"number": int(which), "actions": value["steps"], **rest}}
    return {"name": notes.NOT_INDUCED.name, "value": {"operation": kind, **value}}


def _around_requests(evidence: Evidence) -> Iterator[Span]:
    """Yield the spans whose observations have the same place as their requests, but for the phase."""
    for (scenario, number), places in evidence.by_place.items():
        sides: dict[Place, dict[Phase | None, list[int]]] = {}
        for found, exchanges in places.items():
            sides.setdefault(found.requests, {}).setdefault(found.phase, []).extend(numbers(exchanges))
        for requests, side in sides.items():
            if Phase.BEFORE in side and None in side:
                phases = (Phase.BEFORE, None, Phase.AFTER)
                before, sent, after = (tuple(sorted(side.get(phase, ()))) for phase in phases)
                yield Span(scenario, requests, before, sent, after, number)


def _attempts(evidence: Evidence) -> Iterator[Span]:
    """Yield the attempts between two pages of the newest events; a page without an answer is skipped."""
    for scenario in (Scenario.REJECTED_PURGES, Scenario.AUTH_BYPASS, Scenario.REPEAT):
        pages = numbers(x for x in evidence.of(scenario, Step.NEWEST_PAGE) if is_of_target(x))
        groups: dict[tuple[int, Place], list[int]] = {}
        for x in evidence.of(scenario, *ATTEMPTS):
            groups.setdefault((bisect_left(pages, x.n), x.place), []).append(x.n)
        for (following, requests), sent in groups.items():
            before = pages[max(0, following - 1) : following]
            yield Span(scenario, requests, before, tuple(sent), pages[following : following + 1])


def _app_changes(evidence: Evidence) -> Iterator[Span]:
    """Yield each change between the list after the change before it, or the opening, and the list after it."""
    before: dict[Scenario, tuple[int, ...]] = {}
    for note in evidence.notes:
        if note.name == notes.CHANGE.name:
            step, scenario = note.value.step, note.scenario
            earlier = before.get(scenario) or numbers(evidence.of(scenario, Step.OPENING))
            after = numbers(evidence.of(scenario, step, phase=Phase.AFTER))
            sent = numbers(evidence.of(scenario, Step.START_APP, Step.STOP_APP, Step.SCALE_APP))
            last = after[0] if after else (*sent, 0)[-1] + 1
            between = tuple(n for n in sent if (0, *earlier)[-1] < n < last)
            if between:
                yield Span(scenario, Place(step), earlier, between, after, note.round)
            before[scenario] = after


def _races(evidence: Evidence) -> Iterator[Span]:
    """Yield each round of a race, which begins with the snapshot that the one before ended with."""
    concurrent = ((Place(Step.CONCURRENT, index), Place(Step.CONCURRENT_CHANGE, index)) for index in (1, 2, 3))
    tried = [(Place(Step.SEQUENTIAL), Place(Step.SEQUENTIAL_CHANGE)), *concurrent]
    for number in evidence.rounds(Scenario.RACE):
        before = _snapshot(evidence, Scenario.RACE, number, Place(Step.OPENING))
        for purges, changes in tried:
            sent = sorted(x.n for found in (purges, changes) for x in evidence.at(Scenario.RACE, found, number))
            after = _snapshot(evidence, Scenario.RACE, number, purges.at(Phase.AFTER))
            if sent:
                yield Span(Scenario.RACE, purges, before, tuple(sent), after, number)
            before = after or before


def _induced(evidence: Evidence) -> Iterator[Span]:
    """Yield each purge for which the hook was asked for an error, between the lists around it."""
    scenario = Scenario.INDUCED_ERRORS
    steps = (Step.OPENING, Step.AFTER_CONFLICT, Step.AFTER_UNAVAILABLE, Step.CLOSING)
    for number in evidence.rounds(scenario):
        sent = evidence.of(scenario, Step.INDUCED_PURGE, round=number)
        seen = [_snapshot(evidence, scenario, number, Place(step)) for step in steps]
        for status, (before, after) in zip(INDUCED_STATUSES, pairwise(seen), strict=True):
            purges = numbers(x for x in sent if x.tags.get(Tag.INDUCED) == str(status))
            if purges:
                yield Span(scenario, Place(Step.INDUCED_PURGE), before, purges, after, number)


def _snapshot(evidence: Evidence, scenario: Scenario, number: int, whole: Place) -> tuple[int, ...]:
    """Return the numbers of the exchanges of a snapshot."""
    places = evidence.by_place.get((scenario, number), {})
    pages = [numbers(found) for where, found in places.items() if where.part and where.whole == whole]
    return tuple(sorted(n for page in pages for n in page))
