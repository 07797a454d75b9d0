"""The apps that a run starts, stops and scales to cause usage events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.target.apps.by_hook import HookedApps
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from purge_conformance.client.client import Client

__all__ = ["SuiteApps", "suite_apps_for"]


def suite_apps_for(client: Client) -> SuiteApps:
    """Return the apps of a run, changed through API v3 or through the hook as `--apps` says."""
    return (HookedApps if client.settings.apps.mode is Mode.HOOK else SuiteApps)(client)
