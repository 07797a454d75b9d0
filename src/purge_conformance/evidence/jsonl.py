"""The file `evidence.jsonl`: one JSON object per line; `spec/evidence.schema.json` describes format 2.

The first line is the header. Each further line is an exchange, a note, the end of a list or a span, in the order in
which they come, flushed at once: a run that was killed leaves what it collected. Responses to concurrent requests may
come in another order than the numbers of the requests. A long body is written once: later lines name the exchange that
has it. Files of format 1 are converted as they are read.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from purge_conformance.errors import BadData
from purge_conformance.evidence import format1
from purge_conformance.evidence.bodies import Body
from purge_conformance.evidence.members import (
    ANY,
    BOOLEAN,
    HEADERS,
    NUMBERS,
    OBJECT,
    OBJECT_OF_STRINGS,
    POSITIVE,
    SECONDS,
    STATUS,
    STRING,
    STRINGS,
    check,
    check_members,
    integer,
    one_of,
    or_null,
    show,
)
from purge_conformance.evidence.notes import NAMES
from purge_conformance.evidence.records import (
    FORMAT,
    Evidence,
    Exchange,
    Header,
    ListEnd,
    Note,
    Span,
    sort_exchanges,
)
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.stored_bodies import IN_TEXT, Lines, StoredBodies, decode_body, encode_body

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from purge_conformance.evidence.members import Check, Checks

FILE_NAME = "evidence.jsonl"
KINDS = {Header: "header", Exchange: "exchange", Note: "note", ListEnd: "list-end", Span: "span"}
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=asdict)
Record = Header | Exchange | Note | ListEnd | Span
Row = dict[str, Any]
NEXT_STEP = "Restore the file, or judge it with the version of the suite that wrote it."
ROW_ERRORS = (BadData, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
SPAN_NUMBERS = ("before", "requests", "after")
BODIES = (*IN_TEXT, "body_of")
_SET = re.compile(r"[1-9]\d*\.\d+", re.ASCII)  # a requirement set
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)", re.ASCII)

# The members of each kind of row, the required ones and the others; spec/evidence.schema.json describes them.
_HAS: Checks = {"kind": STRING, "scenario": one_of(Scenario, "a scenario"), "round": POSITIVE}
_STEP: Checks = {**_HAS, "step": one_of(Step, "a step")}
_WHICH: Checks = {
    "index": integer(0),
    "app": one_of(App, "the label of an app of the suite"),
    "sequence": POSITIVE,
    "position": POSITIVE,
}
_PLACE: Checks = {**_WHICH, "phase": one_of(Phase, " or ".join(Phase)), "part": one_of(Part, " or ".join(Part))}
_TAG_NAMES = frozenset(map(str, Tag))
_TAGS: Check = (
    lambda value: isinstance(value, dict) and all(tag in _TAG_NAMES and isinstance(value[tag], str) for tag in value),
    "an object with tags that are declared and strings as values",
)
_EXCHANGE: Checks = {
    **_STEP,
    **dict.fromkeys(("role", "method", "path"), STRING),
    **dict.fromkeys(("request_headers", "response_headers"), HEADERS),
    **dict.fromkeys(("request_body", "error"), or_null(STRING)),
    **dict.fromkeys(("sent_at", "elapsed"), SECONDS),
    "n": POSITIVE,
    "status": STATUS,
    "tags": _TAGS,
}
HEADER: Checks = {
    **dict.fromkeys(("suite", "target"), STRING),
    "digests": OBJECT_OF_STRINGS,
    "settings": OBJECT,
    "started_at": (lambda value: isinstance(value, str) and bool(_TIMESTAMP.fullmatch(value)), "an RFC 3339 time, UTC"),
    "format": POSITIVE,
}
OPTIONAL_HEADER: Checks = {
    "requirement_set": (lambda value: isinstance(value, str) and bool(_SET.fullmatch(value)), "a set such as 1.0"),
}
MEMBERS: dict[str, tuple[Checks, Checks]] = {
    "exchange": (_EXCHANGE, {**_PLACE, "body_text": STRING, "body_base64": STRING, "body_of": POSITIVE}),
    "note": ({**_HAS, "name": one_of(NAMES, "a note"), "value": ANY}, {}),
    "list-end": ({**_STEP, "complete": BOOLEAN}, _PLACE),
    "span": ({**_STEP, **dict.fromkeys(SPAN_NUMBERS, NUMBERS)}, _WHICH),
}


def to_json(record: Record, body_of: int | None = None) -> str:
    """Return one line of the file; `body_of` is the number of an earlier exchange that has the same body."""
    row = {"kind": KINDS[type(record)], **_members(record)}
    if isinstance(record, Exchange):
        row |= encode_body(record.body) if body_of is None else {"body_of": body_of}
    return _ENCODER.encode(row)


def read(folder: Path) -> Evidence:
    """Return the evidence of the run in `folder`; a last line that a crash cut off is ignored.

    Raises:
        BadData: there is no such file, or it is neither of this format nor of format 1.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise BadData(f"{folder} holds no {FILE_NAME}. Name the folder that a run wrote with --out.")
    with path.open("rb") as file:
        lines, stored = Lines(file), StoredBodies(path)

        def make_body(data: bytes) -> Body:
            body = stored.body(data)
            stored.leave(body, lines.offset)
            return body

        try:
            rows = _rows(lines)
            return evidence(_header(next(rows, {})), rows, make_body)
        except BadData as error:
            raise BadData(f"{path}, {error}") from None


def evidence(header: Header, rows: Iterable[dict[str, Any]], make_body: Callable[[bytes], Body] = Body) -> Evidence:
    """Return the evidence of the rows below a header, which are of the header's format.

    `make_body` returns the body of the row that was taken last, which has these bytes.

    Raises:
        BadData: a row cannot be read; the message begins with its line.
    """
    is_old = header.format == format1.FORMAT
    found = build_evidence(header, _records(rows, make_body, format1.Converter().convert if is_old else None))
    return format1.with_spans(found) if is_old else found


def build_evidence(header: Header, records: Iterable[Record]) -> Evidence:
    """Return the evidence of records of any kind, in any order."""
    every = list(records)
    return Evidence(
        header,
        sort_exchanges(record for record in every if isinstance(record, Exchange)),
        tuple(record for record in every if isinstance(record, Note)),
        tuple(record for record in every if isinstance(record, ListEnd)),
        tuple(record for record in every if isinstance(record, Span)),
    )


def _members(record: Record) -> dict[str, Any]:
    """Return the members of a record but its body, those of its place among them."""
    names = (each.name for each in fields(record) if each.name not in {"place", "body"})
    values = {name: getattr(record, name) for name in names}  # asdict would copy them, deeply
    place = getattr(record, "place", None)
    return values | (place.to_row() if isinstance(place, Place) else {})


def _records(
    rows: Iterable[Row], make_body: Callable[[bytes], Body], convert: Callable[[Row], Row] | None
) -> Iterator[Record]:
    """Yield the record of each row; the numbers in spans are checked at the end.

    Raises:
        BadData: a row cannot be read; the message begins with its line.
    """
    bodies: dict[int, Body] = {}
    spans: list[tuple[int, Span]] = []
    for line, row in enumerate(rows, 2):  # the header is line 1
        try:
            record = _to_record(convert(row) if convert else row, bodies, make_body)
        except ROW_ERRORS as error:
            raise _row_error(line, error) from None
        if isinstance(record, Span):
            spans.append((line, record))
        yield record
    for line, span in spans:
        try:
            _check_numbers(span, bodies)
        except BadData as error:
            raise _row_error(line, error) from None


def _row_error(line: int, error: Exception) -> BadData:
    """Return the error of a row with its line and the next step; Python's own words do not help a user."""
    unreadable = "got a row that cannot be read, expected one that spec/evidence.schema.json describes."
    return BadData(f"line {line}: {error if isinstance(error, BadData) else unreadable} {NEXT_STEP}")


def _check_numbers(span: Span, exchanges: Collection[int]) -> None:
    for name in SPAN_NUMBERS:
        for n in getattr(span, name):
            if n not in exchanges:
                raise BadData(f"got {n} in `{name}`, expected the number of an exchange in this file.")


def _to_record(row: Row, bodies: dict[int, Body], make_body: Callable[[bytes], Body]) -> Record:
    """Return the record of a row below the header; `bodies` has the bodies of earlier rows by number, and gets its own.

    Raises:
        BadData: the row has another format.
    """
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise BadData(f"got {show(kind)} as `kind`, expected {', '.join(MEMBERS)}.")
    check_members(row, *MEMBERS[kind])
    del row["kind"]
    scenario = Scenario(row.pop("scenario"))
    if kind == "note":
        return Note(scenario, row["name"], NAMES[row["name"]].load(row["value"]), row["round"])
    place = Place.pop_from(row)
    if kind == "list-end":
        return ListEnd(scenario, place, **row)
    if kind == "span":
        before, requests, after = (tuple(row.pop(name)) for name in SPAN_NUMBERS)
        if not requests:
            raise BadData("got no number in `requests`, expected the number of at least one exchange.")
        return Span(scenario, place, before, requests, after, **row)
    if row["n"] in bodies:
        raise BadData(f"got {row['n']} as `n` once more, expected another number in each exchange.")
    body = bodies[row["n"]] = _pop_body(row, bodies, make_body)
    row["tags"] = {Tag(tag): value for tag, value in row["tags"].items()}
    for headers in ("request_headers", "response_headers"):
        row[headers] = tuple(map(tuple, row[headers]))
    return Exchange(scenario=scenario, place=place, body=body, **row)


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return  # the run was killed within this line
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise BadData(f"line {number}: got bytes that are not UTF-8, expected JSON. {NEXT_STEP}") from None
        except (ValueError, RecursionError):
            raise BadData(f"line {number}: got text that is not JSON, expected an object. {NEXT_STEP}") from None
        if not isinstance(row, dict):
            raise BadData(f"line {number}: got {show(row)}, expected an object. {NEXT_STEP}")
        yield row


def _header(row: Row) -> Header:
    if row.pop("kind", None) != "header":
        raise BadData("line 1: The file does not begin with a header. It is not the evidence of a run of this suite.")
    if "format" not in row:
        raise BadData(f"line 1: The header has no `format`. {NEXT_STEP}")
    found = row["format"]
    if type(found) is not int or found not in {format1.FORMAT, FORMAT}:
        raise BadData(
            f"line 1: The file has format {show(found)}; this version reads the formats {format1.FORMAT} and {FORMAT}. "
            "Use the version of the suite that wrote it."
        )
    try:
        check_members(row, HEADER, OPTIONAL_HEADER)
        for name in ("profiles", "select"):
            check(row["settings"].get(name, []), STRINGS, name)
    except BadData as error:
        raise _row_error(1, error) from None
    return Header(**row)


def _pop_body(row: Row, bodies: dict[int, Body], make_body: Callable[[bytes], Body]) -> Body:
    """Remove the body from a row and return it."""
    found = [name for name in BODIES if name in row]
    if len(found) != 1:
        raise BadData(f"got {' and '.join(found) or 'no body'}, expected one of {', '.join(BODIES)}.")
    name, value = found[0], row.pop(found[0])
    if name != "body_of":
        return make_body(decode_body(name, value))
    if value not in bodies:
        raise BadData(f"got {value} as `body_of`, expected the number of an exchange in an earlier line.")
    return bodies[value]
