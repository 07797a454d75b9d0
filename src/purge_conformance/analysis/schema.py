"""Violations of the documented schema, except those that other requirements judge."""

from __future__ import annotations

import json
import re
from functools import reduce
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis.openapi import Violation, find_violations
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

NON_FINITE = re.compile(rb"NaN|Infinity")


def schema_violations(exchange: Exchange) -> Iterator[Violation]:
    """Yield how body and content type differ from the document; SEED-07 judges the time of a seeded event."""
    for violation in find_violations(exchange):
        if violation.check != "status" and not _is_seed_time(exchange, violation.pointer):
            yield violation
    if constants := _non_finite_constants(exchange):
        yield Violation("body", "JSON, which has only finite numbers", ", ".join(constants))


def _non_finite_constants(exchange: Exchange) -> list[str]:
    """Return each NaN and Infinity in the place of a number, in a body that is JSON otherwise."""
    constants: list[str] = []
    if exchange.json is not None and NON_FINITE.search(exchange.body):
        json.loads(exchange.body, parse_constant=constants.append)
    return constants


def is_seed(event: Row) -> bool:
    """Whether an event has the guid of the app that it names."""
    return event.get("guid") == app_of_event(event)


def is_seed_with_invalid_time(event: Row) -> bool:
    """Whether an event is seeded and its `created_at` is not an RFC 3339 date-time."""
    return is_seed(event) and clock.parse_rfc3339(event.get("created_at")) is None


def _is_seed_time(exchange: Exchange, pointer: str) -> bool:
    *parents, member = pointer.split("/")[1:] or [""]
    event = reduce(_descend, parents, exchange.json)
    return member == "created_at" and isinstance(event, dict) and is_seed_with_invalid_time(event)


def _descend(value: Any, part: str) -> Any:  # noqa: ANN401 -- any JSON value
    return value[int(part)] if isinstance(value, list) else value.get(part)
