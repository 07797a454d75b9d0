"""Instances of the reference server within the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import api_factory
from purge_conformance.reference.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meta.support.reference_api import Api


@pytest.fixture
def api_behaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Behaviour], Api]]:
    """The function that creates instances with a behaviour, whose clock and guids are the same in every test."""
    with api_factory(monkeypatch) as create:
        yield create


@pytest.fixture
def api(api_behaving: Callable[[Behaviour], Api]) -> Api:
    """An instance without faults."""
    return api_behaving(Behaviour())
