"""Estimates how long a run takes, from the responses to a few requests and from its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.config.settings import Limits
    from purge_conformance.evidence.records import Exchange

OVERHEAD_S = 10.0  # for generating cases and for judging
EXPIRY_MARGIN_S = 60.0  # how much longer than the estimate a token has to be valid
# Measured in whole runs against a Cloud Controller.
TYPICAL_SHARE = 0.65  # of the requests that a run may send, it sends so many
LONGER_RESPONSE_S = 0.025  # how much longer a response takes than the fastest one to a probe: probes ask for little
APP_WITH_DROPLET_S = 4.0  # to create, provide with a droplet, start, change and delete an app
UNCERTAINTY = 1.5  # the real duration is this factor shorter or longer


@dataclass(frozen=True, slots=True)
class Work:
    """What a run is expected to do.

    Attributes:
        requests: how many it sends at most; 0: the duration is not estimated.
        waits_s: how many seconds it waits between requests.
        apps_with_droplets: how many apps it creates that need a droplet.
    """

    requests: int = 0
    waits_s: float = 0.0
    apps_with_droplets: int = 0


def estimate_seconds(exchanges: Sequence[Exchange], work: Work) -> float:
    """Return about how many seconds a run takes, with judging, if the fastest of these exchanges is typical."""
    latency = min(x.elapsed for x in exchanges) + LONGER_RESPONSE_S
    apps = APP_WITH_DROPLET_S * work.apps_with_droplets
    return OVERHEAD_S + work.waits_s + apps + latency * TYPICAL_SHARE * work.requests


def estimate_run(exchanges: Sequence[Exchange], work: Work, limits: Limits) -> float:
    """Return the same for a run that its limits may cut short."""
    requests = min(work.requests, int(limits.max_requests / TYPICAL_SHARE))
    return min(estimate_seconds(exchanges, Work(requests, work.waits_s, work.apps_with_droplets)), limits.max_time)
