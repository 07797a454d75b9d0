"""The conditions of a selfcheck become the settings of its runs."""

from __future__ import annotations

from purge_conformance.config.apps import Mode
from purge_conformance.config.settings import Limits, Settings, Target, limits_for
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.trials import Conditions

SETTINGS = Settings(Target("http://localhost"), {})


def test_default_conditions_change_nothing() -> None:
    """Without conditions a run has its default settings."""
    assert Conditions().apply_to(SETTINGS) == SETTINGS


def test_conditions_become_settings() -> None:
    """Each condition is the value of its flag; the limits grow with the repetitions."""
    few = Conditions(max_purges=12, mode=Mode.OBSERVE).apply_to(SETTINGS)
    assert (few.limits, few.apps.mode, few.repeat) == (Limits(max_purges=12), Mode.OBSERVE, 1)
    assert Conditions(repeat=5).apply_to(SETTINGS).limits == limits_for(5)


def test_apps_run_a_droplet() -> None:
    """Where a fault or a variant needs it, the suite's apps have something to run."""
    assert not Conditions().apply_to(SETTINGS, with_droplets=True).apps.has_nothing_to_run
    assert {server.name for server in select_servers() if server.with_droplets} >= {"misses-apps-with-a-new-droplet"}


def test_timeout_of_a_fault_is_that_of_its_run() -> None:
    """A fault that keeps requests waiting is judged with a short --timeout, under each condition."""
    assert Conditions(max_purges=12).apply_to(SETTINGS, timeout=3).limits == Limits(timeout=3, max_purges=12)
