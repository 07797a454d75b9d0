"""The crew: all gets done, and a process that dies costs one item."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from functools import partial
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

from purge_conformance.selfcheck import workers as crew

if TYPE_CHECKING:
    from collections.abc import Callable


def doing(work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- mypy takes a partial of a class for its constructor
    """Return what begins a block that yields this work."""
    return partial(nullcontext, work)


def test_all_is_done() -> None:
    """Every item comes back with what was made of it, once."""
    assert sorted(crew.map_unordered(doing(str), range(5), jobs=2)) == [(n, str(n)) for n in range(5)]


def test_failure_costs_its_item() -> None:
    """An item that the work fails at is lost with the reason, and the others get done."""
    done = dict(crew.map_unordered(doing(int), ["1", "one", "2"], jobs=1))
    assert (done["1"], done["2"]) == (1, 2)
    assert done["one"] == crew.WorkerFailed("ValueError: invalid literal for int() with base 10: 'one'")


def test_death_costs_its_item() -> None:
    """A process that dies costs the item it was at; another goes on with the rest."""
    done = dict(crew.map_unordered(doing(os._exit), [3, 4], jobs=1))
    assert done == {code: crew.WorkerFailed(f"its process ended with {code}") for code in (3, 4)}


def test_nobody_is_left_behind() -> None:
    """Whoever stops listening ends all processes, whatever they are at."""
    with closing(crew.map_unordered(doing(str), range(9), jobs=3)) as found:
        next(found)
    assert active_children() == []
