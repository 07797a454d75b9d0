"""The recorder writes notes, ends of lists and spans of the current scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.recorder import Recorder
from purge_conformance.evidence import jsonl, notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Exchange, Header, ListEnd, Note, Span
from purge_conformance.evidence.redaction import Redactor
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from purge_conformance.evidence.steps import Where

HEADER = Header("1", {}, "http://127.0.0.1:1", {}, "2026-01-01T00:00:00Z")
PURGE = Place(Step.PURGE)


class Scripted(Recorder):
    """A recorder that adds exchanges without sending anything."""

    def send(self, where: Where, *tags: Tag) -> None:
        """Add an exchange."""
        place = where if isinstance(where, Place) else Place(where)
        n = len(self._journal.exchanges) + 1
        self._journal.record(
            Exchange(
                n=n,
                scenario=self.scenario,
                round=self.round,
                place=place,
                role="admin",
                method="GET",
                path="/",
                request_headers=(),
                request_body=None,
                sent_at=0.0,
                elapsed=0.0,
                status=200,
                response_headers=(),
                body=b"",
                tags=dict.fromkeys(tags, "yes"),
            )
        )

    def take_snapshot(self, where: Place) -> None:
        """Add the three lists of a snapshot, one page each."""
        for part in Part:
            self.send(where.of(part))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of a run."""
    with Journal(tmp_path, HEADER) as journal:
        yield journal


@pytest.fixture
def recorder(journal: Journal) -> Scripted:
    """A recorder of the second round of a scenario."""
    recorder = Scripted(journal, Redactor({"admin": "a-secret-token"}))
    recorder.begin(Scenario.RACE, 2)
    return recorder


def test_span_has_both_observations(recorder: Scripted, journal: Journal) -> None:
    """A span has the numbers of the snapshots before and after, and of the requests between."""
    with recorder.span(Step.PURGE) as place:
        recorder.take_snapshot(place.at(Phase.BEFORE))
        recorder.send(place)
        recorder.take_snapshot(place.at(Phase.AFTER))
    assert journal.records == [Span(Scenario.RACE, PURGE, (1, 2, 3), (4,), (5, 6, 7), 2)]


def test_span_is_recorded_when_cut_short(recorder: Scripted, journal: Journal) -> None:
    """A span of a block that raises has no observation after it."""

    def purge_and_fail() -> None:
        with recorder.span(Step.PURGE) as place:
            recorder.take_snapshot(place.at(Phase.BEFORE))
            recorder.send(place)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        purge_and_fail()
    assert journal.records == [Span(Scenario.RACE, PURGE, (1, 2, 3), (4,), (), 2)]


def test_span_needs_a_request(recorder: Scripted, journal: Journal) -> None:
    """A block that sends no request records no span."""
    with recorder.span(Step.PURGE) as place:
        recorder.take_snapshot(place.at(Phase.BEFORE))
    assert journal.records == []


def test_span_counts_requests_of_its_block(recorder: Scripted, journal: Journal) -> None:
    """Earlier and superseded requests of the same places belong to no span; further places may be named."""
    recorder.send(Step.SCALE_APP)
    with recorder.span(Step.SCALE, Step.SCALE_APP, before=(1,), after=Step.CLOSING):
        recorder.send(Step.SCALE_APP, Tag.SUPERSEDED)
        recorder.send(Step.SCALE_APP)
        recorder.send(Step.CLOSING)
    assert journal.records == [Span(Scenario.RACE, Place(Step.SCALE), (1,), (3,), (4,), 2)]


def test_recorded_finds_other_scenarios(recorder: Scripted) -> None:
    """Exchanges are found by place, in the current round or in the first round of another scenario."""
    recorder.send(Step.PURGE)
    recorder.begin(Scenario.PURGE)
    recorder.send(Step.PURGE)
    recorder.begin(Scenario.RACE, 2)
    assert [x.n for x in recorder.recorded(Step.PURGE)] == [1]
    assert [x.n for x in recorder.recorded(Step.PURGE, Scenario.PURGE)] == [2]


def test_string_notes_are_redacted(recorder: Scripted, journal: Journal) -> None:
    """A note contains no token."""
    recorder.note(notes.STOPPED, "stopped by a-secret-token")
    assert journal.records == [Note(Scenario.RACE, "stopped", "stopped by $ADMIN_TOKEN", 2)]


def test_records_are_read_back(recorder: Scripted, journal: Journal, tmp_path: Path) -> None:
    """Every kind of record is read from the file as it was written."""
    with recorder.span(Place(Step.CONCURRENT, 1), before=()) as place:
        recorder.send(place)
    recorder.list_end(Step.OPENING, complete=False)
    recorder.note(notes.CHANGE, notes.AppChange(Step.START, "1", done=True, current={"state": "STARTED"}))
    evidence = jsonl.read(tmp_path)
    assert evidence == journal.evidence()
    assert evidence.list_ends == (ListEnd(Scenario.RACE, Place(Step.OPENING), complete=False, round=2),)
