"""A client library of others reads the API of the reference server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cloudfoundry_client.client import CloudFoundryClient  # type: ignore[import-untyped] # it has no types
from cloudfoundry_client.errors import InvalidStatusCode  # type: ignore[import-untyped] # as above
from cloudfoundry_client.v3.entities import EntityManager  # type: ignore[import-untyped] # as above

from meta.support.reference_with_login import serve_reference
from meta.support.uaa import CLIENT_SECRET, PASSWORD
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meta.support.uaa import UaaStub


class Library:
    """The library as an admin uses it, with an app that it starts, scales and stops.

    Attributes:
        url: of the reference server.
        client: the library's.
        events: of the kind by which the library handles every resource; it knows none of usage events.
        space: guid.
        app: guid.
    """

    def __init__(self, url: str) -> None:
        """Log in with a password, create an app and change it."""
        self.url = url
        self.client = CloudFoundryClient(url)
        self.client.init_with_user_credentials("admin", PASSWORD)
        self.events = EntityManager(url, self.client, EVENTS_PATH)
        organization = self.client.v3.organizations.create("theirs", suspended=False)["guid"]
        self.space = self.client.v3.spaces.create("theirs", organization)["guid"]
        body = {"name": "theirs", "relationships": {"space": {"data": {"guid": self.space}}}}
        self.app = self.client.post(f"{url}/v3/apps", json=body).json()["guid"]
        self.client.v3.apps[self.app].start()
        self.client.v3.processes[self.app].scale(data={"instances": 3})
        self.client.v3.apps[self.app].stop()

    def purge(self) -> Any:  # noqa: ANN401 -- JSON
        """Purge and reseed; return the body of the response."""
        return self.client.post(f"{self.url}{PURGE_PATH}").json()


@pytest.fixture
def library(uaa_stub: UaaStub) -> Iterator[Library]:
    """The library with a reference server whose root document names a login."""
    with serve_reference(uaa_stub.url) as url:
        yield Library(url)


def test_library_changes_apps(library: Library) -> None:
    """The library creates, starts, scales and stops an app, follows its links, and each change is an event."""
    app = library.client.v3.apps[library.app]
    assert (app["state"], app.space()["guid"]) == ("STOPPED", library.space)
    assert [process["instances"] for process in app.processes()] == [3]
    states = [(event["state"]["current"], event["instance_count"]["current"]) for event in library.events]
    assert states == [("STARTED", 1), ("STARTED", 3), ("STOPPED", 3)]


def test_library_reads_pages(library: Library) -> None:
    """The library reads the list page by page, after an event, in reverse, by guid, and reads one event."""
    guids = [event["guid"] for event in library.events.list(per_page=1)]
    assert (len(guids), library.events.len()) == (3, 3)
    assert [event["guid"] for event in library.events.list(after_guid=guids[0])] == guids[1:]
    assert [event["guid"] for event in library.events.list(guids=guids[:2], per_page=1)] == guids[:2]
    assert library.events.get_first(order_by="-created_at")["guid"] in guids
    assert library.events[guids[1]]["app"] == {"guid": library.app, "name": "theirs"}


def test_library_purges(library: Library) -> None:
    """A purge by the library leaves one event for the started app."""
    library.client.v3.apps.restart(library.app)
    assert library.purge() == {}
    assert [event["app"]["guid"] for event in library.events] == [library.app]


def test_library_uploads(library: Library) -> None:
    """A droplet that the library makes and uploads is staged, and the app runs it."""
    made = library.client.v3.droplets.create(library.app, process_types={"web": "run"})
    library.client.post(f"{library.url}/v3/droplets/{made['guid']}/upload", files={"bits": ("mine.tgz", b"bits")})
    current = f"{library.url}/v3/apps/{library.app}/relationships/current_droplet"
    library.client.patch(current, json={"data": {"guid": made["guid"]}})
    found = library.client.v3.droplets[made["guid"]]
    assert (found["state"], found["process_types"]) == ("STAGED", {"web": "run"})
    assert found.app()["relationships"]["current_droplet"]["data"]["guid"] == made["guid"]


def test_library_deletes(library: Library) -> None:
    """The library deletes an app and a space, and waits for the jobs."""
    assert library.client.v3.apps.remove(library.app, asynchronous=False) is None
    library.client.v3.spaces.remove(library.space)
    assert (library.client.v3.apps.len(), library.client.v3.spaces.len()) == (0, 0)


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        (
            f"{EVENTS_PATH}/no-such",
            404,
            {"detail": "App usage event not found", "title": "CF-ResourceNotFound", "code": 10010},
        ),
        (
            f"{EVENTS_PATH}?per_page=0",
            422,
            {"detail": "Per page must be a positive integer", "title": "CF-UnprocessableEntity", "code": 10008},
        ),
    ],
)
def test_library_reads_errors(asked: str, status: int, error: dict[str, Any], library: Library) -> None:
    """The library raises its own error for a rejected request, with the whole error object."""
    with pytest.raises(InvalidStatusCode) as caught:
        library.client.get(library.url + asked)
    assert (caught.value.status_code, caught.value.body) == (status, {"errors": [error]})
    assert caught.value.request_id


def test_library_without_admin_cannot_purge(library: Library) -> None:
    """A client without admin gets 403 for a purge, and every event stays."""
    other = CloudFoundryClient(library.url, "global_auditor", CLIENT_SECRET)
    other.init_with_client_credentials()
    with pytest.raises(InvalidStatusCode, match="CF-NotAuthorized"):
        other.post(f"{library.url}{PURGE_PATH}")
    assert EntityManager(library.url, other, EVENTS_PATH).len() == 3


def test_library_renews_tokens(uaa_stub: UaaStub) -> None:
    """The library renews a rejected token, and repeats the request."""
    uaa_stub.life = -1
    with serve_reference(uaa_stub.url) as url:
        client = CloudFoundryClient(url)
        client.init_with_user_credentials("admin", PASSWORD)
        uaa_stub.life = 600
        assert client.v3.apps.len() == 0
    assert uaa_stub.grants == ["password", "refresh_token"]
