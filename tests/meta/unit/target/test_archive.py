"""The archive is complete, verified and on disk, or the run purges nothing."""

from __future__ import annotations

import gzip
import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.archive import ROWS, archive_metadata, archived_events
from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target import archive

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder
    from purge_conformance.target.archived_events import ArchiveSummary

    Row = dict[str, Any]


def write_archive(
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
            Scenario.ARCHIVE,
            Step.EXISTING_EVENTS,
            data=data,
            response_headers=(("Date", "Wed, 01 Jul 2026 12:00:00 GMT"),),
        )
    return archive.write(
        tmp_path / archive.FILE_NAME,
        "http://t",
        builder.exchanges,
        lambda: finished,
        own_apps={own},
        allow_incomplete=True,
    )


def test_archive_has_metadata(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The archive holds every event once; its metadata has count, digest, time, target and the last event."""
    summary = write_archive(builder, tmp_path, ROWS[:30], ROWS[20:], total=45)
    path = tmp_path / archive.FILE_NAME
    assert archived_events(path) == ROWS
    assert summary.sha256 == hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert {"events": 45, "complete": True, "target": "http://t", "sha256": summary.sha256}.items() <= archive_metadata(
        path
    ).items()
    assert archive_metadata(path)["last"] == {"guid": "event-44", "created_at": "2026-07-01T11:44:00Z"}
    assert summary.age == 16 * 60


def test_archive_is_reproducible(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Two archives of the same events have the same bytes."""
    write_archive(builder, tmp_path, ROWS)
    first = (tmp_path / archive.FILE_NAME).read_bytes()
    write_archive(builder, tmp_path)
    assert (tmp_path / archive.FILE_NAME).read_bytes() == first


def test_changed_event_is_archived_twice(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An event that differs on a second page is archived in both forms and counts as one event of the list."""
    changed = {**ROWS[0], "state": {"current": "STOPPED"}}
    assert not write_archive(builder, tmp_path, ROWS[:2], [changed], total=3).complete
    assert archived_events(tmp_path / archive.FILE_NAME) == [*ROWS[:2], changed]


@pytest.mark.parametrize(("finished", "total"), [(False, 45), (True, 46)])
def test_partial_list_is_incomplete(finished: bool, total: int, builder: EvidenceBuilder, tmp_path: Path) -> None:  # noqa: FBT001
    """An archive of a list that was not read to its end, or that lacks events of its total, is incomplete."""
    assert not write_archive(builder, tmp_path, ROWS, finished=finished, total=total).complete
    assert not archive_metadata(tmp_path / archive.FILE_NAME)["complete"]


def test_last_event_is_foreign(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The last event is never one of the suite's own apps; where all events are, there is none."""
    others: list[Row] = [{**ROWS[3], "app": {"guid": "theirs"}}]
    assert write_archive(builder, tmp_path, ROWS, others, own="app").last == {
        "guid": "event-3",
        "created_at": "2026-07-01T11:03:00Z",
    }
    builder.exchanges.clear()
    assert write_archive(builder, tmp_path, ROWS, own="app").last is None


def test_malformed_rows_are_archived(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A row without a guid, without a time, or that is no object is archived like any other."""
    rows: list[Any] = [None, 7, {"guid": 7, "app": {"guid": []}}, {"created_at": "yesterday"}]
    summary = write_archive(builder, tmp_path, rows, total=4)
    assert (archived_events(tmp_path / archive.FILE_NAME), summary.complete, summary.age) == (rows, True, None)


def test_corrupt_archive_is_rejected(builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that reads back differently is rejected."""
    sync = os.fsync

    def lose(number: int) -> None:
        sync(number)
        os.truncate(tmp_path / f"{archive.FILE_NAME}.part", 60)

    monkeypatch.setattr(os, "fsync", lose)
    with pytest.raises(ArchiveFailed, match="expected 45"):
        write_archive(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_reported(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A full disk is reported, and no file that looks like an archive remains."""
    (tmp_path / f"{archive.FILE_NAME}.part").symlink_to("/dev/full")
    with pytest.raises(ArchiveFailed, match=r"No space left.*Free disk space"):
        write_archive(builder, tmp_path, ROWS)
    assert list(tmp_path.iterdir()) == []
