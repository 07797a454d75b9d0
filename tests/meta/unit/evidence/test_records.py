"""Evidence: records round-trip, and an invalid journal is rejected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.errors import BadData
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import FILE_NAME, KINDS, read, to_json
from purge_conformance.evidence.records import ListEnd, Note, Span
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import Retry

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.jsonl import Record


HEAD = '{"kind":"header","suite":"0","digests":{},"target":"http://t","settings":{},"started_at":"","format":2}'
EXCHANGE = '{"kind":"exchange","scenario":"reads","round":1,"step":"list","n":2,"tags":{},'


def write_journal(folder: Path, *lines: str | bytes) -> Path:
    """Write a journal of these lines."""
    raw = [line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines]
    (folder / FILE_NAME).write_bytes(b"".join(raw))
    return folder


@pytest.mark.parametrize("body", [b"", b"{}", "Äpfel \u2028".encode(), b"\xff\xfe\x00", b"\r\n", b'"\\ud800"'])
def test_exchange_round_trips(body: bytes, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An exchange is read as it was written, with any bytes."""
    one = builder.add_exchange(
        Scenario.READS,
        Step.LIST,
        body=body,
        response_headers=(("A", "1"), ("a", "2")),
        tags={Tag.CREDENTIAL: "none"},
        request_body="ü",
    )
    found = read(write_journal(tmp_path, to_json(builder.evidence.header), to_json(one)))
    assert found.exchanges == (one,)
    assert found.header == builder.evidence.header


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_truncated_line_is_skipped(cut: int, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A last line without its end, or without its newline, is skipped; all lines before it stay."""
    first, second = builder.add_exchange(Scenario.READS, Step.LIST), builder.add_exchange(Scenario.READS, Step.LIST)
    tail = f"{to_json(second)}\n".encode()[:cut]
    assert read(write_journal(tmp_path, to_json(builder.evidence.header), to_json(first), tail)).exchanges == (first,)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ('{"kind":"note","scenario":"archive","round":1,"name":"run","value":""}',),
        (HEAD.replace('"format":2', '"format":3'),),
        (HEAD.replace('"target":"http://t",', ""),),
        (HEAD.replace('"suite"', '"sweet"'),),
        (HEAD, "not JSON"),
        (HEAD, "[]"),
        (HEAD, '{"kind":"exchange"}'),
        (HEAD, EXCHANGE + '"body_text":"","request_headers":[[1]],"response_headers":[]}'),
        (HEAD, EXCHANGE + '"body_of":1,"request_headers":[],"response_headers":[]}'),
        (HEAD, '{"kind":"note","scenario":"purge-all","round":1,"name":"run","value":""}'),
        (HEAD, '{"kind":"note","scenario":"archive","round":1,"name":"walk","value":""}'),
        (HEAD, '{"kind":"list-end","scenario":"archive","round":1,"step":"walk-all","complete":true}'),
        (HEAD, '{"kind":"list-start","scenario":"archive","round":1,"step":"walk","complete":true}'),
        (HEAD, b"\xff\xfe\n"),
    ],
    ids=[
        *("empty", "headless", "format", "no-target", "misspelt", "text", "list", "bare", "headers", "no-body"),
        *("scenario", "note", "step", "kind", "bytes"),
    ],
)
def test_invalid_journal_is_rejected(lines: tuple[str | bytes, ...], tmp_path: Path) -> None:
    """A file that is no journal of this format is bad data, without a traceback, and the file is named."""
    with pytest.raises(BadData, match=FILE_NAME):
        read(write_journal(tmp_path, *lines))


def test_missing_journal_is_reported(tmp_path: Path) -> None:
    """A folder without a journal is reported with the next step."""
    with pytest.raises(BadData, match="--out"):
        read(tmp_path)


def test_superseded_exchanges_are_excluded(builder: EvidenceBuilder) -> None:
    """Responses that were retried are no part of a scenario."""
    builder.add_exchange(Scenario.READS, Step.LIST, status=429, tags={Tag.SUPERSEDED: Retry.RATE_LIMIT})
    exchange = builder.add_exchange(Scenario.READS, Step.LIST)
    builder.add_exchange(Scenario.READS, Step.GET)
    builder.add_exchange(Scenario.PREFLIGHT, Step.EVENTS)
    assert builder.evidence.of(Scenario.READS, Step.LIST) == (exchange,)
    assert len(builder.evidence.of(Scenario.READS)) == 2


def test_last_note_wins(builder: EvidenceBuilder) -> None:
    """The last note of a name counts; without a note the value is None."""
    for value in ("first", "second"):
        builder.add_note(Scenario.RACE, notes.STOPPED, value)
    builder.add_note(Scenario.RACE, notes.STOPPED, "of the second round", round=2)
    builder.add_note(Scenario.LISTS, notes.STOPPED, "of the lists")
    evidence = builder.evidence
    assert evidence.note(Scenario.RACE, notes.STOPPED) == "second"
    assert evidence.note(Scenario.RACE, notes.EXPIRED) is None
    assert evidence.noted(notes.STOPPED) == ("first", "second", "of the second round", "of the lists")


@pytest.mark.parametrize(
    ("body", "value", "is_json"),
    [
        (b"{}", {}, True),
        (b" null ", None, True),
        (b"", None, False),
        (b"<html>", None, False),
        (b"[" * 100_000, None, False),
        (b"9" * 5_000, None, False),
        (b"\xff", None, False),
    ],
    ids=["object", "null", "empty", "html", "deep", "long", "bytes"],
)
def test_json_body_is_parsed(body: bytes, value: object, builder: EvidenceBuilder, *, is_json: bool) -> None:
    """A body is JSON or None, for any bytes, and null is JSON."""
    found = builder.add_exchange(Scenario.READS, Step.LIST, body=body)
    assert (found.json, found.is_json) == (value, is_json)


def test_exchange_parses_path(builder: EvidenceBuilder) -> None:
    """Route, query and headers are parsed; the last value of a repeated parameter counts."""
    found = builder.add_exchange(
        Scenario.READS,
        Step.LIST,
        path="/v3/a%20b?page=1&page=2&x=&y=%26",
        response_headers=(("X-A", "1"), ("x-a", "2")),
    )
    assert (found.route, found.query) == ("/v3/a%20b", {"page": "2", "x": "", "y": "&"})
    assert (found.header("x-A"), found.header("none")) == ("1", None)


def test_record_is_one_line(builder: EvidenceBuilder) -> None:
    """A record is one line of ASCII, with any content."""
    place = Place(Step.LIST)
    records: list[Record] = [
        builder.add_exchange(Scenario.READS, place, body="\u2028\n".encode()),
        Note(Scenario.READS, notes.STOPPED.name, "a\nb"),
        ListEnd(Scenario.READS, place, complete=True),
        Span(Scenario.READS, place, (1,), (2,), (3,)),
    ]
    for record in records:
        text = to_json(record)
        assert text.isascii()
        assert len(text.splitlines()) == 1
        assert json.loads(text)["kind"] == KINDS[type(record)]


def test_every_scenario_has_a_round(builder: EvidenceBuilder) -> None:
    """A scenario that ran once, or never, has one round; one that was repeated has a round for each repetition."""
    builder.add_purge(Scenario.CONCURRENT_PURGES, Step.ALONE)
    for number in (1, 2, 3):
        builder.add_purge(Scenario.UNEXPECTED_INPUT, Step.FORM, round=number)
    rounds = builder.evidence.rounds
    assert (rounds(Scenario.CONCURRENT_PURGES), rounds(Scenario.RACE)) == ((1,), (1,))
    assert rounds(Scenario.UNEXPECTED_INPUT) == (1, 2, 3)


@pytest.mark.parametrize(
    ("status", "succeeded", "rejected"),
    [
        *((None, False, False), (199, False, False), (200, True, False), (299, True, False), (302, False, False)),
        *((400, False, True), (499, False, True), (500, False, False)),
    ],
)
def test_status_has_a_class(status: int | None, builder: EvidenceBuilder, *, succeeded: bool, rejected: bool) -> None:
    """A response with 2xx is a success, and one with 4xx is a rejection."""
    exchange = builder.add_exchange(Scenario.READS, Step.LIST, status=status)
    assert (exchange.succeeded, exchange.rejected) == (succeeded, rejected)
