"""Checks that the limits of a run allow for what its scenarios send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.config.settings import limits_for
from purge_conformance.target.doctor.check import Check, ok, warning
from purge_conformance.target.doctor.duration import estimate_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.config.settings import Settings
    from purge_conformance.target.doctor.check import ProbeResult

NAME = "limits"
CONSEQUENCE = "The run would be cut short, and its verdict be inconclusive."


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """The run that is checked.

    Attributes:
        requests: how many it sends at most.
        purges: how many purges as admin it needs to judge each requirement in one trial.
        allowed_hosts: the hosts of `--allow-purge`.
    """

    requests: int = 0
    purges: int = 0
    allowed_hosts: tuple[str, ...] = ()


def checks(probe: ProbeResult, settings: Settings, planned: PlannedRun) -> Iterable[Check]:
    """Yield a warning about each limit that is too small; no run needs the sum of all bounds."""
    limits, defaults = settings.limits, limits_for(settings.repeat)
    requests = min(planned.requests + CLEANUP_RESERVE, defaults.max_requests)
    purges = min(planned.purges, defaults.max_purges)
    seconds = estimate_seconds(probe.answers, probe.work)
    too_small = [
        (flag, limit, needed)
        for flag, limit, needed in (
            ("--max-requests", limits.max_requests, requests),
            ("--max-purges", limits.max_purges, purges),
            ("--max-time", limits.max_time, seconds),
        )
        if limit < needed
    ]
    for flag, limit, needed in too_small:
        next_step = f"Give {flag} {needed:.0f}. {CONSEQUENCE}"
        yield warning(NAME, f"{flag} is {limit:,.0f}", f"{needed:,.0f} or more", next_step)
    if not too_small:
        yield ok(NAME, "they allow for what a run sends")
