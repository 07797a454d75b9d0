"""Judgments of the queries and headers of reads: valid, invalid and unspecified ones."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import describe_response, require_exchanges, require_no, require_tried
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.paging import walks
from purge_conformance.analysis.query_rules import Validity, classify_query, parse_query
from purge_conformance.analysis.view import past_firewalls
from purge_conformance.catalogue.api import LIST_OPERATION
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_query_rejected, pagination
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CaseMode
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

# Allowed for a page that is too large or past the end.
PAGE_REJECTED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
UNUSUAL_HEADERS = ("range", "if-none-match", "if-modified-since", "content-type")


@pytest.mark.requirement("LIST-12")
def test_valid_query_is_accepted(view: JudgmentView) -> None:
    """List with valid query parameters MUST answer 200."""
    valid = [x for x, validity in _classified_lists(view) if validity is Validity.VALID]
    size_limit = max((_requested_size(x) for x in valid if x.status == HTTPStatus.OK), default=GUARANTEED_PAGE_SIZE)
    linked = _pages_linked_as_next(view)
    view.count("handwritten", (x for x in valid if x.scenario is Scenario.LISTS))
    view.count("generated", (x for x in valid if x.scenario is Scenario.GENERATED))
    require_no(
        Finding("200, since every parameter is valid", describe_response(x), x.n)
        for x in valid
        if x.status != HTTPStatus.OK
        and not (x.status in PAGE_REJECTED and (_requested_size(x) > size_limit or _may_be_past_end(x, linked)))
    )


@pytest.mark.requirement("LIST-13")
def test_invalid_query_is_rejected(view: JudgmentView) -> None:
    """List with an invalid query parameter MUST answer 400 or 422."""
    invalid = [x for x, validity in _classified_lists(view) if validity is Validity.INVALID]
    if not invalid:
        raise NotExercised("No invalid query was tried.")
    for x in invalid:
        for case in _invalid_parameters(x):
            view.count(case, [x])
    require_no(
        Finding("400 or 422, since a parameter is invalid", describe_response(x), x.n)
        for x in invalid
        if not is_query_rejected(x)
    )


@pytest.mark.requirement("LIST-14")
def test_query_never_causes_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx, whatever the query."""
    unspecified = [x for x, validity in _classified_lists(view) if validity is Validity.UNSPECIFIED]
    gets = [
        x
        for x in past_firewalls(view.of(Scenario.GENERATED, Step.GENERATED_GET))
        if x.tags[Tag.MODE] == CaseMode.NEGATIVE
    ]
    if not unspecified and not gets:
        raise NotExercised("No request with an unspecified query was tried.")
    view.count("list", unspecified)
    view.count("get", gets)
    require_no(
        Finding("a status below 500", describe_response(x), x.n)
        for x in [*unspecified, *gets]
        if (x.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


@pytest.mark.requirement("LIST-16")
def test_headers_never_cause_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx because of a request header."""
    sent = require_tried(
        view, Scenario.READS, Step.OTHER_HEADERS, if_none="No request for another form of the response was sent."
    )
    for x in sent:
        view.count(_header_case(x), [x])
    require_no(
        Finding("a status below 500", describe_response(x), x.n)
        for x in past_firewalls(sent)
        if (x.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _header_case(x: Exchange) -> str:
    """Return the case that a read with an unusual header is a trial of."""
    names = {name.lower() for name, _ in x.request_headers}
    return next((name for name in UNUSUAL_HEADERS if name in names), "accept")


def _invalid_parameters(x: Exchange) -> set[str]:
    """Return the cases that a list with an invalid query is a trial of: the parameters that are invalid alone."""
    query = parse_query(x.path)
    invalid = [name for name in query if classify_query(LIST_OPERATION, {name: query[name]}) is Validity.INVALID]
    return {name.partition("[")[0].replace("_", "-") for name in invalid}


def _classified_lists(view: JudgmentView) -> list[tuple[Exchange, Validity]]:
    """Return the lists that the admin requested, with the class of their queries."""
    return view.memoized(_find_classified_lists)


def _find_classified_lists(view: JudgmentView) -> Iterator[tuple[Exchange, Validity]]:
    require_exchanges(view, Scenario.LISTS, Step.OPENING, if_none="No list was read.")
    by_guid = require_list_read(view).initial.by_guid
    for x in past_firewalls([*view.of(Scenario.LISTS), *view.of(Scenario.GENERATED, Step.GENERATED_LIST)]):
        if x.role == ADMIN and x.route.endswith("/app_usage_events"):
            existing_guids = by_guid if x.scenario is Scenario.LISTS else {}
            yield x, classify_query(LIST_OPERATION, parse_query(x.path), existing_guids=existing_guids)


def _requested_size(exchange: Exchange) -> int:
    """Return the requested page size, or the guaranteed one if it is larger."""
    return max(GUARANTEED_PAGE_SIZE, int(exchange.query.get("per_page", 0)))


def _pages_linked_as_next(view: JudgmentView) -> set[int]:
    """Return the numbers of the exchanges whose page the page before linked as `next`."""
    pairs = (pair for walk in walks(view) for pair in pairwise(walk.exchanges))
    return {after.n for before, after in pairs if pagination(before).get("next")}


def _may_be_past_end(exchange: Exchange, linked: set[int]) -> bool:
    """Whether the page may not exist; the documentation does not specify the response past the end."""
    return int(exchange.query.get("page", 1)) > 1 and exchange.n not in linked
