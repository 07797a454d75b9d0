"""The journal: on disk at once, and never over another run's."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from purge_conformance.errors import BadSetting
from purge_conformance.evidence import notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.records import Note
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.evidence.stored_bodies import LONG_BODY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder


def test_open_journal_is_readable(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """Records can be read while the journal is open."""
    with Journal(tmp_path / "new" / "folder", builder.evidence.header) as journal:
        one = journal.record(builder.add_exchange(Scenario.READS, Step.LIST))
        journal.add(Note(Scenario.CLEANUP, notes.LEFT.name, ["/v3/apps/1"]))
        found = read(tmp_path / "new" / "folder")
        assert (found.exchanges, found.note(Scenario.CLEANUP, notes.LEFT)) == ((one,), ["/v3/apps/1"])
        assert journal.evidence() == found


def test_long_body_is_stored_once(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A repeated long body is stored once, in the file and in memory; short bodies are in each line."""
    long, short = ["x" * LONG_BODY_BYTES], ["x"]
    with Journal(tmp_path, builder.evidence.header) as journal:
        for data in (long, short, long, short):
            journal.record(builder.add_exchange(Scenario.READS, Step.LIST, data=data))
        found = read(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / FILE_NAME).read_text(encoding="utf-8").splitlines()[1:]]
    assert [row.get("body_of") for row in rows] == [None, None, rows[0]["n"], None]
    assert journal.evidence() == found
    assert [x.json for x in found.exchanges] == [long, short, long, short]
    for first, _, again, _ in (journal.evidence().exchanges, found.exchanges):
        assert first.json is again.json


def test_journal_rejects_used_folder(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A folder that holds a run is rejected, and its evidence stays unchanged."""
    with Journal(tmp_path, builder.evidence.header) as journal:
        journal.record(builder.add_exchange(Scenario.READS, Step.LIST))
    before = (tmp_path / "evidence.jsonl").read_bytes()
    with pytest.raises(BadSetting, match="another folder with --out"):
        Journal(tmp_path, builder.evidence.header)
    assert (tmp_path / "evidence.jsonl").read_bytes() == before


def test_missing_folder_is_reported(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A folder that cannot be created is reported with the next step."""
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="another folder with --out"):
        Journal(tmp_path / "file" / "below", builder.evidence.header)


def test_journal_syncs(builder: EvidenceBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal can sync to disk before it returns."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with Journal(tmp_path, builder.evidence.header) as journal:
        journal.sync()
    assert len(synced) == 1
