"""The worker pool: every item is processed, and a crash loses only the current item."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from functools import partial
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

from purge_conformance.selfcheck import workers

if TYPE_CHECKING:
    from collections.abc import Callable


def yield_work(work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- mypy takes a partial of a class for its constructor
    """Return a context manager factory that yields this function."""
    return partial(nullcontext, work)


def test_every_item_is_processed() -> None:
    """Every item returns its result once."""
    assert sorted(workers.map_unordered(yield_work(str), range(5), jobs=2)) == [(n, str(n)) for n in range(5)]


def test_exception_loses_only_item() -> None:
    """An item whose work raises is lost with the reason, and the others are processed."""
    results = dict(workers.map_unordered(yield_work(int), ["1", "one", "2"], jobs=1))
    assert (results["1"], results["2"]) == (1, 2)
    assert results["one"] == workers.WorkerFailed("ValueError: invalid literal for int() with base 10: 'one'")


def test_crash_loses_only_item() -> None:
    """A process that dies loses its item, and another process continues with the rest."""
    results = dict(workers.map_unordered(yield_work(os._exit), [3, 4], jobs=1))
    assert results == {code: workers.WorkerFailed(f"its process ended with {code}") for code in (3, 4)}


def test_closed_pool_leaves_no_process() -> None:
    """A closed pool leaves no process, even with work in progress."""
    with closing(workers.map_unordered(yield_work(str), range(9), jobs=3)) as results:
        next(results)
    assert active_children() == []
