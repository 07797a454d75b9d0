"""Finds defects of a configuration before a run, from a few responses; each finding has its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.target.doctor import connectivity, consent, hook, inventory, tokens
from purge_conformance.target.doctor.check import Check, ProbeResult, Status

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings

__all__ = ["Check", "ProbeResult", "Status", "checks", "checks_before_run"]


def checks_before_run(probe: ProbeResult, settings: Settings) -> tuple[Check, ...]:
    """Return what the probe shows of the connection, the API and the tokens, the most important first.

    A run has its own findings about apps and events: it judges them, and warns about its archive.
    """
    return (*connectivity.checks(probe.answers, settings), *tokens.checks(probe, settings))


def checks(probe: ProbeResult, settings: Settings) -> tuple[Check, ...]:
    """Return all findings of `doctor`: those before a run, then the rest, with the hook, which is asked here."""
    return (
        *checks_before_run(probe, settings),
        *consent.checks(probe.answers, settings),
        *inventory.checks(probe.answers, settings),
        *hook.checks(settings),
    )
