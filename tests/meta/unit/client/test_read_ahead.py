"""Pages are requested ahead of their reader: few, each once, and fewer if the target asks for it."""

from __future__ import annotations

from concurrent.futures import Future
from itertools import count
from threading import Condition
from types import SimpleNamespace
from typing import cast

import pytest

from purge_conformance.client import read_ahead
from purge_conformance.client.read_ahead import MAX_AHEAD, ReadAhead
from purge_conformance.evidence.records import Exchange

TIMEOUT_S = 30  # of a test that would otherwise not end


class Target:
    """Answers requests for pages once it is allowed to."""

    def __init__(self, elapsed: float = 1.0) -> None:
        """Answer nothing yet; each answer seems to take that many seconds."""
        self.elapsed = elapsed
        self.requested: list[int] = []
        self._allowed = 0
        self._changed = Condition()

    def request(self, number: int) -> Exchange:
        """Answer with the number of the page."""
        with self._changed:
            self.requested.append(number)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._allowed >= number, TIMEOUT_S)
        if number == 13:
            raise OSError("13")
        return cast("Exchange", SimpleNamespace(elapsed=self.elapsed, n=number))

    def allow(self, number: int) -> None:
        """Answer all requests up to this page."""
        with self._changed:
            self._allowed = number
            self._changed.notify_all()

    def wait_for(self, number: int) -> None:
        """Return once this page was requested."""
        with self._changed:
            assert self._changed.wait_for(lambda: number in self.requested, TIMEOUT_S)


def test_next_page_is_requested_meanwhile() -> None:
    """While the reader works on a page, the next one is requested, and none after the last."""
    target = Target(elapsed=0)
    target.allow(1)
    with ReadAhead(target.request, bool) as ahead:
        assert ahead.page(1, 3).n == 1
        target.wait_for(2)
        assert target.requested == [1, 2]
        target.allow(3)
        assert [ahead.page(number, 3).n for number in (2, 3)] == [2, 3]
        assert sorted(target.requested) == [1, 2, 3]


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target that answers a request for a page only after its reader began to wait for it."""
    target, pages = Target(), count(1)

    class Waiting(Future[Exchange]):
        def result(self, timeout: float | None = None) -> Exchange:
            target.allow(next(pages))
            return super().result(timeout)

    monkeypatch.setattr(read_ahead, "Future", Waiting)
    return target


def test_slow_target_is_asked_for_more(target: Target) -> None:
    """A reader that waits for each page has more of them requested at once, and never more than `MAX_AHEAD`."""
    with ReadAhead(target.request, bool) as ahead:
        for number, ahead_of_it in enumerate((2, 3, 4, 4, 4), 1):
            ahead.page(number, 100)
            target.wait_for(number + ahead_of_it)
            assert max(target.requested) == number + ahead_of_it <= number + MAX_AHEAD


def test_slowed_down_target_gets_one_request(target: Target) -> None:
    """Once the target asks for fewer requests, only one page is requested ahead."""
    with ReadAhead(target.request, lambda: True) as ahead:
        for number in range(1, 6):
            ahead.page(number, 100)
            target.wait_for(number + 1)
            assert max(target.requested) == number + 1


def test_error_is_raised_for_its_page() -> None:
    """What a request raises is raised where its page is read, not before."""
    target = Target(elapsed=0)
    target.allow(100)
    with ReadAhead(target.request, bool) as ahead:
        assert [ahead.page(number, 14).n for number in range(1, 13)] == [*range(1, 13)]
        with pytest.raises(OSError, match="13"):
            ahead.page(13, 14)
