"""The archive is verified and on disk, whole or not at all, and replaces no file."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.archive import ROWS, archive_metadata, archived_events
from purge_conformance.errors import ArchiveFailed, BadSetting
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target import archive
from purge_conformance.target.archive import files
from purge_conformance.target.archive.list_check import Extent, Reading

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.target.archive.events import ArchiveSummary

    Row = dict[str, Any]

WHOLE, PART = Reading(Extent.WHOLE), Reading(Extent.PART, "Page 2 is missing.")


def write_archive(
    builder: EvidenceBuilder,
    folder: Path,
    *pages: list[Row],
    reading: Reading = WHOLE,
    own: str = "",
    allow_incomplete: bool = True,
) -> ArchiveSummary:
    """Write pages with these rows to an archive."""
    for rows in pages:
        headers = (("Date", "Wed, 01 Jul 2026 12:00:00 GMT"),)
        data = {"pagination": {}, "resources": rows}
        builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, data=data, response_headers=headers)
    return archive.write(
        folder / archive.FILE_NAME,
        "http://t",
        builder.exchanges,
        lambda: reading,
        own_apps={own},
        allow_incomplete=allow_incomplete,
    )


def test_archive_has_metadata(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The archive holds every event once; its metadata has count, digest, time, target and the last event."""
    summary = write_archive(builder, tmp_path, ROWS[:30], ROWS[20:])
    path = tmp_path / archive.FILE_NAME
    assert archived_events(path) == ROWS
    assert summary.sha256 == hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    metadata = archive_metadata(path)
    assert {"events": 45, "complete": True, "target": "http://t", "sha256": summary.sha256}.items() <= metadata.items()
    assert (metadata["reason"], metadata["added"]) == ("", 0)
    assert metadata["last"] == {"guid": "event-44", "created_at": "2026-07-01T11:44:00Z"}
    assert summary.age == 16 * 60


def test_archive_is_private(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Only its owner can read an archive and its summary."""
    write_archive(builder, tmp_path, ROWS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_archive_is_reproducible(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Two archives of the same events have the same bytes."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        builder.exchanges.clear()
        write_archive(builder, tmp_path / name, ROWS)
    first, second = ((tmp_path / name / archive.FILE_NAME).read_bytes() for name in ("a", "b"))
    assert first == second


def test_changed_event_is_archived_twice(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An event that differs on a second page is archived in both forms."""
    changed = {**ROWS[0], "state": {"current": "STOPPED"}}
    write_archive(builder, tmp_path, ROWS[:2], [changed])
    assert archived_events(tmp_path / archive.FILE_NAME) == [*ROWS[:2], changed]


def test_incomplete_archive_says_so(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An incomplete archive that is allowed says that it is incomplete, and why."""
    write_archive(builder, tmp_path, ROWS, reading=PART)
    metadata = archive_metadata(tmp_path / archive.FILE_NAME)
    assert (metadata["complete"], metadata["reason"]) == (False, "Page 2 is missing.")


def test_incomplete_archive_is_not_kept(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Nothing remains of an incomplete archive that is not allowed."""
    with pytest.raises(ArchiveFailed, match="Page 2 is missing"):
        write_archive(builder, tmp_path, ROWS, reading=PART, allow_incomplete=False)
    assert list(tmp_path.iterdir()) == []


def test_last_event_is_foreign(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The last event is never one of the suite's own apps; where all events are, there is none."""
    others: list[Row] = [{**ROWS[3], "app": {"guid": "theirs"}}]
    last = {"guid": "event-3", "created_at": "2026-07-01T11:03:00Z"}
    assert write_archive(builder, tmp_path, ROWS, others, own="app").last == last
    builder.exchanges.clear()
    (tmp_path / "own").mkdir()
    assert write_archive(builder, tmp_path / "own", ROWS, own="app").last is None


def test_last_event_is_no_seed(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The newest event is not one that an earlier purge seeded: a seeded event has the guid of its app."""
    recorded = {"guid": "e1", "created_at": "2026-07-01T11:00:00Z", "app": {"guid": "a1"}}
    seeded = {"guid": "a2", "created_at": "2026-07-01T11:30:00Z", "app": {"guid": "a2"}}
    summary = write_archive(builder, tmp_path, [recorded, seeded])
    assert summary.last == {"guid": "e1", "created_at": "2026-07-01T11:00:00Z"}


def test_device_is_no_archive(builder: EvidenceBuilder) -> None:
    """A file that is no regular one is not called an archive."""
    builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, data={"resources": ROWS})
    with pytest.raises(BadSetting, match=r"^/dev/null is no regular file\. Name a new file: --out FILE\.$"):
        archive.require_unused(Path(os.devnull))


def test_unread_list_has_no_number(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Where the list was not read, nobody knows how many events there were: 0 is not said."""
    nothing = Reading(Extent.NOTHING, "The run has sent 60 requests.")
    summary = write_archive(builder, tmp_path, reading=nothing)
    lines = list(archive.describe(asdict(summary)))
    assert lines[1] == f"{archive.FILE_NAME} holds no event; how many existed before the first purge is not known."


def test_malformed_rows_are_archived(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A row without a guid, without a time, or that is no object is archived like any other."""
    rows: list[Any] = [None, 7, {"guid": 7, "app": {"guid": []}}, {"created_at": "yesterday"}]
    summary = write_archive(builder, tmp_path, rows, reading=PART)
    assert (archived_events(tmp_path / archive.FILE_NAME), summary.age) == (rows, None)


@pytest.mark.parametrize("name", ["archive.jsonl.gz", "archive.jsonl.gz.json"])
def test_existing_file_is_not_replaced(name: str, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A file that appears while an archive is written stays as it is, and nothing remains of the second archive."""

    def finish() -> Reading:
        (tmp_path / name).write_bytes(b"precious")
        return WHOLE

    with pytest.raises(BadSetting, match=rf"{name} already exists.*--out"):
        archive.write(tmp_path / archive.FILE_NAME, "http://t", builder.exchanges, finish)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"precious")]


def test_missing_folder_is_reported(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A folder that does not exist is a usage error."""
    with pytest.raises(BadSetting, match=r"No such file.*--out"):
        write_archive(builder, tmp_path / "none", ROWS)


def test_corrupt_archive_is_rejected(builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that reads back differently is rejected."""
    sync = os.fsync

    def lose(number: int) -> None:
        sync(number)
        os.ftruncate(number, 60)

    monkeypatch.setattr(os, "fsync", lose)
    with pytest.raises(ArchiveFailed, match="expected 45"):
        write_archive(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_reported(builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is reported, and no file that looks like an archive remains."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ArchiveFailed, match=r"No space left.*Free disk space"):
        write_archive(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_archive_without_summary_is_not_kept(
    builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the summary cannot be written, the archive is deleted."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "write_text", fail)
    with pytest.raises(ArchiveFailed, match="No space left"):
        write_archive(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []
