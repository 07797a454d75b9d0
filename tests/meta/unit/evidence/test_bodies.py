"""Bodies of responses: left in the file, parsed once, and with equal rows in memory once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purge_conformance.evidence.bodies import SharedRows, body_of, estimate_memory, parse_json
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.records import Exchange
from purge_conformance.evidence.steps import Place, Scenario, Step
from purge_conformance.evidence.stored_bodies import LONG_BODY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def page(*rows: object, **more: object) -> bytes:
    """Return the text of a page with these rows."""
    return json.dumps({"pagination": {}, "resources": rows, **more}).encode()


def exchange(body: bytes, n: int = 1) -> Exchange:
    """Return an exchange with this body."""
    place = Place(Step.LIST)
    return Exchange(n, Scenario.READS, place, "admin", "GET", "/", (), None, 0.0, 0.0, 200, (), body)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(rows=st.lists(VALUES, max_size=4), rest=VALUES)
def test_shared_rows_change_no_value(rows: list[Any], rest: Any) -> None:  # noqa: ANN401 -- any JSON value
    """What is parsed with shared rows is what is parsed without, types and order included."""
    shared = SharedRows()
    for data in (page(*rows, more=rest), page(*reversed(rows))):
        assert repr(shared.parse(data)) == repr(parse_json(data))


def test_equal_rows_are_kept_once() -> None:
    """An equal row of another page is the same object, and so is an equal member of another row."""
    app = {"guid": "a", "name": "n"}
    one, other = {"guid": "1", "app": app, "n": 1}, {"guid": "2", "app": app, "n": True}
    shared = SharedRows()
    first = shared.parse(page(one))["resources"]
    held = shared.held
    second = shared.parse(page(other, one))["resources"]
    assert second[1] is first[0]
    assert second[0]["app"] is first[0]["app"]
    assert second == [other, one]
    assert second[0]["n"] is True
    assert 0 < shared.held - held < held


@pytest.mark.parametrize(
    "data", [b"", b"[", b"[" * 100_000, b"1" * 5000, b'{"resources":[' + b"[" * 990 + b"]" * 990 + b"]}"]
)
def test_odd_texts_are_parsed_alike(data: bytes) -> None:
    """What is no JSON, or nested too deeply, is None or a value in both ways."""
    assert SharedRows().parse(data) == parse_json(data)


@pytest.mark.parametrize("data", [b"x" * LONG_BODY_BYTES, b"\xff" * LONG_BODY_BYTES, b"\x00\n" * LONG_BODY_BYTES])
def test_long_bodies_stay_in_the_file(data: bytes, builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The bytes of a long body are read from the file, by the run and by those who read its evidence."""
    with Journal(tmp_path, builder.evidence.header) as journal:
        recorded = [journal.record(exchange(body, n)) for n, body in enumerate((b"short", data, b"{}", data), 1)]
    for each in (recorded, read(tmp_path).exchanges):
        assert [x.body for x in each] == [b"short", data, b"{}", data]
        assert body_of(each[1]) is body_of(each[3])
    (tmp_path / FILE_NAME).unlink()
    assert recorded[0].body == b"short"
    with pytest.raises(FileNotFoundError):
        _ = recorded[1].body


def test_control_characters_do_not_make_the_file_large(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """A body that JSON would write in six times as many bytes is written in base64."""
    with Journal(tmp_path, builder.evidence.header) as journal:
        journal.record(exchange(b"\x01" * 1_000_000))
    assert (tmp_path / FILE_NAME).stat().st_size < 1_500_000


@pytest.mark.parametrize(
    ("data", "bytes_at_least"),
    [(b"[]," * 1000, 64_000), (b"{}," * 1000, 72_000), (b'{"a":1},' * 1000, 192_000), (b'"text",' * 1000, 61_000)],
)
def test_memory_of_json_is_estimated_without_parsing(data: bytes, bytes_at_least: int) -> None:
    """The estimate is at least what the objects take in CPython."""
    assert estimate_memory(data) >= bytes_at_least
