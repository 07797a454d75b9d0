"""The archive: whole, verified and on the disk, or nothing is purged."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence import clock
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.target.archive import ArchiveSummary

    Row = dict[str, Any]

ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ROWS = [{"guid": f"event-{n}", "created_at": f"2026-07-01T11:{n:02}:00Z", "app": {"guid": "app"}} for n in range(45)]


def paged(stub_server: StubServer, rows: list[Row], *, most: int = 20, total: int | None = None) -> Callable[..., None]:
    """Answer a list of these rows, at most so many on a page; more is refused."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["1"])[0])
        if size > most:
            stub_server.respond(handler, 422, b'{"errors": []}')
            return
        end = page * size
        pagination: Row = {
            "total_results": len(rows) if total is None else total,
            "next": {} if end < len(rows) else None,
        }
        body = {"pagination": pagination, "resources": rows[end - size : end]}
        stub_server.respond(handler, body=json.dumps(body).encode())

    return answer


def lines(path: Path) -> list[Row]:
    """Return the events of an archive."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def described(path: Path) -> Mapping[str, Any]:
    """Return what stands beside an archive."""
    found: Mapping[str, Any] = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def archiving(
    command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> Callable[..., CommandResult]:
    """Run `purge-conformance archive` against the stub, into `events.jsonl.gz`."""

    def run(*more: str) -> CommandResult:
        out = tmp_path / "events.jsonl.gz"
        return command(
            "archive",
            stub_server.url,
            ADMIN,
            "--out",
            out,
            *more,
            folder=tmp_path,
            env=os.environ | SECRET,
            cwd=tmp_path,
        )

    return run


def written(
    builder: EvidenceBuilder,
    tmp_path: Path,
    *pages: list[Row],
    finished: bool = True,
    total: int | None = None,
    own: str = "",
) -> ArchiveSummary:
    """Write pages with these rows to an archive."""
    for rows in pages:
        data = {"pagination": {"total_results": total}, "resources": rows}
        builder.add_exchange(
            "archive", "events", data=data, response_headers=(("Date", "Wed, 01 Jul 2026 12:00:00 GMT"),)
        )
    return archive.write(
        tmp_path / archive.FILE_NAME,
        "http://t",
        builder.exchanges,
        lambda: finished,
        own_apps={own},
        allow_incomplete=True,
    )


def test_archive_describes_itself(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The archive holds every event once, and beside it stand count, digest, time, source, and the last event."""
    made = written(builder, tmp_path, ROWS[:30], ROWS[20:], total=45)
    path = tmp_path / archive.FILE_NAME
    assert lines(path) == ROWS
    assert made.sha256 == hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert {"events": 45, "complete": True, "target": "http://t", "sha256": made.sha256}.items() <= described(
        path
    ).items()
    assert described(path)["last"] == {"guid": "event-44", "created_at": "2026-07-01T11:44:00Z"}
    assert made.age == 16 * 60


def test_same_events_make_same_bytes(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Two archives of the same events are the same, byte for byte."""
    written(builder, tmp_path, ROWS)
    first = (tmp_path / archive.FILE_NAME).read_bytes()
    written(builder, tmp_path)
    assert (tmp_path / archive.FILE_NAME).read_bytes() == first


def test_changed_event_is_kept_twice(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An event that stood otherwise on a second page is kept in both forms, and counts as one of the list."""
    changed = {**ROWS[0], "state": {"current": "STOPPED"}}
    assert not written(builder, tmp_path, ROWS[:2], [changed], total=3).complete
    assert lines(tmp_path / archive.FILE_NAME) == [*ROWS[:2], changed]


@pytest.mark.parametrize(("finished", "total"), [(False, 45), (True, 46)])
def test_part_is_not_complete(finished: bool, total: int, builder: EvidenceBuilder, tmp_path: Path) -> None:  # noqa: FBT001
    """A list that was not read to its end, or that names more events than it showed, is not archived completely."""
    assert not written(builder, tmp_path, ROWS, finished=finished, total=total).complete
    assert not described(tmp_path / archive.FILE_NAME)["complete"]


def test_own_events_are_not_last(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The last event that is told is not one of the suite's own apps; where all are, there is none."""
    others: list[Row] = [{**ROWS[3], "app": {"guid": "theirs"}}]
    assert written(builder, tmp_path, ROWS, others, own="app").last == {
        "guid": "event-3",
        "created_at": "2026-07-01T11:03:00Z",
    }
    builder.exchanges.clear()
    assert written(builder, tmp_path, ROWS, own="app").last is None


def test_odd_rows_are_archived(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """What has no guid, no time, or is no object is archived like any other."""
    odd: list[Any] = [None, 7, {"guid": 7, "app": {"guid": []}}, {"created_at": "yesterday"}]
    made = written(builder, tmp_path, odd, total=4)
    assert (lines(tmp_path / archive.FILE_NAME), made.complete, made.age) == (odd, True, None)


def test_damage_is_noticed(builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not read back as it was written is no archive."""
    sync = os.fsync

    def lose(number: int) -> None:
        sync(number)
        os.truncate(tmp_path / f"{archive.FILE_NAME}.part", 60)

    monkeypatch.setattr(os, "fsync", lose)
    with pytest.raises(ArchiveFailed, match="45 events expected"):
        written(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_told(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A full disk is no archive, and leaves nothing that looks like one."""
    (tmp_path / f"{archive.FILE_NAME}.part").symlink_to("/dev/full")
    with pytest.raises(ArchiveFailed, match=r"No space left.*Make room"):
        written(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_command_archives_alone(
    archiving: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """`archive` reads the whole list, in smaller pages where it must, changes nothing, and says what it wrote."""
    stub_server.answer = paged(stub_server, ROWS)
    done = archiving()
    assert (done.code, done.stderr) == (0, "")
    assert lines(tmp_path / "events.jsonl.gz") == ROWS
    assert "45 events" in done.stdout
    assert "event-44 of 2026-07-01T11:44:00Z" in done.stdout
    assert "billing consumer" not in done.stdout
    assert {line.split(" ")[0] for line, _ in stub_server.received} == {"GET"}


def test_fresh_event_is_warned_of(archiving: Callable[..., CommandResult], stub_server: StubServer) -> None:
    """An event that is younger than minutes may not have been read by a billing consumer, and `archive` says so."""
    stub_server.answer = paged(stub_server, [{**ROWS[0], "created_at": clock.format_rfc3339(time.time() - 120)}])
    assert re.search(r" \d+ s old. A billing consumer", archiving().stdout)


def test_archive_is_never_replaced(
    archiving: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """An archive that exists is left as it is."""
    (tmp_path / "events.jsonl.gz").write_bytes(b"precious")
    done = archiving()
    assert (done.code, stub_server.received, (tmp_path / "events.jsonl.gz").read_bytes()) == (2, [], b"precious")


@pytest.mark.parametrize("how", ["dies", "fails", "hides"])
def test_half_a_list_is_no_archive(
    how: str, archiving: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """Where the target dies or fails in the middle, or shows fewer events than it names, `archive` leaves no file."""
    answer = paged(stub_server, ROWS, total=46 if how == "hides" else 45)

    def die(handler: BaseHTTPRequestHandler) -> None:
        if how == "hides" or "page=2" not in handler.path:
            answer(handler)
        elif how == "fails":
            stub_server.respond(handler, 500, b"{}")
        else:
            handler.close_connection = True

    stub_server.answer = die
    done = archiving()
    assert (done.code, list(tmp_path.iterdir())) == (3, [])
    assert "Error: " in done.stderr


@pytest.mark.parametrize("trouble", ["full", "dies"])
def test_run_without_archive_purges_nothing(
    trouble: str, command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """A run whose archive cannot be written, or whose target dies in the middle of it, purges nothing, and says why."""
    answer = paged(stub_server, ROWS, most=30)
    out = tmp_path / "out"

    def die(handler: BaseHTTPRequestHandler) -> None:
        if trouble == "dies" and handler.path.startswith(f"{EVENTS_PATH}?per_page=20&page=2"):
            stub_server.answer = lambda handler: setattr(handler, "close_connection", True)
        stub_server.answer(handler) if stub_server.answer is not die else answer(handler)

    stub_server.answer = die
    out.mkdir()
    if trouble == "full":
        (out / f"{archive.FILE_NAME}.part").symlink_to("/dev/full")
    done = command("run", stub_server.url, ADMIN, "--select=PURGE-*", "--out", out, folder=out, env=os.environ | SECRET)
    assert (done.code, done.report["verdict"], stub_server.purges) == (3, "inconclusive", 0)
    assert not [line for line, _ in stub_server.received if PURGE_PATH in line and line.startswith("POST")]
    words = {"full": "No space left", "dies": "gave no answer"}[trouble]
    assert words in "\n".join(done.report["notes"])
    assert trouble == "full" or not described(out / archive.FILE_NAME)["complete"]
