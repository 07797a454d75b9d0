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

    from purge_conformance.evidence.records import Exchange
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


def exchanges_at(client: Client, where: Where) -> list[Exchange]:
    """Return what a client recorded at a place, also exchanges that were superseded."""
    return [x for x in client._journal.exchanges if x.place == place_of(where)]  # noqa: SLF001 -- only tests read these
