"""`plan`: shows what a run would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import APP_KEYS, CONNECTION_KEYS, allow_incomplete_archive_option, with_configuration
from purge_conformance.cli.output import write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.loader import Options
    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.plan import Plan


@click.command(
    epilog="Exit codes: 0 planned, 2 usage or configuration, 3 the target is unreachable or is not this API."
)
@with_configuration(
    "target",
    *CONNECTION_KEYS,
    *APP_KEYS,
    "profile",
    "repeat",
    "max_purges",
    "max_requests",
    "max_events",
    "max_time",
    "hook",
    "hook_env",
)
@allow_incomplete_archive_option
def plan(*, values: Options, allow_incomplete_archive: bool) -> None:
    """Show what a run would send to a target; only reads.

    Shows scenarios, requests, purges, apps and duration. The numbers assume lists that fit on one page; --max-requests
    and --max-purges are never exceeded.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.config.build import build_settings
    from purge_conformance.engine.plan import plan_run

    settings = log_in(build_settings(values | {"allow_incomplete_archive": allow_incomplete_archive}))
    for line in _lines(plan_run(settings), settings):
        write_line(line)


def _lines(plan: Plan, settings: Settings) -> Iterator[str]:
    from purge_conformance.config.settings import describe_seconds

    yield from _target_lines(plan, settings)
    width = max(map(len, plan.costs))
    yield f"{'scenario':{width}} {'requests':>8} {'purges':>8}"
    for name, cost in plan.costs.items():
        more = "  plus the rest of the budget, to shorten a failing sequence" if cost.may_use_remainder else ""
        yield f"{name:{width}} {cost.requests:8} {cost.purges or '':>8}{more}"
    purges = f"{plan.limits.max_purges} purges" if any(cost.purges for cost in plan.costs.values()) else "no purge"
    yield f"In total at most {plan.limits.max_requests} requests and {purges}; about {plan.seconds:.0f} s from here."
    yield f"The run ends after at most {describe_seconds(plan.limits.max_time)} (--max-time)."
    if plan.creates:
        yield f"It would create {plan.creates}."
    elif settings.is_read_only:
        yield "It would create, change and delete nothing."
    else:
        yield "It would create and change nothing except events, which each purge replaces."
    if plan.consent:
        yield f"It needs your consent: --allow-purge {plan.consent.host}"
        if plan.consent.reason:
            yield plan.consent.reason


def _target_lines(plan: Plan, settings: Settings) -> Iterator[str]:
    from purge_conformance.target.archive import recency_warning

    yield f"{settings.target.url}: {_format_count(plan.events)} events and {_format_count(plan.apps)} apps now"
    if plan.events and plan.events > plan.limits.max_events and not settings.is_read_only:
        yield (
            f"The archive would hold only {plan.limits.max_events:,} of these events, and nothing is purged unless "
            f"all are archived. Give --max-events {2 * plan.events}"
        )
    yield f"Fingerprint: {plan.fingerprint or 'none, because the root document has no links'}"
    if plan.last:
        yield f"Newest event: {plan.last['guid']}, created at {plan.last['created_at']}"
        yield from recency_warning(plan.age)


def _format_count(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
