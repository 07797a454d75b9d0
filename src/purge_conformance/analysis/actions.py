"""What the suite did on the target, and which of its own apps it left alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.records import CHANGED_BY_HOOK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Evidence, Exchange

EQUIP_STEP = "equip"  # step of the experiment `foundation`
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def state_changing_requests(evidence: Evidence) -> list[Exchange]:
    """Return what the suite sent to change something, or looked at when its hook had changed it."""
    return [x for x in evidence.exchanges if x.method not in SAFE_METHODS or CHANGED_BY_HOOK in x.tags]


def own_apps(evidence: Evidence) -> set[str]:
    """Return the guids of the suite's own apps."""
    return set((evidence.note("foundation", "apps") or {}).values())


def single_process_apps(evidence: Evidence) -> set[str]:
    """Return the suite's own apps if each has one process, as they were given nothing to run that could have more."""
    may_have_more = (
        EQUIP_STEP in evidence.by_step.get("foundation", {}) or evidence.header.settings.get("apps") == Mode.HOOK
    )
    return set() if may_have_more else own_apps(evidence)


def apps_unchanged_since_earlier_purge(evidence: Evidence, purge: Exchange, until: int) -> set[str]:
    """Return the suite's own apps that it left alone since the last purge but one before this one, until an exchange.

    What was done before may be recorded late, and so after the last one; there are none where there were no two.
    """
    changes = evidence.cached(state_changing_requests)
    purges = [
        x
        for x in changes
        if is_purge(x.method, x.path) and HTTPStatus.OK <= (x.status or 0) < HTTPStatus.MULTIPLE_CHOICES
    ]
    earlier_purges = [x.n for x in purges if x.sent_at + x.elapsed < purge.sent_at]
    since = earlier_purges[-2] if len(earlier_purges) > 1 else 0
    return (
        own_apps(evidence) - _app_guids(x for x in evidence.cached(state_changing_requests) if since < x.n < until)
        if since
        else set()
    )


def unchanged_apps(evidence: Evidence, purge: Exchange) -> set[str]:
    """Return the suite's own apps but the one that was changed last before a purge: that may take a while."""
    before = [x for x in evidence.cached(state_changing_requests) if x.n < purge.n and x.route.startswith(f"{APPS}/")]
    return own_apps(evidence) - _app_guids(before[-1:])


def _app_guids(requests: Iterable[Exchange]) -> set[str]:
    return {x.route.split("/")[3] for x in requests if x.route.startswith(f"{APPS}/")}
