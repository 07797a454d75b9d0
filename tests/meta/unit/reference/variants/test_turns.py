"""The variant whose requests wait for each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from purge_conformance.reference import behaviour_with

if TYPE_CHECKING:
    from purge_conformance.reference.behaviour import Behaviour


def most_at_once(behaviour: Behaviour) -> int:
    """Send two requests at once to an application that yields to others meanwhile; return how many it ever had."""
    running: set[int] = set()
    counts: list[int] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401 -- ASGI
        running.add(scope["number"])
        await asyncio.sleep(0)
        counts.append(len(running))
        running.remove(scope["number"])

    async def send_both() -> None:
        wrapped: Any = behaviour.wrap_app(app)
        await asyncio.gather(*(wrapped({"type": "http", "number": number}, None, None) for number in (1, 2)))

    asyncio.run(send_both())
    return max(counts)


def test_requests_wait_for_each_other() -> None:
    """Only with the variant, the second request begins after the first is answered."""
    assert most_at_once(behaviour_with([])) == 2
    assert most_at_once(behaviour_with(["one-request-at-a-time"])) == 1
