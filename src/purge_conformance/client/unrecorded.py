"""The client of a command that leaves no evidence: `archive`, `cleanup`, `doctor` and `plan`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.evidence.journal import NullJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


@contextmanager
def unrecorded_client(
    settings: Settings,
    *,
    max_requests: int | None = None,
    read_only: bool = True,
    on_send: Callable[[Client, Exchange], None] = lambda *_: None,
) -> Iterator[Client]:
    """Yield a client that records nothing and, if `read_only`, sends safe methods only.

    Args:
        settings: the target, the tokens and the limits.
        max_requests: replaces the limit of the settings.
        read_only: whether an unsafe method raises `WriteBlocked`.
        on_send: called after every exchange.
    """
    limits = settings.limits if max_requests is None else replace(settings.limits, max_requests=max_requests)
    with NullJournal() as journal:
        yield Client(settings, journal, Guard(limits, read_only=read_only), on_send)
