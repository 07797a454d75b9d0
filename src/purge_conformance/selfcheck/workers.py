"""A crew of processes that do one item after another; one that dies costs the item it was at, and no more."""

from __future__ import annotations

import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager
    from multiprocessing.process import BaseProcess

    Begin = Callable[[], AbstractContextManager[Callable[[Any], Any]]]

Item = TypeVar("Item")
PATIENCE = 5.0  # seconds until a process that should end is killed


@dataclass(frozen=True, slots=True)
class Lost:
    """What is left of an item whose process died, or failed at it."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Member(Generic[Item]):
    """One process, and the item that it is at."""

    process: BaseProcess
    item: Item


def each(begin: Begin, items: Iterable[Item], jobs: int) -> Generator[tuple[Item, Any], None, None]:
    """Yield each item with what came of it, or with `Lost`, as they get done.

    Args:
        begin: called once in each process; the block lasts as long as it, and yields what takes an item. It and the
            items must be picklable.
        items: begun in this order.
        jobs: how many processes there are, at most.
    """
    waiting = deque(items)
    crew: dict[Connection, _Member[Item]] = {}
    try:
        while waiting and len(crew) < jobs:
            _hire(crew, begin, waiting.popleft())
        while crew:
            for connection in wait(list(crew)):
                assert isinstance(connection, Connection)  # noqa: S101 -- nothing else is waited for
                member = crew.pop(connection)
                done = _received(connection, member.process)
                if waiting and not connection.closed:
                    _give(crew, connection, member.process, waiting.popleft())
                elif waiting:
                    _hire(crew, begin, waiting.popleft())
                else:
                    _dismiss(connection, member.process)
                yield member.item, done
    finally:
        for member in crew.values():
            member.process.terminate()
        for connection, member in crew.items():
            _dismiss(connection, member.process)


def _hire(crew: dict[Connection, _Member[Item]], begin: Begin, item: Item) -> None:
    context = get_context("spawn")  # the same everywhere, and safe beside threads
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, begin), daemon=False)
    process.start()
    theirs.close()
    _give(crew, ours, process, item)


def _give(crew: dict[Connection, _Member[Item]], connection: Connection, process: BaseProcess, item: Item) -> None:
    crew[connection] = _Member(process, item)
    with suppress(OSError):  # it died just now; the next look at it says so
        connection.send(item)


def _received(connection: Connection, process: BaseProcess) -> Any:  # noqa: ANN401 -- whatever is worked for
    """Return what a process has to say; where it died, the connection is closed then."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        _dismiss(connection, process)
        return Lost(f"its process ended with {process.exitcode}")


def _dismiss(connection: Connection, process: BaseProcess) -> None:
    connection.close()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()


def _work(connection: Connection, begin: Begin) -> None:
    """Do what comes through the connection until the other end is closed, and with it perhaps the whole command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the command ends us
    with begin() as work:
        while True:
            try:
                item = connection.recv()
            except EOFError:
                return
            connection.send(_done(work, item))


def _done(work: Callable[[Any], Any], item: Any) -> Any:  # noqa: ANN401 -- as in each
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this item alone
        return Lost(f"{type(error).__name__}: {error}")
