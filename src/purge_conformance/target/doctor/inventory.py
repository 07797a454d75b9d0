"""Reports the foundation's fingerprint, apps and events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import is_page, resources, total_results
from purge_conformance.evidence.steps import Step
from purge_conformance.target.archive import RECENT_S
from purge_conformance.target.doctor.check import Check, ok, refusal, warning
from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def checks(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield findings about the foundation's identity and about each list that can be read."""
    fingerprint = next((fingerprint_of(x) for x in exchanges if x.step is Step.ROOT), None)
    if fingerprint:
        yield _check_fingerprint(fingerprint, settings.fingerprint)
    for x in exchanges:
        if x.step is Step.APPS and is_page(x):
            yield ok("apps", f"{_format_count(x)} listed")
        elif x.step in {Step.APPS, Step.EVENTS} and x.status is not None and not is_page(x):
            got = f"{x.status} to GET {x.path}"
            next_step = "See the target's log for this request; most requirements are judged by it."
            yield warning(x.step, got, "a page of the list", next_step)
    events = next((x for x in exchanges if x.step is Step.EVENTS and is_page(x)), None)
    newest = next((x for x in exchanges if x.step is Step.NEWEST_EVENT and is_page(x)), None)
    if events and newest:
        yield _check_events(events, newest, settings)


def _check_fingerprint(fingerprint: str, pinned: str | None) -> Check:
    if pinned in {None, fingerprint}:
        return ok("fingerprint", fingerprint)
    next_step = "Check the URL. If it is right, set `fingerprint` in the configuration to the value above."
    return refusal("fingerprint", fingerprint, pinned or "", next_step)


def _check_events(events: Exchange, newest: Exchange, settings: Settings) -> Check:
    total, maximum = total_results(events) or 0, settings.limits.max_events
    if total > maximum:
        next_step = f"Give --max-events {2 * total}: a run purges nothing unless all events are archived."
        may_purge = settings.is_read_only or settings.allow_incomplete_archive
        return (warning if may_purge else refusal)("events", f"{total:,} exist", f"at most {maximum:,}", next_step)
    rows = resources(newest)
    created = clock.parse_rfc3339(rows[0].get("created_at")) if rows else None
    if created is None:
        return ok("events", f"{_format_count(events)} exist")
    now = clock.parse_http_date(newest.header("Date")) or time.time()
    age = max(0.0, now - created.timestamp())
    got = f"{_format_count(events)} exist; the newest is {rows[0].get('guid')}, {age:,.0f} s old"
    if age >= RECENT_S:
        return ok("events", got)
    next_step = "Make sure your billing consumer has read these events first."
    return warning("events", got, f"none of the last {RECENT_S:g} s", next_step)


def _format_count(exchange: Exchange) -> str:
    total = total_results(exchange)
    return "an unknown number" if total is None else f"{total:,}"
