"""The names of format 1, and what each is called in format 2. Nothing else in the package knows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Pattern = tuple[re.Pattern[str], Callable[..., Place]]  # of the groups of the pattern

SCENARIOS: Mapping[str, Scenario] = {
    "reach": Scenario.PREFLIGHT,
    "foundation": Scenario.FOUNDATION,
    "fill": Scenario.FILL_PAGE,
    "archive": Scenario.ARCHIVE,
    "purge": Scenario.PURGE,
    "again": Scenario.SECOND_PURGE,
    "lifecycle": Scenario.APP_CHANGES,
    "reads": Scenario.READS,
    "refused": Scenario.REJECTED_PURGES,
    "bypass": Scenario.AUTH_BYPASS,
    "lists": Scenario.LISTS,
    "changed": Scenario.PURGE_AFTER_CHANGES,
    "contract": Scenario.GENERATED,
    "stateful": Scenario.STATEFUL,
    "repeat": Scenario.REPEAT,
    "odd": Scenario.UNEXPECTED_INPUT,
    "late": Scenario.CHANGES_AFTER_PURGES,
    "provoked": Scenario.INDUCED_ERRORS,
    "parallel": Scenario.CONCURRENT_PURGES,
    "race": Scenario.RACE,
    "standstill": Scenario.PURGE_WITHOUT_STARTED_APPS,
    "sequences": Scenario.SEQUENCES,
    "demolish": Scenario.CLEANUP,
}
APPS: Mapping[str, App] = {
    "mover": App.TOGGLED,
    "steady": App.STARTED,
    "scaled": App.SCALED,
    "idle": App.STOPPED,
    "empty": App.WITHOUT_INSTANCES,
    "paused": App.STOPPED_WITHOUT_INSTANCES,
    "deleted": App.DELETED,
    "elsewhere": App.OTHER_ORG,
}
TAGS: Mapping[str, Tag] = {
    "superseded": Tag.SUPERSEDED,
    "at_once": Tag.CONCURRENT,
    "again": Tag.REPEATED,
    "provoked": Tag.INDUCED,
    "state": Tag.STATE,
    "changed": Tag.CHANGED_BY_HOOK,
    "form": Tag.FORM,
    "credential": Tag.CREDENTIAL,
    "phase": Tag.GENERATION,
    "mode": Tag.MODE,
    "about": Tag.ABOUT,
    "auth": Tag.AUTH,
}
_EVERYWHERE = {"await": Step.AWAIT_EVENT, "equip": Step.PREPARE_DROPLET}
_OF_APPS = {"start": Step.START_APP, "stop": Step.STOP_APP, "scale": Step.SCALE_APP, "became": Step.AWAIT_STATE}
_CHANGES = {
    name: Place(step, phase=Phase.AFTER)
    for name, step in {
        "start": Step.START,
        "stop": Step.STOP,
        "scale": Step.SCALE,
        "scale-memory": Step.SCALE_MEMORY,
        "scale-down": Step.SCALE_DOWN,
        "stop-again": Step.STOP_AGAIN,
        "start-again": Step.START_AGAIN,
        "scale-up": Step.SCALE_UP,
    }.items()
} | {"before": Place(Step.OPENING), "end": Place(Step.CLOSING)}
_GENERATED = {
    "event": Step.EXISTING_EVENT,
    "purgeAndSeedAppUsageEvents": Step.GENERATED_PURGE,
    "listAppUsageEvents": Step.GENERATED_LIST,
    "getAppUsageEvent": Step.GENERATED_GET,
}
_UNEXPECTED = {
    "cut-json": Step.TRUNCATED_JSON,
    "json-object": Step.JSON_OBJECT,
    "json-array": Step.JSON_ARRAY,
    "no-json": Step.NOT_JSON,
    "form": Step.FORM,
    "long-text": Step.LONG_TEXT,
    "unknown-query": Step.UNKNOWN_PARAMETER,
}
STEPS: Mapping[Scenario, Mapping[str, Step | Place]] = {
    Scenario.PREFLIGHT: {
        "root": Step.ROOT,
        "v3": Step.V3_ROOT,
        "apps": Step.APPS,
        "events": Step.EVENTS,
        "role": Step.EVENTS_AS_ROLE,
        "newest": Step.NEWEST_EVENT,
    },
    Scenario.FOUNDATION: {
        "create": Step.CREATE,
        "created": Step.AWAIT_CREATION,
        "delete": Step.DELETE,
        "gone": Step.AWAIT_DELETION,
    },
    Scenario.FILL_PAGE: {"total": Step.COUNT_EVENTS},
    Scenario.ARCHIVE: {"events": Step.EXISTING_EVENTS},
    Scenario.PURGE: {
        "purge": Step.PURGE,
        "search": Step.SEARCH_DESTROYED,
        "destroyed": Step.GET_DESTROYED,
        "seeded": Step.GET_SEEDED,
    },
    Scenario.SECOND_PURGE: {"purge": Step.PURGE},
    Scenario.APP_CHANGES: _CHANGES,
    Scenario.READS: {
        "list": Step.LIST,
        "get": Step.GET,
        "unknown": Step.GET_UNKNOWN,
        "headers": Step.OTHER_HEADERS,
    },
    Scenario.REJECTED_PURGES: {
        "newest": Step.NEWEST_EVENT,
        "look": Step.NEWEST_PAGE,
        "credential": Step.CREDENTIAL,
        "method": Step.METHOD,
        "route": Step.UNKNOWN_ROUTE,
        "later": Step.WAIT_AFTER_REJECTED,
        "idle": Step.WAIT_AFTER_READS,
    },
    Scenario.AUTH_BYPASS: {
        "look": Step.NEWEST_PAGE,
        "spelling": Step.SPELLING,
        "override": Step.OVERRIDE,
        "pretence": Step.IMPERSONATION,
        "forged": Step.FORGED_TOKEN,
        "in-url": Step.TOKEN_IN_URL,
    },
    Scenario.LISTS: {
        "opening": Step.OPENING,
        "closing": Step.CLOSING,
        "twice": Step.SAME_PAGE_TWICE,
        "plain": Step.DEFAULT_PAGE,
        "bounds": Step.PAGE_SIZE_LIMITS,
        "order created_at": Step.ASCENDING,
        "order -created_at": Step.DESCENDING,
        "get": Step.GET,
        "invalid": Step.INVALID_QUERY,
        "odd": Step.UNSPECIFIED_QUERY,
    },
    Scenario.PURGE_AFTER_CHANGES: {
        "purge": Step.PURGE,
        "seeded": Step.GET_SEEDED,
        "destroyed": Step.GET_DESTROYED,
    },
    Scenario.GENERATED: _GENERATED,
    Scenario.STATEFUL: _GENERATED,
    Scenario.REPEAT: {"look": Step.NEWEST_PAGE, "credential": Step.CREDENTIAL},
    Scenario.UNEXPECTED_INPUT: _UNEXPECTED | {f"{name}.destroyed": Step.GET_DESTROYED for name in _UNEXPECTED},
    Scenario.CHANGES_AFTER_PURGES: _CHANGES | {"destroyed": Place(Step.GET_DESTROYED)},
    Scenario.INDUCED_ERRORS: {
        "purge 409": Step.INDUCED_PURGE,
        "purge 503": Step.INDUCED_PURGE,
        "purge 500": Step.INDUCED_PURGE,
        "list 503": Step.INDUCED_LIST,
        "list 500": Step.INDUCED_LIST,
        "get 503": Step.INDUCED_GET,
        "get 500": Step.INDUCED_GET,
        "before": Step.OPENING,
        "conflict": Step.AFTER_CONFLICT,
        "unavailable": Step.AFTER_UNAVAILABLE,
        "after": Step.CLOSING,
    },
    Scenario.CONCURRENT_PURGES: {
        "alone": Step.ALONE,
        "first": Place(Step.CONCURRENT, 1),
        "second": Place(Step.CONCURRENT, 2),
        "first.reads": Place(Step.CONCURRENT_READ, 1),
        "second.reads": Place(Step.CONCURRENT_READ, 2),
        "settle": Step.SETTLE,
    },
    Scenario.RACE: {
        "quiet": Step.SEQUENTIAL,
        "first": Place(Step.CONCURRENT, 1),
        "second": Place(Step.CONCURRENT, 2),
        "third": Place(Step.CONCURRENT, 3),
        "quiet.change": Step.SEQUENTIAL_CHANGE,
        "first.change": Place(Step.CONCURRENT_CHANGE, 1),
        "second.change": Place(Step.CONCURRENT_CHANGE, 2),
        "third.change": Place(Step.CONCURRENT_CHANGE, 3),
    },
    Scenario.PURGE_WITHOUT_STARTED_APPS: {
        "apps": Step.ALL_APPS,
        "purge": Step.PURGE,
        "destroyed": Step.GET_DESTROYED,
    },
    Scenario.SEQUENCES: {"make room": Step.FREE_QUOTA},
    Scenario.CLEANUP: {"demolish": Step.DELETE, "demolish job": Step.AWAIT_JOB, "demolish find": Step.FIND},
}
# Observations that stand by themselves: the name of the snapshot is no request's, or the phase was not written.
SNAPSHOTS: Mapping[tuple[Scenario, str], Place] = {
    **{(scenario, "end"): Place(Step.CLOSING) for scenario in (Scenario.APP_CHANGES, Scenario.CHANGES_AFTER_PURGES)},
    (Scenario.RACE, "start"): Place(Step.OPENING),
    (Scenario.RACE, "quiet"): Place(Step.SEQUENTIAL, phase=Phase.AFTER),
    (Scenario.RACE, "first"): Place(Step.CONCURRENT, 1, Phase.AFTER),
    (Scenario.RACE, "second"): Place(Step.CONCURRENT, 2, Phase.AFTER),
    (Scenario.RACE, "third"): Place(Step.CONCURRENT, 3, Phase.AFTER),
    (Scenario.INDUCED_ERRORS, "before"): Place(Step.OPENING),
    (Scenario.INDUCED_ERRORS, "conflict"): Place(Step.AFTER_CONFLICT),
    (Scenario.INDUCED_ERRORS, "unavailable"): Place(Step.AFTER_UNAVAILABLE),
    (Scenario.INDUCED_ERRORS, "after"): Place(Step.CLOSING),
}


def _indexed(step: Step) -> Callable[[str], Place]:
    return lambda index: Place(step, int(index))


def _in_sequence(step: Step) -> Callable[..., Place]:
    def make(sequence: str, position: str | None = None, index: str | None = None) -> Place:
        numbers = (None if value is None else int(value) for value in (index, sequence, position))
        index_, sequence_, position_ = numbers
        return Place(step, index_, sequence=sequence_, position=position_)

    return make


def _pattern(text: str, make: Callable[..., Place]) -> Pattern:
    return re.compile(text.replace("#", "([0-9]+)")), make


PATTERNS: Mapping[Scenario, tuple[Pattern, ...]] = {
    Scenario.LISTS: (
        _pattern("walk #", _indexed(Step.WALK)),
        _pattern("guids #", _indexed(Step.FILTER_GUIDS)),
        _pattern("after_guid #", _indexed(Step.FILTER_AFTER_GUID)),
        _pattern("created_ats #", _indexed(Step.FILTER_CREATED_ATS)),
        _pattern("combined #", _indexed(Step.COMBINED_FILTERS)),
    ),
    Scenario.REJECTED_PURGES: (
        _pattern("later #", _indexed(Step.WAIT_AFTER_REJECTED)),
        _pattern("idle #", _indexed(Step.WAIT_AFTER_READS)),
    ),
    **dict.fromkeys(
        (Scenario.GENERATED, Scenario.STATEFUL),
        (
            _pattern("purge #", _indexed(Step.GENERATED_PURGE)),
            _pattern(r"purge #\.destroyed", _indexed(Step.GET_DESTROYED)),
        ),
    ),
    Scenario.REPEAT: (
        _pattern(r"#(?:\.purge)?", _indexed(Step.PURGE)),
        _pattern(r"#\.again", _indexed(Step.SECOND_PURGE)),
        _pattern(r"#\.destroyed", _indexed(Step.GET_DESTROYED)),
    ),
    Scenario.SEQUENCES: (
        _pattern(r"#\.# look #", _in_sequence(Step.LIST_AFTER_ACTION)),
        _pattern(r"#\.# became", _in_sequence(Step.AWAIT_STATE)),
        _pattern(r"#\.# gone", _in_sequence(Step.AWAIT_DELETION)),
        _pattern(r"#\.# create \S+ made", _in_sequence(Step.AWAIT_CREATION)),
        _pattern(r"#\.# (?:create|start|stop|scale|delete|purge as|read by) .+", _in_sequence(Step.ACTION)),
        _pattern(r"#\.# purge", _in_sequence(Step.ACTION)),
        _pattern("# demolish", _in_sequence(Step.DELETE)),
        _pattern("# purge", _in_sequence(Step.RESET_PURGE)),
    ),
}


def of_apps(name: str) -> Place | None:
    """Return the place of a request for an app of the suite's own, which any scenario may send; None for others."""
    if step := _EVERYWHERE.get(name):
        return Place(step)
    verb, _, label = name.partition("-")
    return Place(_OF_APPS[verb], app=APPS[label]) if verb in _OF_APPS and label in APPS else None
