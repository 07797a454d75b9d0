"""The file `evidence.jsonl`: one JSON object per line; `spec/evidence.schema.json` describes format 2.

The first line is the header. Each further line is an exchange, a note, the end of a list or a span, in the order in
which they come, flushed at once: a run that was killed leaves what it collected. Responses to concurrent requests may
come in another order than the numbers of the requests. A long body is written once: later lines name the exchange that
has it. Files of format 1 are converted as they are read.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from purge_conformance.errors import BadData
from purge_conformance.evidence import format1
from purge_conformance.evidence.notes import NAMES
from purge_conformance.evidence.records import (
    FORMAT,
    Body,
    Evidence,
    Exchange,
    Header,
    ListEnd,
    Note,
    Span,
    sort_exchanges,
)
from purge_conformance.evidence.steps import Place, Scenario, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

FILE_NAME = "evidence.jsonl"
LARGE_BODY_BYTES = 10_000  # bytes of a body that is written once
KINDS = {Header: "header", Exchange: "exchange", Note: "note", ListEnd: "list-end", Span: "span"}
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=asdict)
Record = Header | Exchange | Note | ListEnd | Span


def to_json(record: Record, body_of: int | None = None) -> str:
    """Return one line of the file; `body_of` is the number of an earlier exchange that has the same body."""
    row = {"kind": KINDS[type(record)], **_members(record)}
    if isinstance(record, Exchange):
        del row["body"]
        row |= _encode_body(record.body) if body_of is None else {"body_of": body_of}
    return _ENCODER.encode(row)


def read(folder: Path) -> Evidence:
    """Return the evidence of the run in `folder`; a last line that a crash cut off is ignored.

    Raises:
        BadData: there is no such file, or it is neither of this format nor of format 1.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise BadData(f"{folder} holds no {FILE_NAME}. Name the folder that a run wrote with --out.")
    with path.open(encoding="utf-8") as file:
        try:
            rows = _rows(file)
            return evidence(_header(next(rows, {})), rows)
        except BadData as error:
            raise BadData(f"{path}: {error}") from None
        except UnicodeDecodeError as error:
            raise BadData(f"{path} is not UTF-8 ({error.reason}). Restore the file as the run wrote it.") from None
        except (KeyError, TypeError, ValueError) as error:
            raise BadData(f"{path} has a line that cannot be read ({error!r}). Restore the file.") from None


def evidence(header: Header, rows: Iterable[dict[str, Any]]) -> Evidence:
    """Return the evidence of the rows below a header, which are of the header's format."""
    if header.format == format1.FORMAT:
        return format1.with_spans(build_evidence(header, _records(format1.convert(rows))))
    return build_evidence(header, _records(rows))


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
    """Return the members of a record, those of its place among them."""
    names = (each.name for each in fields(record) if each.name != "place")
    values = {name: getattr(record, name) for name in names}  # asdict would copy them, deeply
    place = getattr(record, "place", None)
    return values | (place.to_row() if isinstance(place, Place) else {})


def _records(rows: Iterable[dict[str, Any]]) -> Iterator[Record]:
    bodies: dict[int, Body] = {}
    for row in rows:
        yield to_record(row, bodies)


def to_record(row: dict[str, Any], bodies: dict[int, Body]) -> Record:
    """Return the record of a row below the header; `bodies` has the bodies of earlier rows by number, and gets its own.

    Raises:
        KeyError, TypeError, ValueError: the row has another format.
    """
    kind, scenario = row.pop("kind"), Scenario(row.pop("scenario"))
    if kind == "note":
        declared = NAMES[row["name"]]
        return Note(scenario, declared.name, declared.load(row["value"]), row["round"])
    place = Place.pop_from(row)
    if kind == "list-end":
        return ListEnd(scenario, place, **row)
    if kind == "span":
        before, requests, after = (tuple(row.pop(name)) for name in ("before", "requests", "after"))
        return Span(scenario, place, before, requests, after, **row)
    if kind == "exchange":
        body = bodies[row["n"]] = _decode_body(row, bodies)
        row["tags"] = {Tag(tag): value for tag, value in row["tags"].items()}
        for headers in ("request_headers", "response_headers"):
            row[headers] = tuple((str(name), str(value)) for name, value in row[headers])
        return Exchange(scenario=scenario, place=place, body=body, **row)
    raise ValueError(kind)


def _rows(file: TextIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        if not line.endswith("\n"):
            return  # the run was killed within this line
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadData(f"line {number} is not JSON ({error}). Restore the file as the run wrote it.") from None
        if not isinstance(row, dict):
            raise BadData(f"line {number} is not an object. Restore the file as the run wrote it.")
        yield row


def _header(row: dict[str, Any]) -> Header:
    if row.pop("kind", None) != "header":
        raise BadData("The file does not begin with a header. It is not the evidence of a run of this suite.")
    if row.get("format") not in {format1.FORMAT, FORMAT}:
        raise BadData(
            f"The file has format {row.get('format')!r}; this version reads the formats {format1.FORMAT} and {FORMAT}. "
            "Use the version of the suite that wrote it."
        )
    try:
        return Header(**row)
    except TypeError as error:
        raise BadData(f"The file has a header that cannot be read ({error}). Restore the file.") from None


def _decode_body(row: dict[str, Any], bodies: dict[int, Body]) -> Body:
    """Remove the body from a row and return it."""
    if "body_of" in row:
        return bodies[row.pop("body_of")]
    return Body(base64.b64decode(row.pop("body_base64")) if "body_base64" in row else row.pop("body_text").encode())


def _encode_body(body: bytes) -> dict[str, str]:
    try:
        return {"body_text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}
