"""What a run would send, and what the target contains now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.apps import Mode
from purge_conformance.evidence.listing import APPS, resources, total_results
from purge_conformance.evidence.steps import App, Step
from purge_conformance.scenarios.definitions import cost_within_limits, planned_costs, total_cost
from purge_conformance.target.consent import needed_consent
from purge_conformance.target.doctor.duration import estimate_run
from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from purge_conformance.config.settings import Limits, Settings
    from purge_conformance.engine.readiness import Readiness
    from purge_conformance.evidence.steps import Scenario
    from purge_conformance.scenarios.definitions import Cost
    from purge_conformance.target.consent import Consent


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would send, and what the target contains now.

    Attributes:
        costs: of each scenario, in order, within the limit of purges.
        most_purges: how many purges they would send without that limit.
        limits: of the run.
        total: what the run sends at most, within its limits.
        seconds: the estimated duration.
        creates: what the run would create on the target; empty for nothing.
        events: how many there are now; None: unknown.
        apps: how many there are now; None: unknown.
        consent: what a run needs the user's consent for; None: it needs none.
        fingerprint: of the foundation; None: its root document has no links.
        last: `guid` and `created_at` of the newest event; None: there is none.
    """

    costs: dict[Scenario, Cost]
    most_purges: int
    limits: Limits
    total: Cost
    seconds: float
    creates: str
    events: int | None
    apps: int | None
    consent: Consent | None
    fingerprint: str | None
    last: dict[str, str] | None


def plan_run(readiness: Readiness) -> Plan:
    """Return what a run would send, once its target answers as the API."""
    settings, exchanges = readiness.settings, readiness.probe.answers
    root = next(x for x in reversed(exchanges) if x.step is Step.ROOT)  # the last of several tries
    newest = next(x for x in reversed(exchanges) if x.step is Step.NEWEST_EVENT)
    totals = {x.route: total_results(x) for x in exchanges}
    rows = resources(newest)
    return Plan(
        costs=planned_costs(settings),
        most_purges=total_cost(settings).purges,
        limits=settings.limits,
        total=cost_within_limits(settings),
        seconds=estimate_run(exchanges, readiness.probe.work, settings.limits),
        creates=_describe_apps(settings),
        events=totals.get(EVENTS_PATH),
        apps=totals.get(APPS),
        consent=needed_consent(settings, root),
        fingerprint=fingerprint_of(root),
        last={name: str(rows[0].get(name)) for name in ("guid", "created_at")} if rows else None,
    )


def _describe_apps(settings: Settings) -> str:
    if settings.is_read_only or settings.apps.mode is Mode.OBSERVE:
        return ""
    location = f"in the space {settings.apps.space}" if settings.apps.space else "in two new organizations"
    return f"{len(App)} apps {location} and a few temporary ones; all are deleted at the end"
