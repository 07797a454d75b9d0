"""What is needed of the target besides the resource under judgment: apps to start, stop and scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.target.apps.by_hook import HookedApps
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from purge_conformance.client.client import Client

__all__ = ["SuiteApps", "suite_apps_for"]


def suite_apps_for(client: Client) -> SuiteApps:
    """Return the apps of a run, which are changed as the run was asked to."""
    return (HookedApps if client.settings.apps.mode is Mode.HOOK else SuiteApps)(client)
