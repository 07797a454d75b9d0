"""Which apps and events are there?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import is_page, resources, total_results
from purge_conformance.target.archive import FRESH
from purge_conformance.target.doctor.check import Check, Status, ok, warning
from purge_conformance.target.fingerprint import of_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def checks(seen: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield which foundation it is, and what the lists show, as far as they can be read."""
    found = next((of_root(x) for x in seen if x.step == "root"), None)
    if found:
        yield _fingerprint(found, settings.fingerprint)
    for x in seen:
        if x.step == "apps" and is_page(x):
            yield ok("apps", f"{_count(x)} can be seen")
        elif x.step in {"apps", "events"} and x.status is not None and not is_page(x):
            got = f"{x.status} to GET {x.path}"
            yield warning(x.step, got, "a page of the list", "See what the target answers; most is judged by it.")
    events = next((x for x in seen if x.step == "events" and is_page(x)), None)
    newest = next((x for x in seen if x.step == "newest" and is_page(x)), None)
    if events and newest:
        yield _events(events, newest, settings)


def _fingerprint(found: str, pinned: str | None) -> Check:
    if pinned in {None, found}:
        return ok("fingerprint", f"{found}{'' if pinned else ', which can be pinned'}")
    cure = "If it is the foundation that you mean, pin this one: `fingerprint` in the configuration."
    return Check("fingerprint", Status.PROBLEM, found, pinned or "", cure, is_fatal=True)


def _events(events: Exchange, newest: Exchange, settings: Settings) -> Check:
    total, most = total_results(events) or 0, settings.limits.events
    if total > most:
        cure = f"Give --max-events {2 * total}: without an archive of all nothing is purged but on this machine."
        return warning("events", f"{total:,} are there", f"at most {most:,}", cure)
    rows = resources(newest)
    created = clock.parse(rows[0].get("created_at")) if rows else None
    if created is None:
        return ok("events", f"{_count(events)} are there")
    now = clock.of_header(newest.header("Date")) or time.time()
    age = max(0.0, now - created.timestamp())
    got = f"{_count(events)} are there; the newest is {rows[0].get('guid')}, {age:,.0f} s old"
    if age >= FRESH:
        return ok("events", got)
    return warning(
        "events", got, f"none of the last {FRESH:g} s", "See that all who bill have read it before you purge."
    )


def _count(exchange: Exchange) -> str:
    total = total_results(exchange)
    return "an unknown number" if total is None else f"{total:,}"
