"""Variants of how large a page may be, how large it is where nobody says, and what is beyond the last one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.query import MOST_PER_PAGE
from purge_conformance.reference.mutation import Change, around, registering, together
from purge_conformance.reference.store.initial_data import furnishing
from purge_conformance.reference.variants.lists import linking

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.behaviour import Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

LISTS = ("list_events", "list_apps", "list_processes", "list_organizations", "list_spaces")
FEW, MANY = 100, 10_000


def _asked(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.query_string.decode(errors="replace"), keep_blank_values=True))


def _number(text: str) -> int:
    return int(text[:9]) if text.isdecimal() else 1


def _per_page(call: Call) -> int:
    return _number(_asked(call).get("per_page", ""))


def _with_per_page(call: Call, per_page: int) -> Call:
    return replace(call, query_string=urlencode({**_asked(call), "per_page": str(per_page)}).encode())


def _bad_parameter(detail: str) -> ApiError:
    return ApiError(400, 10005, "CF-BadQueryParameter", detail)


@around(*LISTS)
def _cut(call: Call, answer: Handler) -> Reply:
    return answer(_with_per_page(call, FEW) if _per_page(call) > FEW else call)


variant("per-page-cut-to-100")(together(furnishing(started=110, stopped=5, restarts=50), _cut))


@variant("per-page-at-most-100")
@around(*LISTS)
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if _per_page(call) > FEW:
        raise _bad_parameter(f"Per page must be between 1 and {FEW}")
    return reply


@variant("per-page-at-most-10000")
@around(*LISTS)
def _(call: Call, answer: Handler) -> Reply:
    asked = _per_page(call)  # and the most that the server has room for is as good, since its lists are shorter
    if not MOST_PER_PAGE < asked <= MANY:
        return answer(call)
    return _saying(answer(_with_per_page(call, MOST_PER_PAGE)), MOST_PER_PAGE, asked)


def _saying(reply: Reply, per_page: int, said: int) -> Reply:
    """Let the links of a page name another size than it was read with."""
    text = json.dumps(reply.body["pagination"]).replace(f"per_page={per_page}", f"per_page={said}")
    return replace(reply, body={**reply.body, "pagination": json.loads(text)})


def _of_default_size(per_page: int) -> Change:
    @around(*LISTS)
    def change(call: Call, answer: Handler) -> Reply:
        return answer(call if "per_page" in _asked(call) else _with_per_page(call, per_page))

    return change


def _leaving_out(pair: tuple[str, str]) -> Change:
    return linking(lambda pairs: [each for each in pairs if each != pair])


variant("20-a-page")(together(_of_default_size(20), _leaving_out(("per_page", "20"))))
variant("100-a-page")(together(_of_default_size(100), _leaving_out(("per_page", "100"))))


def _refusing_far_pages(error: Callable[[str], ApiError]) -> Change:
    @around(*LISTS)
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        if _number(_asked(call).get("page", "")) > reply.body["pagination"]["total_pages"]:
            raise error("Page")
        return reply

    return change


variant("far-page-404")(_refusing_far_pages(problems.not_found))
variant("far-page-400")(_refusing_far_pages(_bad_parameter))
