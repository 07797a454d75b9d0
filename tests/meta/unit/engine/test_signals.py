"""Signals during a run."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits
from purge_conformance.engine.signals import SIGNALS, close_on_signal, interrupt_on_signal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Restore the handlers of the test process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_first_signal_closes_guard(capfd: pytest.CaptureFixture[str]) -> None:
    """The first signal closes the guard and says what happens next; the second one calls `abort`."""
    guard, aborted = Guard(Limits()), []
    with close_on_signal(guard, lambda: aborted.append(True)):
        signal.raise_signal(signal.SIGTERM)
        assert (guard.close_reason, aborted) == ("The run was interrupted (SIGTERM).", [])
        assert "Deleting the apps this run created" in capfd.readouterr().err
        signal.raise_signal(signal.SIGINT)
    assert aborted == [True]


def test_handlers_are_restored() -> None:
    """After the block the handlers are the same as before."""
    before = signal.getsignal(signal.SIGINT)
    with close_on_signal(Guard(Limits()), lambda: None):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_handle_no_signals() -> None:
    """In another thread than the main one nothing changes."""
    before, during = signal.getsignal(signal.SIGINT), []

    def run() -> None:
        with close_on_signal(Guard(Limits()), lambda: None):
            during.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert during == [before]


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_interrupt(number: int) -> None:
    """Each signal raises KeyboardInterrupt during the block, and the handlers are restored after it."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupt_on_signal():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_repeated_sighup_is_one_signal() -> None:
    """A closed terminal may send SIGHUP twice; another signal after it ends the run at once."""
    guard, aborted = Guard(Limits()), []
    with close_on_signal(guard, lambda: aborted.append(True)):
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert (guard.close_reason, aborted) == ("The run was interrupted (SIGHUP).", [])
        signal.raise_signal(signal.SIGTERM)
    assert aborted == [True]


@pytest.mark.parametrize("number", SIGNALS)
def test_ignored_signal_stays_ignored(number: int) -> None:
    """A signal that is ignored at the start, as SIGHUP under nohup, neither interrupts nor closes the guard."""
    signal.signal(number, signal.SIG_IGN)
    guard = Guard(Limits())
    with interrupt_on_signal(), close_on_signal(guard, lambda: None):
        signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    assert guard.close_reason == ""
