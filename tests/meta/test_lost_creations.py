"""What was made without an answer that names it is looked for when all is taken down, and goes as well."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.errors import BudgetExhausted, Interrupted, TargetUnreachable
from purge_conformance.evidence.listing import APPS, RUN_LABEL
from purge_conformance.target.apps import api as making
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.api import FINAL_POLLS, ORGANIZATIONS, ResourceManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]

NEVER = 1_000


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between two looks."""
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))
    monkeypatch.setattr(making, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(making, "RETRY_DELAYS", (0, 0, 0))


class Apps:
    """A stub that makes an app at each creation, and does not answer with its guid.

    Attributes:
        run: what the label of what is made says.
        made, deleted: guids.
        hidden: looks by name that do not show yet what was made.
        looks: looks by name that came.
        asked: the name of the last.
        on_look: is called at each of them.
        is_silent: whether the connection is cut in place of the answer.
        searchable: whether the list of apps can be read with a label.
    """

    def __init__(self, stub_server: StubServer) -> None:
        """Have no apps but somebody else's, and accept what is to be made."""
        self.run = ""
        self.made: list[str] = []
        self.deleted: list[str] = []
        self.hidden, self.looks = 0, 0
        self.asked = ""
        self.on_look: Callable[[], object] = lambda: None
        self.is_silent, self.searchable = False, True
        self._stub = stub_server
        stub_server.answer = self._answer

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(handler.path).path, parse_qs(urlsplit(handler.path).query)
        if handler.command == "POST":
            self.made.append(f"made-{len(self.made)}")
            if self.is_silent:
                handler.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._stub.respond(handler, 202, b"")
        elif handler.command == "DELETE":
            self.deleted.append(path.removeprefix(f"{APPS}/"))
            self._stub.respond(handler)
        elif "names" in query:
            self._show(handler, self._named(query["names"][0]))
        else:
            self._show(handler, self._labelled() if path == APPS else [], 200 if self.searchable else 403)

    def _show(self, handler: BaseHTTPRequestHandler, rows: list[dict[str, Any]], status: int = 200) -> None:
        self._stub.respond(handler, status, json.dumps({"resources": rows} if status == 200 else {}).encode())

    def _named(self, name: str) -> list[dict[str, Any]]:
        self.asked = name
        self.looks += 1
        self.on_look()
        return [{"guid": self.made[-1], "name": name}] if self.looks > self.hidden else []

    def _labelled(self) -> list[dict[str, Any]]:
        labels = {"theirs": "of-theirs", **dict.fromkeys(self.made, self.run)}
        return [
            {"guid": guid, "name": self.asked, "metadata": {"labels": {RUN_LABEL: run}}} for guid, run in labels.items()
        ]


@pytest.fixture
def apps(stub_server: StubServer) -> Apps:
    """The apps of a stub."""
    return Apps(stub_server)


def making_of(client: Client, apps: Apps) -> ResourceManager:
    """Return a maker whose apps are these."""
    maker = ResourceManager(client)
    apps.run = maker.run
    return maker


def take_down(client: Client, maker: ResourceManager) -> list[str]:
    """Take down what was made, as the end of a run does; return what is left."""
    client.guard.release_cleanup_reserve()
    return maker.remove_all()


@pytest.mark.parametrize("hidden", [0, 1 + FINAL_POLLS // 2])
def test_awaited_app_is_found_after_interrupt(hidden: int, apps: Apps, make_client: Connect) -> None:
    """An app that a job makes goes, though the run was interrupted before it was seen, and it is there only later."""
    client = make_client()
    maker = making_of(client, apps)
    apps.hidden = 1 + hidden
    apps.on_look = lambda: client.guard.close("The run was interrupted.")
    with pytest.raises(Interrupted):
        maker.create(APPS, "one")
    assert take_down(client, maker) == []
    assert apps.deleted == apps.made == ["made-0"]


def test_search_leaves_requests(apps: Apps, make_client: Connect) -> None:
    """Where the requests are spent, those that were kept back suffice for the search and for taking down the others."""
    client = make_client(max_requests=5 + FINAL_POLLS + CLEANUP_RESERVE)
    maker = making_of(client, apps)
    assert [maker.create(APPS, name)[1] for name in ("one", "two")] == ["made-0", "made-1"]
    apps.hidden = NEVER
    with pytest.raises(BudgetExhausted):
        maker.create(APPS, "three")
    assert take_down(client, maker) == []
    assert set(apps.deleted) == set(apps.made) == {"made-0", "made-1", "made-2"}


def test_app_that_never_comes_is_told(apps: Apps, make_client: Connect) -> None:
    """An app that was accepted and is found by nothing is told as left: it may come yet."""
    apps.hidden = NEVER
    client = make_client()
    maker = making_of(client, apps)
    assert maker.create(APPS, "one")[1] is None
    apps.made.clear()
    assert take_down(client, maker) == [f"{APPS} one (it was accepted and never seen)"]


def test_late_app_is_found_by_its_label(apps: Apps, make_client: Connect) -> None:
    """An app that no look by its name showed in time goes by its label."""
    apps.hidden = NEVER
    client = make_client()
    maker = making_of(client, apps)
    assert maker.create(APPS, "one")[1] is None
    assert take_down(client, maker) == []
    assert apps.deleted == ["made-0"]


def test_unanswered_creations_are_found(apps: Apps, make_client: Connect) -> None:
    """Apps that were made while the target gave no answer go by their label, and nobody else's does."""
    apps.is_silent = True
    client = make_client()
    maker = making_of(client, apps)
    assert [maker.create(APPS, name)[1] for name in ("one", "two")] == [None, None]
    with pytest.raises(TargetUnreachable):
        maker.create(APPS, "three")
    apps.is_silent = False
    assert take_down(client, maker) == []
    assert set(apps.deleted) == set(apps.made) == {"made-0", "made-1", "made-2"}


def test_search_that_fails_is_told(apps: Apps, make_client: Connect) -> None:
    """Where the list cannot be searched, it is told that something may be left, and why."""
    apps.is_silent = True
    client = make_client()
    maker = making_of(client, apps)
    assert maker.create(APPS, "one")[1] is None
    apps.searchable = False
    assert take_down(client, maker) == [
        f"{path} (what was made there without an answer cannot be looked for: 403 {{}})"
        for path in (ORGANIZATIONS, APPS)
    ]
