"""What a run does in each stage, in words, and how long it still takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.evidence.steps import Scenario
from purge_conformance.scenarios.definitions import planned_costs

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.config.settings import Settings

MIN_DONE = 0.05  # share of the work after which the time that it took says how long the rest takes
IN_WORDS = {
    Scenario.PREFLIGHT: "checks target and tokens",
    Scenario.FOUNDATION: "creates apps",
    Scenario.FILL_PAGE: "records events to destroy",
    Scenario.ARCHIVE: "archives all events",
    Scenario.LISTS_BEFORE_PURGE: "reads orders and filters of the existing events",
    Scenario.PURGE: "purges, and compares events and apps",
    Scenario.SECOND_PURGE: "purges once more",
    Scenario.APP_CHANGES: "starts, stops and scales apps after a purge",
    Scenario.READS: "reads lists and events as each role",
    Scenario.REJECTED_PURGES: "sends purges that must be rejected",
    Scenario.AUTH_BYPASS: "tries to bypass the authorization",
    Scenario.LISTS: "reads pages, orders and filters",
    Scenario.PURGE_AFTER_CHANGES: "purges after apps changed",
    Scenario.GENERATED: "sends generated requests",
    Scenario.STATEFUL: "follows generated links",
    Scenario.REPEAT: "repeats purges",
    Scenario.UNEXPECTED_INPUT: "purges with unexpected bodies",
    Scenario.CHANGES_AFTER_PURGES: "changes apps after all these purges",
    Scenario.INDUCED_ERRORS: "induces errors with the hook",
    Scenario.CONCURRENT_PURGES: "sends purges at the same time",
    Scenario.RACE: "changes apps during purges",
    Scenario.PURGE_WITHOUT_STARTED_APPS: "purges while no app is started",
    Scenario.SEQUENCES: "plays sequences of changes and purges",
    Scenario.CLEANUP: "deletes its apps",
}


class Countdown:
    """Estimates the seconds that are left of a run from those that it has taken."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Start now; `clock` returns seconds."""
        self._clock, self._begin = clock, clock()
        self._costs = {name: cost.requests for name, cost in planned_costs(settings).items()}

    def seconds_left(self, scenario: Scenario, sent: int) -> float | None:
        """Return about how many seconds are left; None while too little is done to say.

        Args:
            scenario: the one that runs.
            sent: how many requests it has sent.
        """
        names, total = [*self._costs], sum(self._costs.values())
        before = names[: names.index(scenario)] if scenario in names else names
        done = sum(self._costs[name] for name in before) + min(sent, self._costs.get(scenario, 0))
        if not total or done / total < MIN_DONE:
            return None
        return (self._clock() - self._begin) * (total - done) / done
