"""Finds what is wrong with a configuration before a run, from a few answers; each finding comes with its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.target.doctor import (
    connectivity as reaching,
)
from purge_conformance.target.doctor import (
    hook as hooking,
)
from purge_conformance.target.doctor import (
    inventory as foundation,
)
from purge_conformance.target.doctor import (
    tokens as holding,
)
from purge_conformance.target.doctor.check import Check, ProbeResult, Status

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings

__all__ = ["Check", "ProbeResult", "Status", "checks", "checks_before_run"]


def checks_before_run(probe: ProbeResult, settings: Settings) -> tuple[Check, ...]:
    """Return what the answers that `opening.examine` got show of target and tokens, in the order in which it matters.

    What they show of apps and events a run judges, or says of its archive.
    """
    return (*reaching.checks(probe.answers, settings), *holding.checks(probe, settings))


def checks(probe: ProbeResult, settings: Settings) -> tuple[Check, ...]:
    """Return all that the answers that `opening.examine` got show, and a `newest` event; and what the hook answers."""
    return (*checks_before_run(probe, settings), *foundation.checks(probe.answers, settings), *hooking.checks(settings))
