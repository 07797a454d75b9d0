"""A client for commands that are not a run: what it sends is recorded nowhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.evidence.bodies import LateBody
from purge_conformance.evidence.journal import NullJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


@contextmanager
def unrecorded_client(
    settings: Settings,
    *,
    read_only: bool = True,
    max_requests: int | None = None,
    keeps: bool = True,
    on_exchange: Callable[[Exchange], None] = lambda _: None,
) -> Iterator[Client]:
    """Yield a client whose exchanges are not written to a file.

    Args:
        settings: the target, its tokens and the limits.
        read_only: whether the guard blocks every request that could change something.
        max_requests: the most requests, in place of the limit in the settings.
        keeps: whether the caller keeps the exchanges; else only their total size is bounded, not their memory, and the
            secrets in a body are replaced when it is read (`LateBody`).
        on_exchange: is called after every exchange.
    """
    limits = settings.limits if max_requests is None else replace(settings.limits, max_requests=max_requests)
    guard = Guard(limits, read_only=read_only, time_limit=TimeLimit(limits.max_time, begin=settings.begin))
    max_json_memory = limits.max_json_memory
    if not keeps:  # a body is bounded when it is read
        settings = replace(settings, limits=replace(settings.limits, max_json_memory=sys.maxsize))
    with NullJournal(keeps=keeps) as journal:
        client = Client(settings, journal, guard, lambda _, exchange: on_exchange(exchange))
        if not keeps:
            redact = client.redactor.redact_bytes
            client.redact_body = partial(LateBody, redact=redact, max_memory=max_json_memory)
        yield client
