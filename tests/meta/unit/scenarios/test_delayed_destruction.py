"""The waits that reveal delayed destruction."""

from __future__ import annotations

import json
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, cast

from meta.support.client import recorded_evidence
from purge_conformance.analysis.rejected import delayed_losses
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.client import Request
from purge_conformance.evidence.steps import WAITS, Place, Scenario, Step
from purge_conformance.scenarios import authorization

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    import pytest

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

READS, REJECTED = Step.WAIT_AFTER_READS, Step.WAIT_AFTER_REJECTED


class DelayedDestructionStub:
    """A target that destroys its events while the client sleeps after a rejected purge, or never."""

    def __init__(self, *, destroys: bool) -> None:
        """Start without events."""
        self._destroys = destroys
        self._is_due, self._events, self._numbers = False, list[str](), count()

    def sleep(self, _: float) -> None:
        """Destroy the events if a purge was rejected before."""
        if self._is_due:
            self._is_due = False
            self._events.clear()

    def record_event(self) -> bool:
        """Record an event, as a change of an app does."""
        self._events.append(f"e{next(self._numbers)}")
        return True

    def answer(self, stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
        """Reject a purge, or list the events."""
        if handler.command == "POST":
            self._is_due = self._destroys
            stub_server.respond(handler, 403)
            return
        rows = [{"guid": guid, "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}} for guid in self._events]
        body = json.dumps({"pagination": {"total_results": len(rows)}, "resources": rows}).encode()
        stub_server.respond(handler, body=body)


def test_waits_reveal_delayed_destruction(
    stub_server: StubServer,
    make_client: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The alternating waits reveal a target that destroys events a while after a rejection."""
    late, client = DelayedDestructionStub(destroys=True), make_client()
    stub_server.answer = partial(late.answer, stub_server)
    monkeypatch.setattr("time.sleep", late.sleep)
    client.begin(Scenario.REJECTED_PURGES)
    authorization._wait_for_delayed_effects(  # noqa: SLF001 -- one wait of many
        client, cast("SuiteApps", late), [Request("POST", PURGE_PATH, Step.CREDENTIAL, ANONYMOUS)]
    )
    view = JudgmentView(recorded_evidence(client))
    assert [span.step for span in view.spans(Scenario.REJECTED_PURGES)] == [READS, REJECTED] * WAITS
    assert len(delayed_losses(view)) == WAITS


def test_waits_stop_without_information(
    stub_server: StubServer, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no event is gone after a rejected purge, there is no further wait."""
    unchanged, client = DelayedDestructionStub(destroys=False), make_client()
    stub_server.answer = partial(unchanged.answer, stub_server)
    monkeypatch.setattr("time.sleep", unchanged.sleep)
    client.begin(Scenario.REJECTED_PURGES)
    authorization._wait_for_delayed_effects(  # noqa: SLF001 -- one wait of many
        client, cast("SuiteApps", unchanged), [Request("POST", PURGE_PATH, Step.CREDENTIAL, ANONYMOUS)]
    )
    spans = recorded_evidence(client).spans(Scenario.REJECTED_PURGES)
    assert [span.place for span in spans] == [Place(READS, 0), Place(REJECTED, 0)]
