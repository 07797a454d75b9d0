"""Resources whose creation was not acknowledged are found and deleted."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.errors import BudgetExhausted, Interrupted
from purge_conformance.evidence.listing import APPS, RUN_LABEL
from purge_conformance.target.apps.resources import FINAL_POLLS, ORGANIZATIONS, ResourceManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]

NEVER = 1_000


pytestmark = pytest.mark.usefixtures("no_delay")


class UnacknowledgedApps:
    """A stub that creates an app per request and does not answer with its guid.

    Attributes:
        run: the label of created apps.
        made, deleted: guids.
        hidden: searches by name that do not find the app yet.
        looks: searches by name that arrived.
        asked: the name in the last one.
        on_look: is called at each of them.
        is_silent: whether the connection is closed without a response.
        searchable: whether the list of apps can be filtered by label.
    """

    def __init__(self, stub_server: StubServer) -> None:
        """Start with an app of another user, and accept creations."""
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
            self._list(handler, self._named(query["names"][0]))
        else:
            self._list(handler, self._labelled() if path == APPS else [], 200 if self.searchable else 403)

    def _list(self, handler: BaseHTTPRequestHandler, rows: list[dict[str, Any]], status: int = 200) -> None:
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
def apps(stub_server: StubServer) -> UnacknowledgedApps:
    """The apps of a stub."""
    return UnacknowledgedApps(stub_server)


def app_creator(client: Client, apps: UnacknowledgedApps) -> ResourceManager:
    """Return a resource manager whose apps are these."""
    maker = ResourceManager(client)
    apps.run = maker.run
    return maker


def delete_apps(client: Client, maker: ResourceManager) -> list[str]:
    """Delete the created apps, as the end of a run does; return what is left."""
    client.guard.release_cleanup_reserve()
    return maker.remove_all()


@pytest.mark.parametrize("hidden", [0, 1 + FINAL_POLLS // 2])
def test_pending_app_is_deleted(hidden: int, apps: UnacknowledgedApps, make_client: Connect) -> None:
    """An app that a job creates is deleted, although the run was interrupted before it was visible."""
    client = make_client()
    maker = app_creator(client, apps)
    apps.hidden = 1 + hidden
    apps.on_look = lambda: client.guard.close("The run was interrupted.")
    with pytest.raises(Interrupted):
        maker.create(APPS, "one")
    assert delete_apps(client, maker) == []
    assert apps.deleted == apps.made == ["made-0"]


def test_search_respects_reserve(apps: UnacknowledgedApps, make_client: Connect) -> None:
    """Without requests left, the reserve suffices for the search and for the deletion of all apps."""
    client = make_client(max_requests=5 + FINAL_POLLS + CLEANUP_RESERVE)
    maker = app_creator(client, apps)
    assert [maker.create(APPS, name)[1] for name in ("one", "two")] == ["made-0", "made-1"]
    apps.hidden = NEVER
    with pytest.raises(BudgetExhausted):
        maker.create(APPS, "three")
    assert delete_apps(client, maker) == []
    assert set(apps.deleted) == set(apps.made) == {"made-0", "made-1", "made-2"}


def test_missing_app_is_reported(apps: UnacknowledgedApps, make_client: Connect) -> None:
    """An app that was accepted and never found is reported as left: it may still appear."""
    apps.hidden = NEVER
    client = make_client()
    maker = app_creator(client, apps)
    assert maker.create(APPS, "one")[1] is None
    apps.made.clear()
    assert delete_apps(client, maker) == [f"{APPS} one (its creation was accepted, but it was never listed)"]


def test_late_app_is_found_by_label(apps: UnacknowledgedApps, make_client: Connect) -> None:
    """An app that no search by name found in time is deleted by its label."""
    apps.hidden = NEVER
    client = make_client()
    maker = app_creator(client, apps)
    assert maker.create(APPS, "one")[1] is None
    assert delete_apps(client, maker) == []
    assert apps.deleted == ["made-0"]


def test_unacknowledged_apps_are_deleted(apps: UnacknowledgedApps, make_client: Connect) -> None:
    """Apps that were created without a response are deleted by their label, and other apps are not."""
    apps.is_silent = True
    client = make_client()
    maker = app_creator(client, apps)
    assert [maker.create(APPS, name)[1] for name in ("one", "two", "three")] == [None, None, None]
    apps.is_silent = False
    assert delete_apps(client, maker) == []
    assert set(apps.deleted) == set(apps.made) == {"made-0", "made-1", "made-2"}


def test_failed_search_is_reported(apps: UnacknowledgedApps, make_client: Connect) -> None:
    """If the list cannot be searched, the report says that something may be left, and why."""
    apps.is_silent = True
    client = make_client()
    maker = app_creator(client, apps)
    assert maker.create(APPS, "one")[1] is None
    apps.searchable = False
    assert delete_apps(client, maker) == [
        f"{path} (resources of this run may be left: the list answered 403 {{}})" for path in (ORGANIZATIONS, APPS)
    ]
