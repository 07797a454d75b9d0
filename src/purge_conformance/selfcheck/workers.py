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

    WorkerSetup = Callable[[], AbstractContextManager[Callable[[Any], Any]]]

Item = TypeVar("Item")
STOP_TIMEOUT_S = 5.0  # seconds until a process that should end is killed


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """What is left of an item whose process died, or failed at it."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Worker(Generic[Item]):
    """One process, and the item that it is at."""

    process: BaseProcess
    item: Item


def map_unordered(setup: WorkerSetup, items: Iterable[Item], jobs: int) -> Generator[tuple[Item, Any], None, None]:
    """Yield each item with what came of it, or with `Lost`, as they get done.

    Args:
        setup: called once in each process; the block lasts as long as it, and yields what takes an item. It and the
            items must be picklable.
        items: begun in this order.
        jobs: how many processes there are, at most.
    """
    queue = deque(items)
    workers: dict[Connection, _Worker[Item]] = {}
    try:
        while queue and len(workers) < jobs:
            _start_worker(workers, setup, queue.popleft())
        while workers:
            for connection in wait(list(workers)):
                assert isinstance(connection, Connection)  # noqa: S101 -- nothing else is waited for
                worker = workers.pop(connection)
                result = _receive_result(connection, worker.process)
                if queue and not connection.closed:
                    _send_item(workers, connection, worker.process, queue.popleft())
                elif queue:
                    _start_worker(workers, setup, queue.popleft())
                else:
                    _stop_worker(connection, worker.process)
                yield worker.item, result
    finally:
        for worker in workers.values():
            worker.process.terminate()
        for connection, worker in workers.items():
            _stop_worker(connection, worker.process)


def _start_worker(workers: dict[Connection, _Worker[Item]], setup: WorkerSetup, item: Item) -> None:
    context = get_context("spawn")  # the same everywhere, and safe beside threads
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_worker_main, args=(child_end, setup), daemon=False)
    process.start()
    child_end.close()
    _send_item(workers, parent_end, process, item)


def _send_item(
    workers: dict[Connection, _Worker[Item]], connection: Connection, process: BaseProcess, item: Item
) -> None:
    workers[connection] = _Worker(process, item)
    with suppress(OSError):  # it died just now; the next look at it says so
        connection.send(item)


def _receive_result(connection: Connection, process: BaseProcess) -> Any:  # noqa: ANN401 -- whatever is worked for
    """Return what a process has to say; where it died, the connection is closed then."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        _stop_worker(connection, process)
        return WorkerFailed(f"its process ended with {process.exitcode}")


def _stop_worker(connection: Connection, process: BaseProcess) -> None:
    connection.close()
    process.join(STOP_TIMEOUT_S)
    if process.is_alive():
        process.kill()
        process.join()


def _worker_main(connection: Connection, setup: WorkerSetup) -> None:
    """Do what comes through the connection until the other end is closed, and with it perhaps the whole command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the command ends us
    with setup() as work:
        while True:
            try:
                item = connection.recv()
            except EOFError:
                return
            connection.send(_run_item(work, item))


def _run_item(work: Callable[[Any], Any], item: Any) -> Any:  # noqa: ANN401 -- as in each
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this item alone
        return WorkerFailed(f"{type(error).__name__}: {error}")
