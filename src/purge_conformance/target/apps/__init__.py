"""The apps that a run starts, stops and scales to cause usage events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.target.apps.by_hook import HookedApps
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.client import Client

__all__ = ["SuiteApps", "suite_apps_for"]


def suite_apps_for(client: Client, announce: Callable[[str], None] = lambda _: None) -> SuiteApps:
    """Return the apps of a run, changed through API v3 or through the hook as `--apps` says.

    Args:
        client: that of the run.
        announce: is called before the first app is created, if that happens in a space that the user did not name.
    """
    return HookedApps(client) if client.settings.apps.mode is Mode.HOOK else SuiteApps(client, announce)
