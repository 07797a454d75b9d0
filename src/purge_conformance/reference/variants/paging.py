"""Variants of page sizes, of pages beyond the last one, and of what after_guid leaves out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.query import MAX_PER_PAGE
from purge_conformance.reference.mutation import Change, FindAll, Rows, alter_rows, combine, variant, wrap_operations
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.transitions import find_event
from purge_conformance.reference.variants.lists import alter_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Call, Handler, Reply
    from purge_conformance.reference.store.tables import AppUsageEvent


LISTS = ("list_events", "list_apps", "list_processes", "list_organizations", "list_spaces")
SMALL_PAGE, LARGE_PAGE = 100, 10_000


def _query_values(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.query_string.decode(errors="replace"), keep_blank_values=True))


def _to_integer(text: str) -> int:
    return int(text[:9]) if text.isdecimal() else 1


def _per_page(call: Call) -> int:
    return _to_integer(_query_values(call).get("per_page", ""))


def _with_per_page(call: Call, per_page: int) -> Call:
    return replace(call, query_string=urlencode({**_query_values(call), "per_page": str(per_page)}).encode())


def _bad_parameter(detail: str) -> ApiError:
    return ApiError(400, 10005, "CF-BadQueryParameter", detail)


@wrap_operations(*LISTS)
def _cap_per_page(call: Call, answer: Handler) -> Reply:
    return answer(_with_per_page(call, SMALL_PAGE) if _per_page(call) > SMALL_PAGE else call)


variant("per-page-cut-to-100")(combine(initial_data(started=110, stopped=5, restarts=50), _cap_per_page))


@variant("per-page-at-most-100")
@wrap_operations(*LISTS)
def per_page_at_most_100(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if _per_page(call) > SMALL_PAGE:
        raise _bad_parameter(f"Per page must be between 1 and {SMALL_PAGE}")
    return reply


@variant("per-page-at-most-10000")
@wrap_operations(*LISTS)
def per_page_at_most_10000(call: Call, answer: Handler) -> Reply:
    per_page = _per_page(call)
    if not MAX_PER_PAGE < per_page <= LARGE_PAGE:
        return answer(call)
    # The lists are shorter than the server's own maximum, so that it shows the same rows.
    return _rewrite_per_page_in_links(answer(_with_per_page(call, MAX_PER_PAGE)), MAX_PER_PAGE, per_page)


def _rewrite_per_page_in_links(reply: Reply, per_page: int, link_per_page: int) -> Reply:
    """Replace the page size in the links of a page."""
    text = json.dumps(reply.body["pagination"]).replace(f"per_page={per_page}", f"per_page={link_per_page}")
    return replace(reply, body={**reply.body, "pagination": json.loads(text)})


def _set_default_per_page(per_page: int) -> Change:
    @wrap_operations(*LISTS)
    def change(call: Call, answer: Handler) -> Reply:
        return answer(call if "per_page" in _query_values(call) else _with_per_page(call, per_page))

    return change


def _omit_from_links(pair: tuple[str, str]) -> Change:
    return alter_links(lambda pairs: [link_pair for link_pair in pairs if link_pair != pair])


variant("20-a-page")(combine(_set_default_per_page(20), _omit_from_links(("per_page", "20"))))
variant("100-a-page")(combine(_set_default_per_page(100), _omit_from_links(("per_page", "100"))))


def _reject_far_pages(error: Callable[[str], ApiError]) -> Change:
    @wrap_operations(*LISTS)
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        if _to_integer(_query_values(call).get("page", "")) > reply.body["pagination"]["total_pages"]:
            raise error("Page")
        return reply

    return change


variant("far-page-404")(_reject_far_pages(problems.not_found))
variant("far-page-400")(_reject_far_pages(_bad_parameter))


def _after_guid_by_time(is_after: Callable[[AppUsageEvent, AppUsageEvent], bool]) -> Change:
    """Decorate a function that decides whether an event comes after the one that after_guid names."""

    @alter_rows
    def change(session: Session, query: ListQuery, find_all: FindAll) -> Rows | None:
        anchor = find_event(session, query.single_guids.get("after_guid", ""))
        if anchor is None:
            return None
        return [row for row in find_all(replace(query, single_guids={})) if is_after(row, anchor)]

    return change


variant("after-guid-by-time-and-guid")(
    _after_guid_by_time(lambda row, anchor: (row.created_at, row.guid) > (anchor.created_at, anchor.guid))
)
variant("after-guid-keeps-the-same-second")(
    _after_guid_by_time(lambda row, anchor: row.created_at >= anchor.created_at and row.guid != anchor.guid)
)
