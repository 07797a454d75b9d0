"""A client of a stub server."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from meta.support.story import HEADER
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.evidence.steps import Where


@contextmanager
def clients_of(url: str, folder: Path) -> Iterator[Callable[..., Client]]:
    """Yield what makes clients of that address; their journals are in the folder, and are closed at the end."""
    with ExitStack() as journals:
        count = 0

        def make(*, tokens: Mapping[str, str] | None = None, on_send: Any = None, **limits: Any) -> Client:  # noqa: ANN401
            nonlocal count
            settings = Settings(Target(url), tokens or {"admin": "an-opaque-secret"}, limits=Limits(**limits))
            journal = journals.enter_context(Journal(folder / f"client-{count}", HEADER))
            count += 1
            guard = Guard(settings.limits)
            guard.is_archived = True
            return Client(settings, journal, guard, on_send or (lambda *_: None))

        yield make


def exchanges_at(client: Client, where: Where) -> tuple[Exchange, ...]:
    """Return the exchanges of a place so far, those that the client superseded among them."""
    key = client.scenario, client.round, place_of(where)
    return tuple(x for x in recorded_evidence(client).exchanges if x.key == key)


def recorded_evidence(client: Client) -> Evidence:
    """Return all that a client has recorded so far."""
    return client._journal.evidence()  # noqa: SLF001 -- a client only writes to its journal
