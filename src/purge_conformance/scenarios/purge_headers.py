"""Purges with the headers that clients, browsers, proxies and tracers send, in a few sets of many headers.

A set that the target refuses is sent again without the headers that explain a refusal, and one that seems to break the
purge is sent once more: what happens only once has another cause. If purges are to spare, the set is then divided until
one header is left that breaks it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.credentials import GARBAGE, SCHEME
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import STARTED, app_of_event, event_identity, resources
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import WITH_OTHER_TOKEN, HeaderSet
from purge_conformance.scenarios.budget import FIRST_SHARES, REQUESTS_PER_PURGE, has_generated_purges, note_left_out
from purge_conformance.scenarios.header_sets import SETS
from purge_conformance.scenarios.observed_purge import purge_between_snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from purge_conformance.client.client import Client, Request
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.scenarios.header_sets import Headers
    from purge_conformance.target.apps import SuiteApps

OF_GENERATED = (HeaderSet.NEGOTIATION, HeaderSet.LONG)  # the sets that the generated purges carry
OF_WALK = (HeaderSet.REFUSABLE,)  # and the one that begins the walk along the links
INSTEAD = {  # where the former is refused
    HeaderSet.REFUSABLE: HeaderSet.CONDITIONS,
    HeaderSet.LONG: HeaderSet.CLIENTS,
    HeaderSet.ALL: HeaderSet.NEGOTIATION,
}
RESERVED_PURGES = sum(FIRST_SHARES.values())  # that dividing a set leaves to the scenarios that are still to come


def planned_sets(client: Client, names: Sequence[HeaderSet]) -> Iterator[HeaderSet]:
    """Return the sets for which purges of the scenario are planned, and note those that the limit leaves out."""
    left_out = names[client.planned_purges :]
    note_left_out(client, [case for name in left_out for case in (name, INSTEAD.get(name)) if case])
    return iter(names[: client.planned_purges])


def purge_with_headers(client: Client, apps: SuiteApps, request: Request, name: HeaderSet) -> Exchange:
    """Record an event and purge with a set of headers; once more if the target refused it or the purge seems broken.

    If it seems broken again, its headers are divided. `request` is the purge without the headers. The response to the
    last purge with a whole set is returned.
    """
    apps.record_event()
    if name is OF_GENERATED[0]:
        apps.rename_app(App.SCALED, "again")  # last: PURGE-06 leaves out the app that was changed last
    response = _send_set(client, request, name)
    again = INSTEAD.get(name) if response.rejected else name
    if again and _seems_broken(client, response) and client.guard.purges_left:
        apps.record_event()
        response = _send_set(client, _next(client, request), again)
        if again == name and _seems_broken(client, response) and _is_first_purge_complete(client):
            _divide(client, apps, request, SETS[name](client.settings.target.url))
    return response


def purge_with_spare_headers(client: Client, request: Request, name: HeaderSet) -> Exchange:
    """Purge; with a set of headers if the limit leaves no generated purge that could carry it.

    If the target refused the set or the purge seems broken, it is sent once more, and then without the headers. The
    last response is returned.
    """
    if has_generated_purges(client.settings.limits.max_purges, len(OF_GENERATED)):
        return purge_between_snapshots(client, request)
    response = _send_set(client, request, name)
    again = INSTEAD.get(name) if response.rejected else name
    if again and _seems_broken(client, response) and client.guard.purges_left:
        response = _send_set(client, _next(client, request), again)
    if _seems_broken(client, response) and client.guard.purges_left:
        response = purge_between_snapshots(client, _next(client, request))
    return response


def _divide(client: Client, apps: SuiteApps, request: Request, headers: Headers) -> None:
    """Purge with half of the headers, then with half of those that must break it, until one is left, and with that."""
    rest, is_tried = list(headers.items()), False
    while (len(rest) > 1 or not is_tried) and _has_spare_purge(client):
        half = dict(rest[: (len(rest) + 1) // 2])
        apps.record_event()
        response = _send(client, _next(client, request), half, {Tag.PART_OF_SET: ", ".join(half)})
        is_tried = _seems_broken(client, response)
        if not is_tried and len(rest) == 1:
            return
        rest = list(half.items()) if is_tried else rest[len(half) :]


def _has_spare_purge(client: Client) -> bool:
    guard = client.guard
    return guard.purges_left > RESERVED_PURGES and guard.requests_left > REQUESTS_PER_PURGE * guard.purges_left


def _next(client: Client, request: Request) -> Request:
    """Return the same request at a place of its own."""
    return replace(request, where=Place(request.place.step, client.guard.purges))


def _seems_broken(client: Client, response: Exchange) -> bool:
    return not response.succeeded or _survived(client, response.place) or _seeded_nothing(client, response.place)


def _is_first_purge_complete(client: Client) -> bool:
    """Whether the first purge of the run, without further headers, does not seem broken: else any purge may be."""
    place, scenario = Place(Step.PURGE), Scenario.PURGE
    is_broken = _survived(client, place, scenario) or _seeded_nothing(client, place, scenario)
    return any(x.succeeded for x in client.recorded(place, scenario)) and not is_broken


def _send_set(client: Client, request: Request, name: HeaderSet) -> Exchange:
    if name in WITH_OTHER_TOKEN:
        request = replace(request, credential=replace(client.credentials[ADMIN], second=GARBAGE))
    return _send(client, request, SETS[name](client.settings.target.url), {Tag.HEADERS: name})


def _send(client: Client, request: Request, headers: Headers, tags: Mapping[Tag, str]) -> Exchange:
    every = {**request.headers, **headers}
    scheme = every.pop("Authorization", None) or SCHEME
    tagged = replace(request, headers=every, scheme=scheme, tags={**request.tags, **tags})
    return purge_between_snapshots(client, tagged)


def _survived(client: Client, place: Place, scenario: Scenario | None = None) -> bool:
    """Whether an event that no purge seeds, for an app or a process, is listed before and after a purge."""
    seedable = {row["guid"] for row in _rows(client, place, Part.PROCESSES, *Phase, scenario=scenario)}
    before, after = (
        {
            event_identity(row)
            for row in _rows(client, place, Part.EVENTS, phase, scenario=scenario)
            if row["guid"] != app_of_event(row) and row["guid"] not in seedable
        }
        for phase in Phase
    )
    return bool(before & after)


def _seeded_nothing(client: Client, place: Place, scenario: Scenario | None = None) -> bool:
    """Whether no event is listed after a purge, although an app is started."""
    apps = _rows(client, place, Part.APPS, Phase.AFTER, scenario=scenario)
    is_started = any(row.get("state") == STARTED for row in apps)
    return is_started and not _rows(client, place, Part.EVENTS, Phase.AFTER, scenario=scenario)


def _rows(client: Client, place: Place, part: Part, *phases: Phase, scenario: Scenario | None = None) -> list[Row]:
    pages = [page for phase in phases for page in client.recorded(place.at(phase).of(part), scenario)]
    return [row for page in pages for row in resources(page)]
