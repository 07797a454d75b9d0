"""What a refused purge destroys some time later is told from what is gone anyway."""

from __future__ import annotations

import importlib
import json
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, cast

import pytest

from purge_conformance.analysis.assertions import Broken, Inconclusive, Proven
from purge_conformance.analysis.rejected import WAITS, destroyed_later
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import ANONYMOUS
from purge_conformance.scenarios import authorization as access

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

judged = importlib.import_module("purge_conformance.conformance.test_refused")
STEPS = [f"{name} {number}" for number in range(WAITS) for name in ("idle", "later")]
A_WHILE = 0.8  # seconds; less than is waited


def waited(builder: EvidenceBuilder, *gone: bool) -> EvidenceBuilder:
    """Tell of waits by turns after nothing and after a refused purge, and whether an event was gone after each."""
    builder.add_exchange("refused", "credential", method="POST", path=PURGE_PATH, status=403)
    for step, is_gone in zip(STEPS, gone, strict=False):
        rows = [builder.event("old", "a"), builder.event("a", "a")]
        builder.add_page("refused", step, rows)
        builder.add_page("refused", step, rows[1:] if is_gone else rows)
    return builder


def test_loss_after_refusals_alone_is_theirs(builder: EvidenceBuilder) -> None:
    """Where events are gone whenever a purge was refused before, and never else, the refused purge destroyed them."""
    seen = waited(builder, *(False, True) * WAITS).judgment_view
    assert [found.loss() for found in destroyed_later(seen)] == ["2 events before, 1 after"] * WAITS
    with pytest.raises(Proven):
        judged.test_nothing_destroyed_later(seen)


@pytest.mark.parametrize(
    "gone",
    [(False, False), (False, True) * (WAITS - 1), (False, True) * (WAITS - 1) + (True,), (True, True) * WAITS],
)
def test_loss_at_other_times_is_nobodys(gone: tuple[bool, ...], builder: EvidenceBuilder) -> None:
    """What is gone but once, or after nothing as well, may be somebody else's to purge."""
    assert destroyed_later(waited(builder, *gone).judgment_view) == []


def kept_and_refused(builder: EvidenceBuilder, *left: str) -> EvidenceBuilder:
    """Tell of a purge that kept an event, and of one that was refused, after which these events are left."""
    apps, old, seed = [builder.app("a")], builder.event("old", "a"), builder.event("a", "a")
    builder.add_snapshot("purge", "before", [old], apps)
    builder.add_purge("purge")
    builder.add_snapshot("purge", "after", [old, seed], apps)
    builder.add_page("refused", "look", [old, seed])
    builder.add_exchange(
        "refused", "credential", method="POST", path=PURGE_PATH, status=401, tags={"credential": "none"}
    )
    builder.add_page("refused", "look", [row for row in (old, seed) if row["guid"] in left])
    return builder


def test_late_loss_is_the_purges(builder: EvidenceBuilder) -> None:
    """What a purge left, and is gone after a refused one, may be gone by the former: nobody knows."""
    with pytest.raises(Inconclusive, match="PURGE-03"):
        judged.test_unauthenticated_destroys_nothing(kept_and_refused(builder, "a").judgment_view)


def test_further_loss_is_the_refused_ones(builder: EvidenceBuilder) -> None:
    """Where what no purge should have destroyed is gone as well, the refused one did it."""
    with pytest.raises(Broken):
        judged.test_unauthenticated_destroys_nothing(kept_and_refused(builder, "old").judgment_view)


class Late:
    """A target that destroys its events a while after a purge was refused; its clock goes on while somebody waits."""

    def __init__(self, after: float) -> None:
        """Begin without an event."""
        self._after = after
        self._now, self._due, self._events, self._numbers = 0.0, [float("inf")], list[str](), count()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def stir(self) -> bool:
        """Record an event, as a change of an app does."""
        self._events.append(f"e{next(self._numbers)}")
        return True

    def answer(self, stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
        """Refuse a purge, or list the events."""
        if handler.command == "POST":
            self._due.append(self._now + self._after)
            stub_server.respond(handler, 403)
            return
        if min(self._due) <= self._now:
            self._due, self._events = [float("inf")], []
        rows = [{"guid": guid, "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}} for guid in self._events]
        body = json.dumps({"pagination": {"total_results": len(rows)}, "resources": rows}).encode()
        stub_server.respond(handler, body=body)


def test_waits_show_it(
    stub_server: StubServer,
    make_client: Callable[..., Client],
    builder: EvidenceBuilder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The waits by turns show a target that destroys a while after it refused."""
    late, client = Late(A_WHILE), make_client()
    stub_server.answer = partial(late.answer, stub_server)
    monkeypatch.setattr("time.sleep", late.sleep)
    client.experiment = "refused"
    access._later(client, cast("SuiteApps", late), [Request("POST", PURGE_PATH, "credential", ANONYMOUS)])  # noqa: SLF001
    builder.exchanges = [x for step in (*STEPS, "idle", "later") for x in client.exchanges_of("refused", step)]
    assert len(destroyed_later(builder.judgment_view)) == access.LATER == WAITS


def test_waits_end_when_they_tell_nothing(
    stub_server: StubServer, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is gone after a purge that was refused, it is not waited for again."""
    steady, client = Late(float("inf")), make_client()
    stub_server.answer = partial(steady.answer, stub_server)
    monkeypatch.setattr("time.sleep", steady.sleep)
    client.experiment = "refused"
    access._later(client, cast("SuiteApps", steady), [Request("POST", PURGE_PATH, "credential", ANONYMOUS)])  # noqa: SLF001
    assert [bool(client.exchanges_of("refused", step)) for step in STEPS[:3]] == [True, True, False]
