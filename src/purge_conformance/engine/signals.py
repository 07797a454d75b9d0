"""What SIGINT and SIGTERM do to a run: the first closes the guard, and the run ends in order; the second ends it."""

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
    "Interrupted: nothing more is purged. What was put up is taken down, and what was collected is judged. "
    "Interrupt again to leave at once."
)


@contextmanager
def close_on_signal(guard: Guard, abort: Callable[[], None]) -> Iterator[None]:
    """During the block let the first signal close the guard, and each further one call `leave`.

    In a thread other than the main one signals are somebody else's matter, and nothing is changed.
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
    """Write a line to standard error, past all buffers: the signal may have come in the midst of a write."""
    os.write(2, f"\n{text}\n".encode())
