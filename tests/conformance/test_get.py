"""Getting one event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive, NotExercised, answer, answered, hold, need
from purge_conformance.analysis.history import may_read
from purge_conformance.analysis.list_reads import reading
from purge_conformance.analysis.openapi import operation_of
from purge_conformance.analysis.query_rules import GUID
from purge_conformance.analysis.schema import misshapen
from purge_conformance.evidence.listing import read_listing, resources
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.records import Exchange

GET = "getAppUsageEvent"
OK = 200
REFUSED = {400, 422}  # where the guid is no UUID


@pytest.mark.requirement("GET-01")
def test_unknown_guid_not_found(seen: Seen) -> None:
    """The get of a guid that no event has MUST answer 404."""
    listed = read_listing(seen, "lifecycle", "end.events").by_guid
    asked = [x for x in need(seen, "reads", "unknown", why="no unknown guid was asked for") if x.guid not in listed]
    may_read(seen)
    generated = [x for x in seen.of("contract", GET) if (x.tags["auth"], x.tags["mode"]) == ("token", "positive")]
    existing = {row["guid"] for x in seen.of("contract", "event") for row in resources(x)}
    failed = [x for x in answered(generated) if x.status != OK and x.guid not in existing]
    odd = [x for x in failed if not GUID.fullmatch(x.guid) and x.status in REFUSED]
    hold(Finding("404", answer(x), x.n) for x in [*asked, *failed] if x.status != 404 and x not in odd)


@pytest.mark.requirement("GET-02")
def test_guid_is_asked_one(seen: Seen) -> None:
    """A get MUST return the event whose guid was asked for."""
    hold(
        Finding(f"guid {x.guid}", answer(x), x.n)
        for x in _gets(seen)
        if isinstance(x.json, dict) and x.json.get("guid") != x.guid
    )


@pytest.mark.requirement("GET-03")
def test_get_equals_list(seen: Seen) -> None:
    """An event MUST be the same in the list and when it is got by its guid."""
    may_read(seen)
    gets = [x for x in need(seen, "lists", "get", why="there was no event to get") if isinstance(x.json, dict)]
    rows = {row["guid"]: row for page in seen.of("changed", "after.events") for row in resources(page)}
    pairs = [(x, reading(seen).opening.by_guid.get(x.guid)) for x in gets]
    pairs += [(x, rows.get(x.guid)) for x in answered(seen.of("changed", "seeded"))]
    shown = [(x, row) for x, row in pairs if _shows_what_was_asked(x)]
    hold(
        Finding(f"as in the list: {row}", answer(x), x.n)
        for x, row in shown
        if row is not None and not _agree(x.json, row)
    )
    hold(Finding("200, the event is in the list", answer(x), x.n) for x in gets if x.status != OK)
    if not shown:
        raise Inconclusive("no get showed the event that was asked for: see GET-02 and GET-04", Cause.TARGET)


@pytest.mark.requirement("GET-04")
def test_get_has_shape(seen: Seen) -> None:
    """The body of a get that answers 200 MUST be an app usage event of the documented shape."""
    hold(Finding(violation.expected, violation.got, x.n) for x in _gets(seen) for violation in misshapen(x))


def _shows_what_was_asked(x: Exchange) -> bool:
    """Whether a get shows an event of the documented shape, and the one that was asked for."""
    return x.status == OK and isinstance(x.json, dict) and x.json.get("guid") == x.guid and not any(misshapen(x))


def _agree(got: Any, listed: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether two sights of an event show the same, as far as both show it; either may show more than is documented."""
    if isinstance(got, dict) and isinstance(listed, dict):
        return all(_agree(got[name], listed[name]) for name in got.keys() & listed.keys())
    return bool(got == listed)


def _gets(seen: Seen) -> list[Exchange]:
    found = [x for x in seen.resource() if x.status == OK and operation_of(x.method, x.path) == GET]
    if not found:
        raise NotExercised("no get answered 200")
    return found
