"""What is left to do at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


def delete_apps(_: Client, foundation: SuiteApps) -> None:
    """Delete the suite's own apps."""
    foundation.delete_apps()
