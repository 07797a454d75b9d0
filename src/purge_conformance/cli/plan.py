"""`plan`: what a run would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.options import CONNECTION, DRIVING, configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.plan import Plan

WITHOUT = "and without an archive of all nothing is purged but on this machine"


@click.command(
    epilog="Exit codes: 0 planned, 2 usage or configuration, 3 the target cannot be reached, or is no such API."
)
@configured("target", *CONNECTION, *DRIVING, "profile", "repeat", "max_purges", "max_requests", "max_events", "hook")
def plan(*, given: dict[str, Any]) -> None:
    """Say what a run would send to a target: experiments, requests, purges, apps, how long; it only reads.

    The numbers are those of lists that fit on a page; whatever happens, --max-requests and --max-purges hold.
    """
    from purge_conformance.engine.plan import planned_for
    from purge_conformance.engine.settings import settings as settings_of
    from purge_conformance.report.text import visible

    asked = settings_of(given)
    for line in _lines(planned_for(asked), asked):
        click.echo(visible(line))


def _lines(plan: Plan, asked: Settings) -> Iterator[str]:
    from purge_conformance.target.archive import warning

    yield f"{asked.target.url}: {_number(plan.events)} events and {_number(plan.apps)} apps now"
    if plan.events and plan.events > plan.limits.events and not asked.reads_only:
        yield f"No more than {plan.limits.events} of them would be archived, {WITHOUT}: --max-events {2 * plan.events}"
    yield f"fingerprint: {plan.fingerprint or 'none, its root document has no links'}"
    if plan.last:
        yield f"The last event: {plan.last['guid']} of {plan.last['created_at']}"
        yield from warning(plan.age)
    yield f"{'experiment':12} {'requests':>8} {'purges':>8}"
    for name, cost in plan.costs.items():
        more = "  and what is left, to shorten a sequence that fails" if cost.of_left else ""
        yield f"{name:12} {cost.requests:8} {cost.purges or '':>8}{more}"
    purges = f"{plan.limits.max_purges} purges" if any(cost.purges for cost in plan.costs.values()) else "no purge"
    yield f"In all at most {plan.limits.max_requests} requests and {purges}; about {plan.seconds:.0f} s from here."
    yield f"It would make {plan.makes}." if plan.makes else "It would make and change nothing but what a purge does."
    if not (asked.reads_only or asked.target.is_loopback):
        yield f"It needs your consent: --allow-purge {asked.target.host}"


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
