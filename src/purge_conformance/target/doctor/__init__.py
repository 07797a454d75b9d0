"""Finds defects of a configuration before a run, from a few responses; each finding has its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.errors import ChecksFailed, TargetUnusable
from purge_conformance.target.doctor import (
    apps,
    connectivity,
    consent,
    hook,
    inventory,
    limits,
    resources,
    tokens,
)
from purge_conformance.target.doctor.check import Check, Effect, ProbeResult, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.target.doctor.limits import PlannedRun

__all__ = ["Check", "Effect", "ProbeResult", "Status", "checks", "checks_before_run", "require_hook", "require_ready"]


def checks_before_run(probe: ProbeResult, settings: Settings) -> tuple[Check, ...]:
    """Return what the probe shows of connection, API, tokens, space and droplet, the most important first.

    A run has its own findings about apps and events: it judges them, and warns about its archive.
    """
    return (
        *connectivity.checks(probe.answers, settings),
        *tokens.checks(probe, settings),
        *resources.checks(probe.answers),
    )


def checks(probe: ProbeResult, settings: Settings, planned: PlannedRun | None = None) -> tuple[Check, ...]:
    """Return all findings of `doctor`: those before a run, then the rest, with the hook, which is asked here."""
    return (
        *checks_before_run(probe, settings),
        *consent.checks(probe.answers, settings, planned.allowed_hosts if planned else ()),
        *inventory.checks(probe.answers, settings),
        *apps.checks(probe.answers, settings),
        *(limits.checks(probe, settings, planned) if planned else ()),
        *hook.checks(settings),
    )


def require_ready(found: Sequence[Check]) -> None:
    """Require that no finding stops a run.

    Raises:
        ChecksFailed: the user has to correct something; the message lists all of it.
        TargetUnusable: nothing can be judged.
    """
    problems = [check for check in found if check.effect is Effect.REFUSAL]
    if problems:
        raise ChecksFailed(_describe(problems))
    for check in found:
        if check.effect is Effect.NO_JUDGMENT:
            raise TargetUnusable(str(check), check.cause)


def require_hook(settings: Settings) -> None:
    """Require that the hook answers, if there is one; nothing else is asked.

    Raises:
        ChecksFailed: it does not.
    """
    require_ready([*hook.checks(settings)])


def _describe(problems: Iterable[Check]) -> str:
    return "\n".join(["A run would fail, so nothing was created, changed or purged.", *map(str, problems)])
