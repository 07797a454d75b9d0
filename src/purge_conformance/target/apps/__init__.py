"""What is needed of the target besides the resource under judgment: apps to start, stop and scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.target.apps.by_hook import HookedFoundation
from purge_conformance.target.apps.suite_apps import Foundation

if TYPE_CHECKING:
    from purge_conformance.client.client import Client

__all__ = ["Foundation", "foundation_of"]


def foundation_of(client: Client) -> Foundation:
    """Return the apps of a run, which are changed as the run was asked to."""
    return (HookedFoundation if client.settings.driving.mode is Mode.HOOK else Foundation)(client)
