"""The last look: has anything come back that was destroyed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance import look

if TYPE_CHECKING:
    from purge_conformance.client import Client
    from purge_conformance.foundation import Foundation


def late(client: Client, foundation: Foundation) -> None:
    """Make one more ordinary event, look at everything, and get again what was destroyed."""
    foundation.stir()
    look.everything(client, "last")
    for exchange in client.sent("purge", "destroyed"):
        client.get(exchange.path, "destroyed")


def demolish(_: Client, foundation: Foundation) -> None:
    """Delete the suite's own apps."""
    foundation.demolish()
