"""A row that the suite does not write is bad data: the message has its line, and no name of Python's."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.errors import BadData
from purge_conformance.evidence.jsonl import FILE_NAME, NEXT_STEP, read

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]


class Missing(Enum):
    """A member that a row does not have; its name is the same in each process that collects the tests."""

    ABSENT = "absent"


ABSENT: object = Missing.ABSENT
NO_MEMBERS: Row = {}
ODD_VALUES: tuple[object, ...] = ({}, 3)
ODD_NAMES: tuple[object, ...] = ("more", 3, [])
HEADER: Row = {
    "kind": "header",
    "suite": "0",
    "digests": {},
    "target": "http://t",
    "settings": {},
    "started_at": "2026-01-01T00:00:00Z",
}
RESPONSE: Row = {
    "role": "admin",
    "method": "GET",
    "path": "/",
    "request_headers": [["A", "b"]],
    "request_body": None,
    "sent_at": 1.5,
    "elapsed": 1,
    "status": 200,
    "response_headers": [],
    "body_text": "{}",
    "error": None,
    "tags": {},
}
PLACE: Row = {"scenario": "reads", "round": 1, "step": "list"}
VALID: dict[int, dict[str, Row]] = {  # format -> kind -> row
    1: {
        "exchange": {"kind": "exchange", "n": 2, "experiment": "refused", "step": "credential", **RESPONSE},
        "note": {"kind": "note", "experiment": "foundation", "name": "apps", "value": {"mover": "1"}},
    },
    2: {
        "exchange": {"kind": "exchange", "n": 2, **PLACE, **RESPONSE},
        "note": {"kind": "note", "scenario": "foundation", "round": 1, "name": "apps", "value": {"toggled": "1"}},
        "list-end": {"kind": "list-end", **PLACE, "complete": True},
        "span": {"kind": "span", **PLACE, "before": [1], "requests": [1], "after": []},
    },
}
ODD_RESPONSES: list[Row] = [
    *({"tags": tags} for tags in ([], {"more": "1"}, {"mode": 1}, ABSENT)),
    *({"status": status} for status in ("200", True, 1.5, ABSENT)),
    *({"n": n} for n in (1, 0, "2", None, True)),
    *({"body_text": body} for body in (5, None, "\ud800", ABSENT)),
    *({"body_text": ABSENT, "body_base64": body} for body in ("###", "A", 5, "Ä")),
    *({"body_text": ABSENT, "body_of": n} for n in (7, "1", None)),
    {"body_of": 1},
    *({"path": path} for path in (None, 3)),
    *({name: when} for name in ("sent_at", "elapsed") for when in ("x", None, float("nan"), -1, 10**400)),
    *({"request_headers": headers} for headers in (NO_MEMBERS, None, [[1]], [["A"]], [["A", 1]], ["Ab"])),
    {"response_headers": None},
    {"request_body": {}},
    {"error": 3},
    {"more": 1},
    {"kind": "list-start"},
    {"kind": []},
    {"step": "walk-all"},
    {"step": 3},
]
ODD_NOTES: list[Row] = [
    *({"value": value} for value in (3, [], None, {"toggled": 1, "mover": 1}, {"more": "1"}, ABSENT)),
    *({"name": name} for name in ("more", [], None, ABSENT)),
    *({"name": name, "value": 3} for name in ("run", "left", "stopped", "archived", "finished", "unusable")),
    {"name": "unusable", "value": {"cause": "more", "blame": "more", "reason": ""}},
]
ODD: list[tuple[int, str, Row]] = [
    *((version, "exchange", odd) for version in (1, 2) for odd in ODD_RESPONSES),
    *((version, "note", odd) for version in (1, 2) for odd in ODD_NOTES),
    *((1, kind, {"experiment": name}) for kind in ("exchange", "note") for name in (3, None, "stir", ABSENT)),
    *((1, "note", {"name": f"{name} start", "value": 3}) for name in ("change", "sequence", "purge")),
    (1, "note", {"name": "change start", "value": {"app": 1, "done": True}}),
    (1, "note", {"name": "change start", "value": {"app": "1", "done": True, "tells": None}}),
    (1, "note", {"name": "sequence x", "value": {"steps": [], "processes": 1, "shorter": False}}),
    (1, "note", {"name": "sequence 1", "value": {"steps": 1, "processes": 1, "shorter": False}}),
    (1, "note", {"name": "look.complete", "value": 1}),
    *(
        (2, "note", {"name": name, "value": value})
        for name in ("change", "sequence", "not-induced")
        for value in ODD_VALUES
    ),
    (2, "note", {"step": "list"}),
    *((2, kind, {"scenario": name}) for kind in VALID[2] for name in ("stir", None, [], ABSENT)),
    *((2, kind, {"round": number}) for kind in VALID[2] for number in ("2", 0, None, True, ABSENT)),
    *((2, kind, {"index": index}) for kind in ("exchange", "list-end", "span") for index in ("zzz", -1, None, 1.5)),
    *((2, "list-end", {"complete": complete}) for complete in (1, None, ABSENT)),
    *((2, "list-end", {name: value}) for name in ("phase", "part", "app") for value in ODD_NAMES),
    *((2, "span", {name: odd}) for name in ("before", "requests", "after") for odd in ("abc", [99999], ["1"], [1, 1])),
    *((2, "span", {"requests": odd}) for odd in ([], None, [True], ABSENT)),
    (2, "span", {"phase": "before"}),
]


def write_rows(folder: Path, *rows: object) -> Path:
    """Write a journal of these rows."""
    (folder / FILE_NAME).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def with_members(row: Row, members: Row) -> Row:
    """Return the row with other members."""
    return {name: value for name, value in (row | members).items() if value is not ABSENT}


@pytest.mark.parametrize(("version", "kind"), [(version, kind) for version, rows in VALID.items() for kind in rows])
def test_usual_row_is_read(version: int, kind: str, tmp_path: Path) -> None:
    """The rows that the odd ones differ from are read."""
    first = VALID[version]["exchange"] | {"n": 1}
    evidence = read(write_rows(tmp_path, HEADER | {"format": version}, first, VALID[version][kind]))
    assert len(evidence.exchanges) == 1 + (kind == "exchange")


@pytest.mark.parametrize(
    ("version", "kind", "odd"), ODD, ids=[f"{version} {kind} {ascii(odd)[:60]}" for version, kind, odd in ODD]
)
def test_odd_row_is_bad_data(version: int, kind: str, odd: Row, tmp_path: Path) -> None:
    """The message has the line, what it has, what is expected, and the next step."""
    first, row = VALID[version]["exchange"] | {"n": 1}, with_members(VALID[version][kind], odd)
    with pytest.raises(BadData) as caught:
        read(write_rows(tmp_path, HEADER | {"format": version}, first, row, first | {"n": 3}))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / FILE_NAME}, line 3: got ")
    assert ", expected " in message
    assert message.endswith(NEXT_STEP)
    assert not [word for word in ("Error", "Traceback", "NoneType", "<class", "cannot be read") if word in message]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"format": ABSENT}, "line 1: The header has no `format`."),
        ({"format": True}, "line 1: The file has format true;"),
        ({"format": []}, "line 1: The file has format [];"),
        ({"suite": 3}, "line 1: got 3 as `suite`, expected a string."),
        ({"settings": []}, "line 1: got [] as `settings`, expected an object."),
        ({"settings": {"profiles": 3}}, "line 1: got 3 as `profiles`, expected a list of strings."),
        ({"digests": {"a": 1}}, 'line 1: got {"a": 1} as `digests`, expected an object of strings.'),
        ({"requirement_set": "new"}, 'line 1: got "new" as `requirement_set`, expected a set such as 1.0.'),
        ({"started_at": "x"}, 'line 1: got "x" as `started_at`, expected an RFC 3339 time, UTC.'),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_odd_header_is_bad_data(members: Row, message: str, tmp_path: Path) -> None:
    """A header with another member is bad data too."""
    with pytest.raises(BadData) as caught:
        read(write_rows(tmp_path, with_members(HEADER | {"format": 2}, members)))
    assert message in str(caught.value)
