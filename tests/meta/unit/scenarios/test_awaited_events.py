"""Polls for an event that is due: where they look, and how long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from meta.support.story import event_row
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE
from purge_conformance.scenarios import app_changes
from purge_conformance.target.apps.patience import POLL_INTERVALS, SHORT_POLL_INTERVALS, Patience

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

OTHERS = [event_row(f"seed-{n}", "other") for n in range(180)]
DUE = event_row("due", "app")


class EventStub:
    """A client whose target lists an event once that much time has passed; it counts the requests."""

    def __init__(self, due_after: float, others: list[dict[str, Any]]) -> None:
        """Start at the time of the change."""
        self._now, self._due_after, self._others = 0.0, due_after, others
        self.page_sizes = {EVENTS_PATH: 5000}
        self.paths: list[str] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def get(self, path: str, _: object) -> Any:  # noqa: ANN401 -- a response
        """Return the first rows of the list, the event last."""
        self.paths.append(path)
        rows = [*self._others, *([DUE] if self._now >= self._due_after else [])]
        return SimpleNamespace(resources=tuple(rows[: int(path.rpartition("=")[2])]))


def await_due(monkeypatch: pytest.MonkeyPatch, apps: SuiteApps, stub: EventStub, **expected: str) -> None:
    """Await the event, with these values."""
    monkeypatch.setattr("time.sleep", stub.sleep)
    app_changes.await_event(cast("Client", stub), apps, "app", (), expected)


@pytest.fixture
def apps() -> SuiteApps:
    """Apps that have awaited no event yet."""
    return cast("SuiteApps", SimpleNamespace(patience=Patience()))


def test_event_among_many_of_its_second_is_found(monkeypatch: pytest.MonkeyPatch, apps: SuiteApps) -> None:
    """An event behind more others of its second than a short page shows is found on a large page, without a pause."""
    stub = EventStub(0, OTHERS)
    await_due(monkeypatch, apps, stub)
    assert [path.rpartition("=")[2] for path in stub.paths] == [str(GUARANTEED_PAGE_SIZE), "5000"]


def test_late_event_of_earlier_change_does_not_end_polls(monkeypatch: pytest.MonkeyPatch, apps: SuiteApps) -> None:
    """Only an event that shows the expected values, or leaves them out, is the awaited one."""
    stub = EventStub(1.0, [{**DUE, "guid": "earlier", "state": {"current": "STOPPED"}}])
    await_due(monkeypatch, apps, stub, state="STARTED")
    assert len(stub.paths) > 1


@pytest.mark.parametrize(
    ("delays", "intervals"),
    [
        ((0, 99), SHORT_POLL_INTERVALS),
        ((99,), POLL_INTERVALS),
        ((99, 99), SHORT_POLL_INTERVALS),
        ((2.5, 99, 99), POLL_INTERVALS),
        ((99, 2.5, 99), POLL_INTERVALS),
        ((0, 99, 1.2), POLL_INTERVALS),
    ],
)
def test_patience_has_a_floor(
    delays: tuple[float, ...], intervals: tuple[float, ...], monkeypatch: pytest.MonkeyPatch, apps: SuiteApps
) -> None:
    """An event that never appears shortens the polls; not if one was late, and not if none has appeared yet."""
    for delay in delays:
        await_due(monkeypatch, apps, EventStub(delay, []))
    assert apps.patience.intervals == intervals
