"""SIGINT, SIGTERM and SIGHUP: CI systems cancel a job with the second, and a closed terminal sends the third.

Each command ends with exit code 3 and one sentence. During a run the first signal ends the scenarios and deletes the
apps, the second ends the process. A signal that was ignored at the start, as SIGHUP under nohup, stays ignored.

This module imports only what is quick to import: the command installs its first handlers before all other imports.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from purge_conformance.evidence.ending import INTERRUPTED as RUN_INTERRUPTED
from purge_conformance.evidence.safe_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import NoReturn

    from purge_conformance.client.guard import Guard

    Handler = Callable[[int, FrameType | None], object]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED_EXIT_CODE = 3
INTERRUPTED = "Interrupted. The command did not finish; run it again."
FIRST_SIGNAL_MESSAGE = (
    "Interrupted. No further purge is sent. Deleting the apps this run created, then judging the evidence collected so "
    "far. Interrupt again to exit at once."
)


def exit_on_signal() -> None:
    """Let each signal end the process at once with one sentence, also while modules are being imported."""
    for number in _handled_signals():
        signal.signal(number, _exit)
    sys.unraisablehook = _exit_if_interrupted


@contextmanager
def interrupt_on_signal() -> Iterator[None]:
    """During the block, let the first signal raise KeyboardInterrupt and a further one end the process at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in _handled_signals():
            signal.signal(number, _exit)
        raise KeyboardInterrupt

    with _handlers(interrupt):
        yield


@contextmanager
def finish_on_signal(message: str) -> Iterator[list[str]]:
    """During the block, let the first signal only print a message, and a further one end the process at once.

    Yield a list, which then has the name of the first signal.
    """
    received: list[str] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name == signal.SIGHUP.name and name in received:
            return  # as in `close_on_signal`
        if received:
            _exit()
        received.append(name)
        write_stderr(f"\n{message}")

    with _handlers(remember):
        yield received


@contextmanager
def close_on_signal(guard: Guard, abort: Callable[[], None]) -> Iterator[None]:
    """During the block, let the first signal close the guard and each further one call `abort`."""

    def close(number: int) -> None:
        guard.close(f"{RUN_INTERRUPTED} ({signal.Signals(number).name}).")

    with end_on_signal(close, lambda _: abort(), FIRST_SIGNAL_MESSAGE):
        yield


@contextmanager
def end_on_signal(end: Callable[[int], None], abort: Callable[[int], None], message: str) -> Iterator[None]:
    """During the block, let the first signal call `end` and print a message, and each further one call `abort`.

    Both get the number of the signal. A closed terminal may send SIGHUP twice, from the kernel and from the shell:
    repeated, it is one signal. Only the main thread can handle signals; in another thread this does nothing.
    """
    received: set[int] = set()

    def handle(number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP and number in received:
            return
        if received:
            abort(number)
        received.add(number)
        end(number)
        write_stderr(f"\n{message}")

    with _handlers(handle):
        yield


def write_stderr(text: str) -> None:
    """Write a line to standard error without buffering: the signal may have interrupted another write."""
    with suppress(OSError):  # it may be closed
        lines = map(printable, text.split("\n"))
        os.write(2, "".join(f"{line}\n" for line in lines).encode())


@contextmanager
def _handlers(handler: Handler) -> Iterator[None]:
    """Handle the signals so during the block; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handler) for number in _handled_signals()}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def _handled_signals() -> list[signal.Signals]:
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _exit(*_: object) -> NoReturn:
    write_stderr(f"Error: {INTERRUPTED}")
    os._exit(INTERRUPTED_EXIT_CODE)


def _exit_if_interrupted(unraisable: sys.UnraisableHookArgs) -> None:
    """End the process if an interrupt was raised where Python drops every exception, as in a finalizer."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _exit()
    sys.__unraisablehook__(unraisable)
