"""A page of a usual form is archived as it came; any other one as it was decoded, without its secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.archive import ROWS
from meta.support.encoders import ENCODERS
from meta.support.story import EvidenceBuilder
from purge_conformance.evidence.bodies import LateBody
from purge_conformance.evidence.clean_lines import CleanLines
from purge_conformance.evidence.redaction import Redactor
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.archive.page import EventPage, RawEventPage, names_next, read_page

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

CANARY = "Canary/Pass+Word=17&<x>8c1f"
ROW = b'{"guid":"g-1","created_at":"2026-07-01T12:00:00Z"%s}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {"guid": st.text(min_size=1), "created_at": st.text()}, optional={"app": VALUES, "x": VALUES}
)


def answered(body: bytes) -> Exchange:
    """Return the exchange with this body, whose secrets are replaced when it is read."""
    builder, redactor = EvidenceBuilder(), Redactor({"admin": CANARY})
    late: Any = LateBody(body, redactor.redact_bytes, 10**8)
    return builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, body=late)


def read(*rows: bytes, pagination: bytes = b"{}") -> EventPage:
    """Return the page with these rows."""
    body = b'{"pagination":%s,"resources":[%s]}' % (pagination, b",".join(rows))
    return read_page(answered(body), CleanLines(Redactor({"admin": CANARY})))


def values(page: EventPage) -> list[Any]:
    """Return the values of its lines."""
    return [json.loads(line) for line in page.text.split(b"\n")[:-1]]


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b', "spaces":  [1,\t2 ]',
        b',"number":1.50e+3,"again":1,"again":2',
        rb',"escapes":"\u00e9\/\ud83d\ude00\n"',
        ',"text":"é\u2028\u0085"'.encode(),
        b',"deep":' + b"[" * 200 + b"]" * 200,
        b',"long":"%s"' % (b"x" * 10**6),
    ],
)
def test_row_is_kept_as_it_came(more: bytes) -> None:
    """A row that any reader of JSON reads alike is kept byte by byte."""
    row = ROW % more
    page = read(row, row)
    assert (page.text, page.size, page.count_changed()) == (row + b"\n" + row + b"\n", 2, 0)
    assert (page.guids, page.times) == (["g-1"] * 2, ["2026-07-01T12:00:00Z"] * 2)
    assert page.row(1) == page.rows()[0] == json.loads(row)


@pytest.mark.parametrize(
    "more",
    [
        b',"number":NaN',
        rb',"text":"\ud800"',
        b',"guid":7',
        b',"created_at":null',
        b',"guid":""',
    ],
)
def test_unusual_row_is_encoded_again(more: bytes) -> None:
    """A row that is legal for some readers, or has other types, is archived as it was decoded."""
    page = read(ROW % more)
    assert not isinstance(page, RawEventPage)
    assert json.dumps(values(page)) == json.dumps([json.loads(ROW % more)])


@pytest.mark.parametrize(
    "more",
    [
        b',"digits":' + b"9" * 5000,
        b',"deep":' + b"[" * 10**5 + b"]" * 10**5,
        b',"bytes":"\xff\xfe"',
        b',"half":"\xc3"',
        b',"raw":"\x01"',
        b',"no":value',
    ],
)
def test_what_is_no_page(more: bytes) -> None:
    """What no reader of JSON can be sure to read is no page of a list, also where the needed members are readable."""
    page = read(ROW % more)
    assert (page.is_page, page.text) == (False, b"")


def test_line_feeds_are_left_out() -> None:
    """An event over several lines becomes one line, with its numbers and escapes as they came; it counts as changed."""
    row = ROW.replace(b",", b",\r\n  ") % rb', "n": 1.50, "s": "\u00e9, x"'
    page = read(row, ROW % b"")
    assert page.text == ROW % rb',"n":1.50,"s":"\u00e9, x"' + b"\n" + ROW % b"" + b"\n"
    assert page.count_changed() == 1


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_secret_is_replaced(name: str) -> None:
    """A row that repeats a secret is archived without it and counts as changed; the others stay as they were."""
    other, echo = ROW % b',"name":"other"', json.dumps(ENCODERS[name](CANARY.encode()).decode()).encode()
    page = read(other, ROW % b',"name":%s' % echo, other)
    assert values(page)[::2] == [json.loads(other)] * 2
    assert b"$ADMIN_TOKEN" in page.text
    assert not Redactor({"admin": CANARY}).bytes_contain_secret(page.text)
    assert page.count_changed() == 1


def test_hidden_secret_is_replaced() -> None:
    """A secret in a member that the same name later replaces is not archived."""
    page = read(ROW % b',"name":"%s","name":"x"' % CANARY.encode())
    assert values(page) == [{**json.loads(ROW % b""), "name": "x"}]
    assert (CANARY.encode() in page.text, page.count_changed()) == (False, 1)


def test_secret_of_pagination_is_replaced() -> None:
    """What messages quote has no secret either."""
    page = read(ROW % b"", pagination=b'{"total_results":"%s","next":null}' % CANARY.encode())
    assert (page.pagination["total_results"], names_next(page.pagination)) == ("$ADMIN_TOKEN", False)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(EVENTS, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_both_ways_read_alike(events: list[dict[str, Any]], only_ascii: bool, indent: int | None) -> None:  # noqa: FBT001 -- drawn
    """Whatever the events are, a page has the same values whichever way it is read."""
    body = json.dumps({"pagination": {"total_results": 3}, "resources": events}, ensure_ascii=only_ascii, indent=indent)
    try:
        exchange = answered(body.encode())
    except UnicodeEncodeError:
        return  # a lone surrogate
    fast, slow = read_page(exchange, CleanLines(Redactor({"admin": CANARY}))), EventPage(exchange)
    assert (fast.is_page, fast.size, fast.pagination) == (slow.is_page, slow.size, slow.pagination)
    assert json.dumps(values(fast)) == json.dumps(values(slow)) == json.dumps(list(fast.rows()))
    assert list(fast.guids) == list(slow.guids)


def test_rows_of_the_stub() -> None:
    """The rows that other tests archive are usual ones."""
    assert isinstance(read(*(json.dumps(row).encode() for row in ROWS)), RawEventPage)
