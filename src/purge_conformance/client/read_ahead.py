"""Requests the next pages of a list while its reader works on an earlier one."""

from __future__ import annotations

from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.evidence.records import Exchange

MAX_AHEAD = 4  # pages that are requested and not yet read
SLOW_S = 0.05  # a page that takes longer is waited for, more than worked on


class ReadAhead:
    """Requests pages by number, each once.

    It requests one page while the page before is worked on. While the reader waits for slow pages, it requests more of
    them at once, and never more than `MAX_AHEAD`; once the target asked to slow down, one after the other.
    """

    def __init__(self, request: Callable[[int], Exchange], must_slow_down: Callable[[], bool]) -> None:
        """Request nothing yet.

        Args:
            request: returns a page; it is called in other threads.
            must_slow_down: whether the target has asked for fewer requests.
        """
        self._request, self._must_slow_down = request, must_slow_down
        self._futures: dict[int, Future[Exchange]] = {}
        self._jobs: SimpleQueue[tuple[int, Future[Exchange]] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._ahead = 1

    def __enter__(self) -> Self:
        """Return this; leaving the block ends the threads when their requests are done, without waiting for them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Request nothing more."""
        for future in self._futures.values():
            future.cancel()
        for _thread in self._threads:
            self._jobs.put(None)

    def page(self, number: int, last: int) -> Exchange:
        """Return a page, and request those after it, as far as there are any, up to the number `last`.

        Raises:
            Exception: as `request`.
        """
        future = self._begin(number)
        has_waited = not future.done()
        exchange = future.result()
        del self._futures[number]
        if self._must_slow_down():
            self._ahead = 1
        elif has_waited and exchange.elapsed > SLOW_S:
            self._ahead = min(self._ahead + 1, MAX_AHEAD)
        for following in range(number + 1, min(number + self._ahead, last) + 1):
            self._begin(following)
        return exchange

    def _begin(self, number: int) -> Future[Exchange]:
        if number not in self._futures:
            future: Future[Exchange] = Future()
            self._futures[number] = future
            if len(self._threads) < min(self._ahead, MAX_AHEAD):
                self._threads.append(Thread(target=self._work, daemon=True))
                self._threads[-1].start()
            self._jobs.put((number, future))
        return self._futures[number]

    def _work(self) -> None:
        while job := self._jobs.get():
            number, future = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._request(number))
                except BaseException as error:  # noqa: BLE001 -- the reader of the page gets it
                    future.set_exception(error)
