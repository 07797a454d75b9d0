"""Estimates how long a run takes, from the responses to a few requests."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.config.settings import Limits
    from purge_conformance.evidence.records import Exchange

OVERHEAD_S = 10.0  # for generating cases and for judging
EXPIRY_MARGIN_S = 60.0  # how much longer than the estimate a token has to be valid


def estimate_seconds(exchanges: Sequence[Exchange], requests: int) -> float:
    """Return about how many seconds so many requests take, if these exchanges are typical, and judging."""
    return OVERHEAD_S + median(x.elapsed for x in exchanges) * requests


def estimate_run(exchanges: Sequence[Exchange], requests: int, limits: Limits) -> float:
    """Return the same for a run that its limits may cut short."""
    return min(estimate_seconds(exchanges, min(requests, limits.max_requests)), limits.max_time)
