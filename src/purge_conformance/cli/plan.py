"""`plan`: shows what a run would send."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.checks import EPILOG, checks_as_json, exchange_printer, exit_code_of, write_checks
from purge_conformance.cli.options import json_option, with_run_flags
from purge_conformance.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.loader import Options
    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.plan import Plan
    from purge_conformance.target.doctor import Check

QUIET = 0


@click.command(epilog=EPILOG)
@with_run_flags
@json_option
def plan(*, values: Options, allow_purge: tuple[str, ...], verbosity: int | None, as_json: bool) -> None:
    """Show what a run would send to a target; only reads.

    Takes each flag of `run`, and checks them as `doctor` does. Shows scenarios, requests, purges, apps and duration.
    The numbers assume lists that fit on one page; --max-requests and --max-purges are never exceeded.
    """
    from purge_conformance.engine.plan import plan_run
    from purge_conformance.engine.readiness import examine

    readiness = examine(values, allow_purge, exchange_printer(None if as_json else verbosity))
    code = exit_code_of(readiness.checks)
    if as_json:
        planned = None if code else _as_json(plan_run(readiness))
        write_json({"plan": planned, "checks": checks_as_json(readiness.checks), "exit_code": code}, indent=2)
        sys.exit(code)
    if code == 0 and verbosity != QUIET:
        for line in _lines(plan_run(readiness), readiness.settings):
            write_line(line)
    write_checks(check for check in readiness.checks if check.status != "ok" or _is_opening(check, verbosity))
    sys.exit(code)


def _is_opening(check: Check, verbosity: int | None) -> bool:
    """Whether a check says what the run leaves open; a quiet command prints it only where the verdict stays open."""
    from purge_conformance.target.doctor.openings import PREFIX

    return verbosity != QUIET and check.name.startswith(PREFIX)


def _as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan with its scenarios as rows; `seconds` is the estimate, within the factor of `uncertainty`."""
    from dataclasses import asdict

    from purge_conformance.target.doctor.duration import UNCERTAINTY

    rows = [{"name": str(name), **asdict(cost)} for name, cost in plan.costs.items()]
    members = {name: value for name, value in asdict(plan).items() if name != "costs"}
    return {"scenarios": rows, **members, "uncertainty": UNCERTAINTY}


def _lines(plan: Plan, settings: Settings) -> Iterator[str]:
    from purge_conformance.config.settings import describe_seconds
    from purge_conformance.evidence.words import pluralize

    yield from _target_lines(plan, settings)
    width = max(map(len, plan.costs))
    yield f"{'scenario':{width}} {'requests':>8} {'purges':>8}"
    for name, cost in plan.costs.items():
        more = "  plus the rest of the budget, to shorten a failing sequence" if cost.may_use_remainder else ""
        yield f"{name:{width}} {cost.requests:8} {cost.purges or '':>8}{more}"
    purges = pluralize(plan.total.purges, "purge") if plan.total.purges else "no purge"
    yield f"In total at most {plan.total.requests} requests and {purges}; {_duration(plan)}."
    if (left_out := plan.most_purges - sum(cost.purges for cost in plan.costs.values())) > 0:
        yield f"Without --max-purges {plan.limits.max_purges} it would send {left_out} more, for further trials."
    yield f"The run ends after at most {describe_seconds(plan.limits.max_time)} (--max-time)."
    if plan.creates:
        yield f"It would create {plan.creates}."
    elif settings.is_read_only:
        yield "It would create, change and delete nothing."
    elif plan.total.purges:
        yield "It would create and change nothing except events, which each purge replaces."
    if not (plan.total.purges or settings.is_read_only):
        yield "It would send requests that must not purge; a target that obeys one all the same loses its events."
    if plan.consent:
        yield f"It needs your consent: --allow-purge {plan.consent.host}"
        if plan.consent.reason:
            yield plan.consent.reason


def _target_lines(plan: Plan, settings: Settings) -> Iterator[str]:
    yield f"{settings.target.url}: {_format_count(plan.events)} events and {_format_count(plan.apps)} apps now"
    yield f"Fingerprint: {plan.fingerprint or 'none, because the root document has no links'}"
    if plan.last:
        yield f"Newest event: {plan.last['guid']}, created at {plan.last['created_at']}"


def _duration(plan: Plan) -> str:
    from purge_conformance.target.doctor.duration import UNCERTAINTY

    return f"about {plan.seconds / UNCERTAINTY:.0f} to {plan.seconds * UNCERTAINTY:.0f} s from here"


def _format_count(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
