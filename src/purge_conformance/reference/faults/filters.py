"""Faults of the filters of the list that Cloud Foundry's documentation excludes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.reference.mutation import Change, fault, wrap_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.behaviour import Call, Handler, Reply


def _read_query_as(rewrite: Callable[[str], str]) -> Change:
    """Return the change that reads the query of a list as another one."""

    @wrap_operations("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        query = rewrite(call.query_string.decode("latin-1"))
        return answer(replace(call, query_string=query.encode("latin-1")))

    return change


def _without(pattern: str, replacement: str = "") -> Callable[[str], str]:
    return lambda query: re.sub(pattern, replacement, query)


fault("fractions-of-seconds-filtered")(_read_query_as(_without(r"(?<=created_ats=)([^&.,]*)\.\d+Z", r"\1Z")))
fault("fractions-with-operators-filtered")(_read_query_as(_without(r"(?<=%5D=)([^&.,]*)\.\d+Z", r"\1Z")))
fault("several-times-with-operator")(_read_query_as(_without(r"(%5Blt%5D=[^&,]*),[^&]*", r"\1")))
fault("several-times-with-other-operators")(_read_query_as(_without(r"(%5B(?:gte?|lte)%5D=[^&,]*),[^&]*", r"\1")))
fault("fractions-with-inclusive-operators-filtered")(_read_query_as(_without(r"(?<=te%5D=)([^&.,]*)\.\d+Z", r"\1Z")))
fault("updated-ats-with-operator-filtered")(_read_query_as(_without(r"updated_ats%5B[^&]*&?")))
fault("fraction-of-later-time-filtered")(_read_query_as(_without(r"(created_ats=[^&]*,[^&.]*)\.\d+Z", r"\1Z")))
fault("updated-ats-with-other-operators-filtered")(_read_query_as(_without(r"updated_ats%5B(?:lte?|gte)%5D[^&]*&?")))
fault("updated-ats-filtered")(_read_query_as(_without(r"updated_ats=[^&]*&?")))


def _ignore_unknown_after_guid(is_ignored: Callable[[str], bool]) -> Change:
    """Return the change that ignores an after_guid that no event has, in such queries."""

    @wrap_operations("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        query = call.query_string.decode("latin-1")
        match = re.search(r"(?:^|&)after_guid=([0-9a-f-]{36})(?=&|$)", query)
        if match and is_ignored(query) and call.behaviour.find_event(call.session, match[1]) is None:
            return answer(replace(call, query_string=query.replace(match[0], "").lstrip("&").encode("latin-1")))
        return answer(call)

    return change


fault("after-purged-guid-everything")(_ignore_unknown_after_guid(lambda _: True))
fault("after-purged-guid-in-an-order-everything")(_ignore_unknown_after_guid(lambda query: "order_by=" in query))
