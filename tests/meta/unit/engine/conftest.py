"""Fixtures of the unit tests of `engine`."""

from __future__ import annotations

import pytest

from purge_conformance.scenarios import app_changes
from purge_conformance.target.apps import resources, suite_apps


@pytest.fixture
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collect evidence without pauses and polling delays."""
    monkeypatch.setattr(app_changes, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(suite_apps, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(resources, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(resources, "RETRY_DELAYS", (0, 0, 0))
