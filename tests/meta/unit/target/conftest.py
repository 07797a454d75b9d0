"""Fixtures of the unit tests of `target`."""

from __future__ import annotations

import pytest

from purge_conformance.target.apps import jobs, resources


@pytest.fixture
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll and retry without a delay."""
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))
    monkeypatch.setattr(resources, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(resources, "RETRY_DELAYS", (0, 0, 0))
