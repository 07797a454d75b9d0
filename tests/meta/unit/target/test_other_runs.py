"""A run sees another run of the suite on its target, and stops before it changes anything."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.labelled_resources import LabelledResources
from purge_conformance.catalogue.model import Profile
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine.session import FrontEnd, prepare_run
from purge_conformance.errors import RunInProgress
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES
from purge_conformance.target.other_runs import MAX_REQUESTS, require_first_run, require_no_other_run

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer


@pytest.fixture
def foundation(stub_server: StubServer) -> LabelledResources:
    """A foundation with an app of another client."""
    resources = LabelledResources(stub_server)
    resources.add(APPS, "others-app", None, age=60)
    return resources


def settings_for(stub_server: StubServer) -> Settings:
    """Return the settings of a run against the stub."""
    return Settings(Target(stub_server.url), {"admin": "an-opaque-secret"}, limits=Limits(timeout=5))


@pytest.mark.parametrize("kind", [APPS, SPACES, ORGANIZATIONS])
def test_active_run_is_named(kind: str, foundation: LabelledResources, stub_server: StubServer) -> None:
    """The message names the run that was active last, its age and the next steps; a few reads suffice."""
    foundation.add(kind, "one", "0123abcd", age=1800)
    foundation.add(kind, "two", "4567cdef", age=600)
    with pytest.raises(RunInProgress) as caught:
        require_no_other_run(settings_for(stub_server))
    message = str(caught.value)
    assert f"4567cdef, changed {stub_server.url} 10 min ago" in message
    assert f"`purge-conformance cleanup {stub_server.url} --run 4567cdef`" in message
    assert "--alongside" in message
    assert {line.split()[0] for line, _ in stub_server.received} == {"GET"}
    assert len(stub_server.received) <= MAX_REQUESTS


def test_old_run_is_ignored(foundation: LabelledResources, stub_server: StubServer) -> None:
    """What a run left more than an hour ago, and what other clients created, stops no run."""
    foundation.add(APPS, "old", "0123abcd", age=3700)
    require_no_other_run(settings_for(stub_server))
    assert [target.partition("?")[0] for target in stub_server.targets] == [APPS, ORGANIZATIONS, SPACES]


@pytest.mark.parametrize(("second", "stops"), [(29, True), (30, True), (31, False)])
def test_later_run_stops(second: int, foundation: LabelledResources, stub_server: StubServer, *, stops: bool) -> None:
    """Of two runs that begin together, the later one to create its apps stops; both do if that was in one second."""
    for kind, guid, run, created in ((APPS, "own", "0123abcd", 30), (SPACES, "others", "4567cdef", second)):
        foundation.add(kind, guid, run, age=5)
        row = foundation.rows[kind][guid]
        row["updated_at"], row["created_at"] = row["created_at"], f"2026-01-01T00:00:{created}Z"
    stopped = pytest.raises(RunInProgress, match="4567cdef") if stops else nullcontext()
    with unrecorded_client(settings_for(stub_server)) as client, stopped:
        require_first_run(client, "0123abcd")


def test_hostile_label_is_quoted(foundation: LabelledResources, stub_server: StubServer) -> None:
    """The label of a hostile target is quoted for the shell, and spelled out."""
    foundation.add(APPS, "one", "$(reboot)\n\x1b[2J" + "x" * 10_000, age=60)
    with pytest.raises(RunInProgress) as caught:
        require_no_other_run(settings_for(stub_server))
    message = str(caught.value)
    assert "--run '$(reboot) \\x1b[2J" in message
    assert message.isprintable()
    assert len(message) < 1000


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_unreadable_list_shows_no_run(status: int, stub_server: StubServer) -> None:
    """A target that cannot be searched stops no run, and gets no more requests for that."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status, b"[]", Retry_After="0")
    require_no_other_run(settings_for(stub_server))
    assert 0 < len(stub_server.received) <= MAX_REQUESTS


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"pagination": 1, "resources": [1, null, {"metadata": 1}]}'])
def test_malformed_list_shows_no_run(body: bytes, stub_server: StubServer) -> None:
    """A malformed list crashes nothing."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    require_no_other_run(settings_for(stub_server))


def test_order_may_be_rejected(foundation: LabelledResources, stub_server: StubServer) -> None:
    """A target that rejects the order is searched without it."""
    foundation.add(APPS, "one", "0123abcd", age=60)
    answer = stub_server.answer

    def reject_order(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, 400) if "order_by" in handler.path else answer(handler)

    stub_server.answer = reject_order
    with pytest.raises(RunInProgress, match="0123abcd"):
        require_no_other_run(settings_for(stub_server))
    assert len(stub_server.received) <= MAX_REQUESTS


def test_run_stops_beside_another(foundation: LabelledResources, stub_server: StubServer, tmp_path: Path) -> None:
    """A run is refused before it changes anything, and leaves no folder."""
    foundation.add(APPS, "one", "0123abcd", age=60)
    search = stub_server.answer
    stub_server.answer = lambda handler: (
        search(handler) if "label_selector" in handler.path else stub_server.respond(handler, 404)
    )
    (tmp_path / "token").write_text("opaque", encoding="utf-8")
    out = tmp_path / "out"
    values = {"target": stub_server.url, "tokens": {"admin": f"file:{tmp_path / 'token'}"}, "out": str(out)}
    quiet = FrontEnd(lambda _: None, lambda _: None, lambda *_: pytest.fail("aborted"), rehearse=lambda _: None)
    with pytest.raises(RunInProgress, match="0123abcd"):
        prepare_run(values, (), quiet)
    assert not out.exists()
    assert {line.split()[0] for line, _ in stub_server.received} == {"GET"}
    assert prepare_run(values | {"alongside": True}, (), quiet)[1].path == out


@pytest.mark.parametrize("more", [{"alongside": True}, {"profiles": (Profile.OBSERVE_ONLY,)}, {"owns_target": True}])
def test_run_may_ignore_others(more: dict[str, Any], foundation: LabelledResources, stub_server: StubServer) -> None:
    """With --alongside, where the run only reads, and on its own server, others are not searched for."""
    foundation.add(APPS, "one", "0123abcd", age=60)
    require_no_other_run(replace(settings_for(stub_server), **more))
    assert stub_server.received == []
