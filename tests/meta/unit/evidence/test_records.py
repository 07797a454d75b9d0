"""Evidence: records round-trip, and an invalid journal is rejected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.errors import BadData
from purge_conformance.evidence.jsonl import FILE_NAME, read, to_json
from purge_conformance.evidence.records import Exchange, Note, base_name
from purge_conformance.evidence.steps import Tag

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder


HEAD = '{"kind":"header","suite":"0","digests":{},"target":"http://t","settings":{},"started_at":"","format":1}'


def write_journal(folder: Path, *lines: str | bytes) -> Path:
    """Write a journal of these lines."""
    raw = [line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines]
    (folder / FILE_NAME).write_bytes(b"".join(raw))
    return folder


@pytest.mark.parametrize("body", [b"", b"{}", "Äpfel \u2028".encode(), b"\xff\xfe\x00", b"\r\n", b'"\\ud800"'])
def test_exchange_round_trips(body: bytes, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An exchange is read as it was written, with any bytes."""
    one = builder.add_exchange(
        "e", "s", body=body, response_headers=(("A", "1"), ("a", "2")), tags={"k": "v"}, request_body="ü"
    )
    found = read(write_journal(tmp_path, to_json(builder.evidence.header), to_json(one)))
    assert found.exchanges == (one,)
    assert found.header == builder.evidence.header


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_truncated_line_is_skipped(cut: int, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A last line without its end, or without its newline, is skipped; all lines before it stay."""
    first, second = builder.add_exchange("e", "s"), builder.add_exchange("e", "s")
    tail = f"{to_json(second)}\n".encode()[:cut]
    assert read(write_journal(tmp_path, to_json(builder.evidence.header), to_json(first), tail)).exchanges == (first,)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ('{"kind":"note","experiment":"e","name":"n","value":1}',),
        (HEAD.replace('"format":1', '"format":2'),),
        (HEAD.replace('"target":"http://t",', ""),),
        (HEAD.replace('"suite"', '"sweet"'),),
        (HEAD, "not JSON"),
        (HEAD, "[]"),
        (HEAD, '{"kind":"exchange"}'),
        (HEAD, '{"kind":"exchange","n":1,"body_text":"","request_headers":[[1]],"response_headers":[]}'),
        (HEAD, '{"kind":"exchange","n":2,"body_of":1,"request_headers":[],"response_headers":[]}'),
        (HEAD, b"\xff\xfe\n"),
    ],
    ids=["empty", "headless", "format", "no-target", "misspelt", "text", "list", "bare", "headers", "no-body", "bytes"],
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
    builder.add_exchange("e", "s", status=429, tags={Tag.SUPERSEDED: "rate limit"})
    exchange = builder.add_exchange("e", "s")
    builder.add_exchange("e", "t")
    builder.add_exchange("f", "s")
    assert builder.evidence.of("e", "s") == (exchange,)
    assert len(builder.evidence.of("e")) == 2


def test_last_note_wins(builder: EvidenceBuilder) -> None:
    """The last note of a name counts; without a note the value is None."""
    for value in (1, 2):
        builder.add_note("e", "n", value)
    builder.add_note("f", "n", 3)
    assert (builder.evidence.note("e", "n"), builder.evidence.note("e", "m")) == (2, None)


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
    found = builder.add_exchange("e", "s", body=body)
    assert (found.json, found.is_json) == (value, is_json)


def test_exchange_parses_path(builder: EvidenceBuilder) -> None:
    """Route, query and headers are parsed; the last value of a repeated parameter counts."""
    found = builder.add_exchange(
        "e", "s", path="/v3/a%20b?page=1&page=2&x=&y=%26", response_headers=(("X-A", "1"), ("x-a", "2"))
    )
    assert (found.route, found.query) == ("/v3/a%20b", {"page": "2", "x": "", "y": "&"})
    assert (found.header("x-A"), found.header("none")) == ("1", None)


def test_record_is_one_line(builder: EvidenceBuilder) -> None:
    """A record is one line of ASCII, with any content."""
    records: list[Exchange | Note] = [builder.add_exchange("e", "s", body="\u2028\n".encode()), Note("e", "n", "a\nb")]
    for record in records:
        text = to_json(record)
        assert text.isascii()
        assert len(text.splitlines()) == 1
        assert json.loads(text)["kind"] == type(record).__name__.lower()


def test_single_run_has_one_repetition(builder: EvidenceBuilder) -> None:
    """What was run but once has its own name alone, and so has what never was."""
    builder.add_purge("parallel")
    assert (builder.evidence.repetitions("parallel"), builder.evidence.repetitions("race")) == (
        ("parallel",),
        ("race",),
    )
    assert [base_name(name) for name in ("race", "race 2", "race 13")] == ["race"] * 3
