"""Judgments of getting one event."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    raise_if_cut_short,
    require_exchanges,
    require_no,
)
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.history import require_admin_reads
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import NotExercised, PrerequisiteFailed
from purge_conformance.analysis.query_rules import GUID
from purge_conformance.analysis.schema import schema_violations
from purge_conformance.analysis.view import past_firewalls, target_responses
from purge_conformance.catalogue.api import GET_OPERATION
from purge_conformance.evidence.listing import listing_at, resources
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CaseMode, GeneratedAuth
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

INVALID_GUID_STATUSES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}  # allowed if the guid is not a UUID


@pytest.mark.requirement("GET-01")
def test_unknown_guid_answers_404(view: JudgmentView) -> None:
    """Get with an unknown guid MUST answer 404."""
    listed = listing_at(view, Scenario.APP_CHANGES, Place(Step.CLOSING, part=Part.EVENTS)).by_guid
    requested = [
        x
        for x in require_exchanges(view, Scenario.READS, Step.GET_UNKNOWN, if_none="No unknown guid was requested.")
        if x.guid not in listed
    ]
    require_admin_reads(view)
    generated = [
        x
        for x in view.of(Scenario.GENERATED, Step.GENERATED_GET)
        if (x.tags[Tag.AUTH], x.tags[Tag.MODE]) == (GeneratedAuth.TOKEN, CaseMode.POSITIVE)
    ]
    existing = {row["guid"] for x in view.of(Scenario.GENERATED, Step.EXISTING_EVENT) for row in resources(x)}
    failed = [x for x in past_firewalls(generated) if x.status != HTTPStatus.OK and x.guid not in existing]
    apps = own_apps(view)
    view.count("random-guid", (x for x in requested if x.guid not in apps))
    view.count("stopped-app", (x for x in requested if x.guid in apps))
    view.count("generated-guid", failed)
    invalid_guids = [x for x in failed if not GUID.fullmatch(x.guid) and x.status in INVALID_GUID_STATUSES]
    require_no(
        Finding("404", describe_response(x), x.n)
        for x in [*requested, *failed]
        if x.status != HTTPStatus.NOT_FOUND and x not in invalid_guids
    )


@pytest.mark.requirement("GET-02")
def test_get_returns_requested_event(view: JudgmentView) -> None:
    """Get MUST return the event with the requested guid."""
    gets = [x for x in _successful_gets(view) if isinstance(x.json, dict)]
    view.count("guid", gets)
    require_no(Finding(f"guid {x.guid}", describe_response(x), x.n) for x in gets if x.json.get("guid") != x.guid)


@pytest.mark.requirement("GET-03")
def test_get_equals_list(view: JudgmentView) -> None:
    """Get MUST return an event as the list shows it."""
    require_admin_reads(view)
    gets = [
        x
        for x in require_exchanges(view, Scenario.LISTS, Step.GET, if_none=no_event(view, "There was no event to get."))
        if isinstance(x.json, dict)
    ]
    rows = {
        row["guid"]: row
        for purge in view.of(Scenario.PURGE_AFTER_CHANGES, Step.PURGE)[-1:]
        for page in view.at(Scenario.PURGE_AFTER_CHANGES, purge.place.at(Phase.AFTER).of(Part.EVENTS))
        for row in resources(page)
    }
    pairs = [(x, require_list_read(view).initial.by_guid.get(x.guid)) for x in gets]
    pairs += [(x, rows.get(x.guid)) for x in target_responses(view.of(Scenario.PURGE_AFTER_CHANGES, Step.GET_SEEDED))]
    comparable = [(x, row) for x, row in pairs if _returns_requested_event(x)]
    view.count("listed-event", (x for x, row in comparable if row is not None and x.scenario is Scenario.LISTS))
    view.count("seeded-event", (x for x, row in comparable if row is not None and x.scenario is not Scenario.LISTS))
    view.count("available", gets)
    require_no(
        Finding(f"as in the list: {row}", describe_response(x), x.n)
        for x, row in comparable
        if row is not None and not _is_consistent(x.json, row)
    )
    require_found(view, gets, "200, since the event is listed")
    if not comparable:
        raise PrerequisiteFailed("no get returned the requested event in the documented format")


@pytest.mark.requirement("GET-04")
def test_get_matches_schema(view: JudgmentView) -> None:
    """The body of a get that answers 200 MUST be an app usage event that matches the documented schema."""
    gets = _successful_gets(view)
    view.count("shape", gets)
    require_no(Finding(violation.expected, violation.got, x.n) for x in gets for violation in schema_violations(x))


def _returns_requested_event(x: Exchange) -> bool:
    """Whether a get returns the requested event, and it matches the schema."""
    is_requested = x.status == HTTPStatus.OK and isinstance(x.json, dict) and x.json.get("guid") == x.guid
    return is_requested and not any(schema_violations(x))


def _is_consistent(single: Any, listed: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether the members that two representations of an event share are equal; either may have more members."""
    if isinstance(single, dict) and isinstance(listed, dict):
        return all(_is_consistent(single[name], listed[name]) for name in single.keys() & listed.keys())
    return bool(single == listed)


def _successful_gets(view: JudgmentView) -> list[Exchange]:
    successes = [x for x in view.resource_exchanges() if x.status == HTTPStatus.OK]
    gets = [x for x in successes if find_operation_id(x.method, x.path) == GET_OPERATION]
    if not gets and not view.of(Scenario.LISTS, Step.GET):
        raise_if_cut_short(view, Scenario.LISTS)
        raise no_event(view, "No get answered 200, as no list showed an event to get.")
    if not gets:
        raise NotExercised("No get answered 200.")
    return gets
