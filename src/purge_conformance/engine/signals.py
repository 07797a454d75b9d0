"""SIGINT and SIGTERM during a run: the first ends the scenarios and deletes the apps, the second ends the process."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from purge_conformance.client.guard import Guard

SIGNALS = (signal.SIGINT, signal.SIGTERM)
FIRST_SIGNAL_MESSAGE = (
    "Interrupted. No further purge is sent. Deleting the apps this run created, then judging the evidence collected so "
    "far. Interrupt again to exit at once."
)


def interrupt_on_sigterm() -> None:
    """Let SIGTERM raise KeyboardInterrupt, as SIGINT does: CI systems cancel a job with SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def close_on_signal(guard: Guard, abort: Callable[[], None]) -> Iterator[None]:
    """During the block, let the first signal close the guard and each further one call `abort`.

    Only the main thread can handle signals; in another thread this does nothing.
    """

    def handle(number: int, _: FrameType | None) -> None:
        if guard.close_reason:
            abort()
        guard.close(f"The run was interrupted ({signal.Signals(number).name}).")
        write_stderr(FIRST_SIGNAL_MESSAGE)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def write_stderr(text: str) -> None:
    """Write a line to standard error without buffering: the signal may have interrupted another write."""
    os.write(2, f"\n{text}\n".encode())
