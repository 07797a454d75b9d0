"""`plan`: what a run would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.options import APP_KEYS, CONNECTION_KEYS, with_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.plan import Plan

NO_ARCHIVE_NO_PURGE = "and without an archive of all nothing is purged but on this machine"


@click.command(
    epilog="Exit codes: 0 planned, 2 usage or configuration, 3 the target cannot be reached, or is no such API."
)
@with_configuration(
    "target", *CONNECTION_KEYS, *APP_KEYS, "profile", "repeat", "max_purges", "max_requests", "max_events", "hook"
)
def plan(*, given: dict[str, Any]) -> None:
    """Print what a run would send to a target: scenarios, requests, purges, apps, duration; it sends reads only.

    The numbers assume that every list fits on one page; --max-requests and --max-purges always hold.
    """
    from purge_conformance.engine.plan import plan_run
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.report.text import visible

    settings = settings_of(given)
    for line in _lines(plan_run(settings), settings):
        click.echo(visible(line))


def _lines(plan: Plan, settings: Settings) -> Iterator[str]:
    from purge_conformance.target.archive import recency_warning

    yield f"{settings.target.url}: {_format_count(plan.events)} events and {_format_count(plan.apps)} apps now"
    if plan.events and plan.events > plan.limits.max_events and not settings.is_read_only:
        yield (
            f"No more than {plan.limits.max_events} of them would be archived, "
            f"{NO_ARCHIVE_NO_PURGE}: --max-events {2 * plan.events}"
        )
    yield f"fingerprint: {plan.fingerprint or 'none, its root document has no links'}"
    if plan.last:
        yield f"The last event: {plan.last['guid']} of {plan.last['created_at']}"
        yield from recency_warning(plan.age)
    width = max(map(len, plan.costs))
    yield f"{'scenario':{width}} {'requests':>8} {'purges':>8}"
    for name, cost in plan.costs.items():
        more = "  or all that remain, to shorten a sequence that fails" if cost.may_use_remainder else ""
        yield f"{name:{width}} {cost.requests:8} {cost.purges or '':>8}{more}"
    purges = f"{plan.limits.max_purges} purges" if any(cost.purges for cost in plan.costs.values()) else "no purge"
    yield f"In all at most {plan.limits.max_requests} requests and {purges}; about {plan.seconds:.0f} s from here."
    yield (
        f"It would create {plan.creates}."
        if plan.creates
        else "It would create nothing and change only what a purge changes."
    )
    if not (settings.is_read_only or settings.target.is_loopback):
        yield f"It needs your consent: --allow-purge {settings.target.host}"


def _format_count(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
