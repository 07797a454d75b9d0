"""A run archives what others record before each purge, and asks the list where no scenario has just read it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meta.support.archive import archive_metadata, archived_events
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import collect
from purge_conformance.engine.archiving import archive_events, observing
from purge_conformance.engine.run_facts import run_notes
from purge_conformance.errors import ArchiveFailed, ArchiveIncomplete, PurgeBlocked
from purge_conformance.evidence import notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.jsonl import read
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.scenarios.generated.schemathesis import Generator
from purge_conformance.scenarios.setup import read_all_events
from purge_conformance.target import archive
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Evidence

pytestmark = pytest.mark.usefixtures("no_delay")


class Foundation:
    """A target whose events change: another user records some before and after each purge."""

    def __init__(self, stub_server: StubServer, events: int = 30) -> None:
        """Serve that many events."""
        self.rows: list[dict[str, Any]] = [{"guid": f"old-{n}", "created_at": "then"} for n in range(events)]
        self.stub_server = stub_server
        self.purges = 0
        self.lists: list[str] = []  # the query of each read of the list
        stub_server.answer = self.answer

    def record(self, count: int, name: str) -> None:
        """Record events of another user."""
        self.rows += [{"guid": f"{name}-{n}", "created_at": name, "app": {"guid": "theirs"}} for n in range(count)]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urlsplit(handler.path)
        if is_purge(handler.command, handler.path):
            self.purges += 1
            self.rows = [{"guid": f"seed-{self.purges}", "created_at": "now", "app": {"guid": "theirs"}}]
            self.stub_server.respond(handler)
        elif parts.path == EVENTS_PATH:
            self.lists.append(parts.query)
            self.stub_server.respond(handler, body=self.page(parse_qs(parts.query)))
        else:
            self.stub_server.respond(handler, body=b'{"pagination": {"total_results": 0}, "resources": []}')

    def page(self, query: dict[str, list[str]]) -> bytes:
        """Return a page of the list."""
        rows = self.rows[::-1] if query.get("order_by", [""])[0].startswith("-") else self.rows
        size, page = int(query.get("per_page", ["50"])[0]), int(query.get("page", ["1"])[0])
        following = {"href": "x"} if page * size < len(rows) else None
        pagination = {"total_results": len(rows), "next": following}
        return json.dumps({"pagination": pagination, "resources": rows[(page - 1) * size : page * size]}).encode()


@pytest.fixture
def foundation(stub_server: StubServer) -> Foundation:
    """A target with 30 events."""
    return Foundation(stub_server)


@contextmanager
def archived_client(
    foundation: Foundation, tmp_path: Path, *, allow_incomplete_archive: bool = False
) -> Iterator[Client]:
    """Yield a client that has archived the events of the target, and may purge."""
    settings = Settings(
        Target(foundation.stub_server.url),
        {"admin": "an-opaque-secret"},
        allow_incomplete_archive=allow_incomplete_archive,
    )
    growing = archive.GrowingArchive(tmp_path / archive.FILE_NAME, settings.limits.max_events)
    with Journal(tmp_path / "journal", collect._header(settings)) as journal:  # noqa: SLF001 -- any header
        client = Client(settings, journal, Guard(settings.limits), observing(growing, lambda *_: None))
        client.begin(Scenario.ARCHIVE)
        read_all_events(client, SuiteApps(client))
        archive_events(client, journal.evidence(), growing, lambda _: None)
        client.begin(Scenario.PURGE)
        yield client


@pytest.fixture
def client(foundation: Foundation, tmp_path: Path) -> Iterator[Client]:
    """A client that has archived the events of the target, and may purge."""
    with archived_client(foundation, tmp_path) as client:
        foundation.lists.clear()
        yield client


def archived(folder: Path) -> set[str]:
    """Return the guids in the archive."""
    return {row["guid"] for row in archived_events(folder / archive.FILE_NAME)}


def test_events_of_others_are_archived(client: Client, foundation: Foundation, tmp_path: Path) -> None:
    """Events that others record after a purge, and seeded ones, are in the archive before the next purge arrives."""
    client.post(PURGE_PATH, Step.PURGE)
    foundation.record(2, "late")
    before: list[set[str]] = []
    answer = foundation.stub_server.answer

    def look(handler: BaseHTTPRequestHandler) -> None:
        if is_purge(handler.command, handler.path):
            before.append(archived(tmp_path))
        answer(handler)

    foundation.stub_server.answer = look
    client.post(PURGE_PATH, Step.PURGE)
    assert before[0] >= {"seed-1", "late-0", "late-1", "old-0"}
    assert archive.verify(tmp_path / archive.FILE_NAME).problems == ()


def test_recent_look_is_not_repeated(client: Client, foundation: Foundation) -> None:
    """After a look by a scenario a purge sends no read; after a purge one page is read."""
    client.post(PURGE_PATH, Step.PURGE)
    assert foundation.lists == []
    client.post(PURGE_PATH, Step.PURGE)
    assert foundation.lists == ["order_by=-created_at&per_page=20"]


def test_more_than_a_page_of_new_events(client: Client, foundation: Foundation, tmp_path: Path) -> None:
    """If the list has events that no page has shown, the whole list is read and archived before the purge."""
    client.post(PURGE_PATH, Step.PURGE)
    foundation.record(60, "late")
    client.post(PURGE_PATH, Step.PURGE)
    assert foundation.lists == ["order_by=-created_at&per_page=20", "per_page=5000&page=1"]
    assert {f"late-{n}" for n in range(60)} <= archived(tmp_path)


def test_order_that_is_ignored(client: Client, foundation: Foundation, tmp_path: Path) -> None:
    """On a target that lists the oldest events first, whatever the order, the newest ones are archived as well."""
    answer = foundation.stub_server.answer

    def ignore_order(handler: BaseHTTPRequestHandler) -> None:
        handler.path = handler.path.replace("order_by=-", "order_by=")
        answer(handler)

    foundation.stub_server.answer = ignore_order
    client.post(PURGE_PATH, Step.PURGE)
    foundation.record(30, "late")
    client.post(PURGE_PATH, Step.PURGE)
    foundation.record(30, "last")
    client.post(PURGE_PATH, Step.PURGE)
    assert {"late-29", "last-29"} <= archived(tmp_path)


def cut_off(page: dict[str, Any]) -> None:
    """Let a page end the list although its total says that there is more."""
    page["pagination"]["next"], page["resources"] = None, page["resources"][:5]


def forget_guids(page: dict[str, Any]) -> None:
    """Let no row of a page have a guid."""
    for row in page["resources"]:
        row["guid"] = None


def drop_total(page: dict[str, Any]) -> None:
    """Let a page of several not say how many events there are."""
    del page["pagination"]["total_results"]


BREAKS = {
    "a status of 500": None,
    "too few events": cut_off,
    "no guids": forget_guids,
    "no total": drop_total,
}


def break_list(foundation: Foundation, name: str) -> None:
    """From now on, break every page of the list."""
    answer, change = foundation.stub_server.answer, BREAKS[name]

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.command != "GET":
            answer(handler)
        elif change is None:
            foundation.stub_server.respond(handler, 500)
        else:
            page = json.loads(foundation.page(parse_qs(urlsplit(handler.path).query)))
            change(page)
            foundation.stub_server.respond(handler, body=json.dumps(page).encode())

    foundation.stub_server.answer = respond


@pytest.mark.parametrize("name", BREAKS)
def test_list_that_cannot_be_read_blocks_a_purge(name: str, client: Client, foundation: Foundation) -> None:
    """If not all events can be read before a purge, that purge is not sent; a later one is, if they can."""
    client.post(PURGE_PATH, Step.PURGE)
    foundation.record(60, "late")
    answer = foundation.stub_server.answer
    break_list(foundation, name)
    with pytest.raises(PurgeBlocked, match=r"could not be archived.*--allow-incomplete-archive"):
        client.post(PURGE_PATH, Step.PURGE)
    assert foundation.purges == 1
    foundation.stub_server.answer = answer
    client.post(PURGE_PATH, Step.PURGE)
    assert foundation.purges == 2


@pytest.mark.parametrize("name", BREAKS)
def test_allowed_loss_is_named(name: str, foundation: Foundation, tmp_path: Path) -> None:
    """With --allow-incomplete-archive the purge is sent; the archive and the notes say that it is incomplete."""
    with archived_client(foundation, tmp_path, allow_incomplete_archive=True) as client:
        client.post(PURGE_PATH, Step.PURGE)
        foundation.record(60, "late")
        break_list(foundation, name)
        client.post(PURGE_PATH, Step.PURGE)
        assert foundation.purges == 2
        assert archive_metadata(tmp_path / archive.FILE_NAME)["complete"] is False
        reports = list(run_notes(read(tmp_path / "journal")))
    assert any("--allow-incomplete-archive was given, and 1 purge destroyed events" in each for each in reports)


def test_page_of_new_events_needs_another_look(client: Client, foundation: Foundation, tmp_path: Path) -> None:
    """A page that shows new events of others, and not the newest ones, is followed by a look at these."""
    foundation.record(30, "late")
    client.get(f"{EVENTS_PATH}?per_page=20&page=2", Step.EVENTS)
    client.post(PURGE_PATH, Step.PURGE)
    assert "late-29" in archived(tmp_path)


def test_failed_addition_ends_purging(client: Client, foundation: Foundation, tmp_path: Path) -> None:
    """If what a purge would destroy cannot be archived, neither that purge nor a later one is sent."""
    client.post(PURGE_PATH, Step.PURGE)
    (tmp_path / archive.FILE_NAME).unlink()
    with pytest.raises(ArchiveFailed, match="No such file"):
        client.post(PURGE_PATH, Step.PURGE)
    with pytest.raises(PurgeBlocked, match=r"No further purge was sent.*No such file"):
        client.post(PURGE_PATH, Step.PURGE)
    assert foundation.purges == 1


def collect_from(foundation: Foundation, folder: Path, **limits: int) -> Evidence:
    """Collect a run without generated cases."""
    settings = Settings(Target(foundation.stub_server.url), {"admin": "an-opaque-secret"}, limits=Limits(**limits))
    return collect.collect(settings, folder, lambda *_: None, Generator(cases=tuple, walk=lambda *_: None))


def test_every_purge_is_covered(foundation: Foundation, tmp_path: Path) -> None:
    """In a run on a target that obeys every purge, each event of others was archived before it was destroyed."""
    destroyed: list[set[str]] = []
    answer = foundation.stub_server.answer

    def purge(handler: BaseHTTPRequestHandler) -> None:
        is_last = is_purge(handler.command, handler.path)
        if is_last:
            destroyed.append({row["guid"] for row in foundation.rows} - archived(tmp_path / "out"))
        answer(handler)
        if is_last:
            foundation.record(1, f"after-{foundation.purges}")

    foundation.stub_server.answer = purge
    evidence = collect_from(foundation, tmp_path / "out")
    concurrent = [x for x in evidence.exchanges if is_purge(x.method, x.path) and "concurrent" in x.tags]
    lost = [guids for guids in destroyed if guids]
    assert foundation.purges > 30
    assert len(lost) <= len(concurrent)
    assert sum(evidence.noted(notes.ADDED)) >= foundation.purges - len(concurrent)
    assert any("could not be archived" in note for note in run_notes(evidence))


def test_list_that_changes_is_read_again(foundation: Foundation, tmp_path: Path) -> None:
    """A list that loses an event between two pages is read again, and then is whole."""
    answer = foundation.stub_server.answer

    def prune(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        if int(query.get("per_page", ["0"])[0]) > 20:
            foundation.stub_server.respond(handler, 422)
            return
        if query.get("page") == ["2"] and len(foundation.rows) == 30:
            foundation.rows.pop(0)
        answer(handler)

    foundation.stub_server.answer = prune
    with archived_client(foundation, tmp_path) as client:
        assert client.guard.is_archived
    pages = [query.rpartition("=")[2] for query in foundation.lists]
    assert (len(archived(tmp_path)), pages) == (29, ["1", "2", "1", "2"])


def test_list_that_always_changes_is_incomplete(foundation: Foundation, tmp_path: Path) -> None:
    """A list that changes during each of three walks is incomplete for that reason."""
    page = foundation.page

    def contradict(query: dict[str, list[str]]) -> bytes:
        return page(query).replace(b'"total_results": 30', b'"total_results": 31')

    foundation.page = contradict  # type: ignore[method-assign] # a total that differs from the rows
    with pytest.raises(ArchiveIncomplete, match="read 3 times: it changes faster than it can be read"):
        collect_from(foundation, tmp_path / "out")
    assert foundation.purges == 0
