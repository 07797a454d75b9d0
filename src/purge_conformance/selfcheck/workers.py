"""A pool of worker processes in which a crash loses only the current item."""

from __future__ import annotations

import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager
    from multiprocessing.process import BaseProcess

    WorkerSetup = Callable[[], AbstractContextManager[Callable[[Any], Any]]]

Item = TypeVar("Item")
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP)  # a terminal sends them to all processes; the parent stops a worker
STOP_TIMEOUT_S = 5.0  # until a process that does not stop is killed


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """The result of an item whose process died or raised an exception."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Worker(Generic[Item]):
    """A process and its current item."""

    process: BaseProcess
    item: Item


def map_unordered(setup: WorkerSetup, items: Iterable[Item], jobs: int) -> Generator[tuple[Item, Any], None, None]:
    """Yield each item with its result, or with `WorkerFailed`, as soon as it is done.

    Args:
        setup: called once in each process; a context manager that yields the function for the items, and ends with
            the process. It and the items must be picklable.
        items: started in this order.
        jobs: the maximum number of processes.
    """
    queue = deque(items)
    workers: dict[Connection, _Worker[Item]] = {}
    try:
        while queue and len(workers) < jobs:
            _start_worker(workers, setup, queue.popleft())
        while workers:
            for connection in wait(list(workers)):
                assert isinstance(connection, Connection)  # noqa: S101 -- wait returns what it gets
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
    context = get_context("spawn")  # the same on all platforms, and safe with threads
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_worker_main, args=(child_end, setup), daemon=False)
    resource_tracker.ensure_running()  # it unblocks signals when it starts
    signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)  # a new process inherits it
    process.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL_SIGNALS)
    child_end.close()
    _send_item(workers, parent_end, process, item)


def _send_item(
    workers: dict[Connection, _Worker[Item]], connection: Connection, process: BaseProcess, item: Item
) -> None:
    workers[connection] = _Worker(process, item)
    with suppress(OSError):  # it has just died; the next receive notices that
        connection.send(item)


def _receive_result(connection: Connection, process: BaseProcess) -> Any:  # noqa: ANN401 -- any picklable result
    """Return the result of a process; if the process died, close the connection and return `WorkerFailed`."""
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
    """Process the items from a connection until its other end is closed, also by the end of the parent process."""
    with setup() as work:
        while True:
            try:
                item = connection.recv()
            except EOFError:
                return
            connection.send(_run_item(work, item))


def _run_item(work: Callable[[Any], Any], item: Any) -> Any:  # noqa: ANN401 -- any item and result
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 -- only this item fails
        return WorkerFailed(f"{type(error).__name__}: {error}")
