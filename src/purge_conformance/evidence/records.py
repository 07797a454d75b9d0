"""What a run saw: exchanges and notes, as frozen records; to and from `evidence.jsonl`.

The file is a journal: the first line is the header, each further line one exchange or one note, in the
order in which they came, flushed at once. A run that was killed leaves all that it collected. Of requests that were
under way at once, the answers may come in another order than the numbers; whoever reads gets them by number. A long
body that came before stands there once: later lines name the exchange of the first one.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from http import HTTPStatus
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, TextIO, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from purge_conformance.errors import BadData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FILE_NAME = "evidence.jsonl"
FORMAT = 1
LARGE_BODY_BYTES = 10_000  # bytes of a body that is written once, however often it comes
RETRIED = "superseded"  # tag of an answer that was waited out and asked for again; its value is why
GATEWAY = "gateway"  # the why of an answer that came from between target and suite, and passed
SERVER_ERROR = "failure"  # the why of a 500 to a read, which is asked for once more
EXPIRED_TOKEN = "expired token"  # the why of a refusal of a token that had come to its end  # noqa: S105 -- no secret
CONCURRENT = "at_once"  # tag of an exchange beside which others were under way: its number is no place in a sequence
INDUCED = "provoked"  # tag of a request for which a hook was asked for an error; its value is the status of that
HOOK_STATE = "state"  # beside it: the state that the hook was asked for, by its name
CHANGED_BY_HOOK = (
    "changed"  # tag of a look at an app that was changed before it, without a request; its value is by whom
)
FORM = "form"  # tag of a request that sent a file, which is not recorded; its value is the form as curl is told of it
Headers = tuple[tuple[str, str], ...]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Header:
    """What was run, by what, against what; secrets never stand here.

    Attributes:
        suite: version of this package.
        digests: file of `spec/` -> sha256, as it was when the evidence was collected.
        target: base URL without credentials.
        settings: limits, seed, profiles, roles with a token.
        started_at: RFC 3339, UTC.
    """

    suite: str
    digests: dict[str, str]
    target: str
    settings: dict[str, Any]
    started_at: str
    format: int = FORMAT


class Body(bytes):
    """The bytes of an answer. Exchanges whose answers say the same share one, and it is read as JSON once."""

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """What the bytes say as JSON, or None where they are none."""
        try:
            return json.loads(self)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        n: number in its run, from 1, in the order of sending.
        experiment: the procedure that sent it.
        step: its place in the procedure; several exchanges (pages) may share one.
        role: whose credential it carried: `admin`, `none`, `malformed`, ...
        method: HTTP method.
        path: path and query below the target's base URL.
        request_headers: as sent, secrets as `$VARIABLE`.
        request_body: text or None.
        sent_at: seconds since the epoch, on the suite's clock.
        elapsed: seconds until the last byte of the answer.
        status: HTTP status, or None when there was no answer.
        response_headers: as received, order and repetitions kept.
        body: the answer's bytes, at most `Limits.body_bytes`.
        error: why there was no answer, or None.
        tags: facts that the procedure knows of this request, for example the mode of a generated case.
    """

    n: int
    experiment: str
    step: str
    role: str
    method: str
    path: str
    request_headers: Headers
    request_body: str | None
    sent_at: float
    elapsed: float
    status: int | None
    response_headers: Headers
    body: bytes
    error: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """Return the first response header of that name, or None."""
        return self._headers.get(name.lower())

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {key.lower(): value for key, value in reversed(self.response_headers)}

    @cached_property
    def route(self) -> str:
        """The path without its query."""
        return urlsplit(self.path).path

    @property
    def guid(self) -> str:
        """The last segment of the path, decoded: the guid where one event was asked for."""
        return unquote(self.route.rpartition("/")[2])

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, the last of a repeated one."""
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @property
    def text(self) -> str:
        """The answer's body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The answer's body as JSON, or None where it is none."""
        return (self.body if isinstance(self.body, Body) else Body(self.body)).json

    @cached_property
    def page(self) -> dict[str, Any] | None:
        """The answer as a page of a list, or None where it cannot be read as one."""
        is_page = self.status == HTTPStatus.OK and isinstance(self.json, dict)
        return self.json if is_page and isinstance(self.json.get("resources"), list) else None

    @cached_property
    def resources(self) -> tuple[dict[str, Any], ...]:
        """The resources on a page; what has no guid is none."""
        rows = self.page["resources"] if self.page else ()
        return tuple(row for row in rows if isinstance(row, dict) and isinstance(row.get("guid"), str))

    @property
    def is_json(self) -> bool:
        """Whether the body parses as JSON."""
        return self.json is not None or self.body.strip() == b"null"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a procedure learnt and that no exchange shows, for example why it stopped short."""

    experiment: str
    name: str
    value: Any


@dataclass(frozen=True)
class Evidence:
    """All that one run saw; the exchanges in the order of sending."""

    header: Header
    exchanges: tuple[Exchange, ...]
    notes: tuple[Note, ...]

    def of(self, experiment: str, *steps: str) -> tuple[Exchange, ...]:
        """Return an experiment's exchanges, all or those of the named steps, by number, without those waited out."""
        by_step = self.by_step.get(experiment, {})
        exchanges = [x for step in set(steps or by_step) for x in by_step.get(step, ())]
        return sort_exchanges(exchanges)

    def repetitions(self, experiment: str) -> tuple[str, ...]:
        """Return the names under which an experiment was run: its own, and those of repetitions that sent anything."""
        return experiment, *takewhile(
            self.by_step.__contains__, (repetition_name(experiment, number) for number in count(2))
        )

    def note(self, experiment: str, name: str) -> Any:  # noqa: ANN401 -- whatever was noted
        """Return what an experiment noted last under that name, or None."""
        return self._noted.get((experiment, name))

    @cached_property
    def by_step(self) -> dict[str, dict[str, list[Exchange]]]:
        """The exchanges of each experiment by their step, without those that were asked again."""
        grouped: dict[str, dict[str, list[Exchange]]] = {}
        for x in self.exchanges:
            if RETRIED not in x.tags:
                grouped.setdefault(x.experiment, {}).setdefault(x.step, []).append(x)
        return grouped

    def cached(self, find: Callable[[Evidence], Value]) -> Value:
        """Return what is found in the whole evidence; it is looked for once, however many ask for it."""
        if find not in self.cache:
            self.cache[find] = find(self)
        value: Value = self.cache[find]
        return value

    @cached_property
    def cache(self) -> dict[Any, Any]:
        """What was found in the whole evidence so far, by whoever looked for it."""
        return {}

    @cached_property
    def _noted(self) -> dict[tuple[str, str], Any]:
        return {(n.experiment, n.name): n.value for n in self.notes}


_FIELD_NAMES = {kind: [each.name for each in fields(kind)] for kind in (Header, Exchange, Note)}
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def repetition_name(experiment: str, number: int) -> str:
    """Return the name under which an experiment is run for the second time, the third and so on."""
    return f"{experiment} {number}"


def base_name(experiment: str) -> str:
    """Return the name under which an experiment is run for the first time."""
    return experiment.rstrip(" 0123456789")


def sort_exchanges(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return exchanges in the order in which they were sent."""
    return tuple(sorted(exchanges, key=lambda x: x.n))


def to_json(record: Exchange | Note | Header, body_of: int | None = None) -> str:
    """Return one line of the journal; `body_of` is the number of an exchange before it that has the same body."""
    kind = type(record)
    values = {name: getattr(record, name) for name in _FIELD_NAMES[kind]}  # asdict would copy them, deeply
    row: dict[str, Any] = {"kind": kind.__name__.lower(), **values}
    if isinstance(record, Exchange):
        del row["body"]
        row |= _encode_body(record.body) if body_of is None else {"body_of": body_of}
    return _ENCODER.encode(row)


def read(folder: Path) -> Evidence:
    """Return the evidence of the run in `folder`; a last line cut off by a crash is left out.

    Raises:
        BadData: there is no journal, or it is none of this format.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise BadData(f"{folder} holds no {FILE_NAME}. Name the folder that a run wrote with --out.")
    header: Header | None = None
    exchanges: list[Exchange] = []
    notes: list[Note] = []
    bodies: dict[int, Body] = {}
    with path.open(encoding="utf-8") as file:
        for row in _read_rows(file, path):
            kind = row.pop("kind", None)
            if kind == "header":
                header = _parse_header(row, path)
            elif kind == "exchange":
                exchanges.append(_parse_exchange(row, path, bodies))
            else:
                notes.append(Note(row.get("experiment", ""), row.get("name", ""), row.get("value")))
    if header is None:
        raise BadData(f"{path} does not begin with a header. It is not the evidence of a run of this suite.")
    return Evidence(header, sort_exchanges(exchanges), tuple(notes))


def _read_rows(file: TextIO, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_read_lines(file, path), 1):
        if not line.endswith("\n"):
            return  # the run was killed within this line
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadData(
                f"{path}, line {number} is not JSON ({error}). Restore the file as the run wrote it."
            ) from None
        if not isinstance(row, dict):
            raise BadData(f"{path}, line {number} is not an object. Restore the file as the run wrote it.")
        yield row


def _read_lines(file: TextIO, path: Path) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError as error:
        raise BadData(f"{path} is not UTF-8 ({error.reason}). Restore the file as the run wrote it.") from None


def _parse_header(row: dict[str, Any], path: Path) -> Header:
    if row.get("format") != FORMAT:
        raise BadData(
            f"{path} has format {row.get('format')!r}, this version reads {FORMAT}. Use the suite that wrote it."
        )
    try:
        return Header(**row)
    except TypeError as error:
        raise BadData(f"{path} has a header that cannot be read ({error}). Restore the file.") from None


def _parse_exchange(row: dict[str, Any], path: Path, bodies: dict[int, Body]) -> Exchange:
    """Return the exchange of a row; `bodies` has those of the rows before it, by number, and gets its own."""
    try:
        body = bodies[row["n"]] = _pop_body(row, bodies)
        for name in ("request_headers", "response_headers"):
            row[name] = tuple((str(key), str(value)) for key, value in row[name])
        return Exchange(body=body, **row)
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"{path} has an exchange that cannot be read ({error!r}). Restore the file.") from None


def _pop_body(row: dict[str, Any], bodies: dict[int, Body]) -> Body:
    """Take the body out of a row."""
    if "body_of" in row:
        return bodies[row.pop("body_of")]
    return Body(base64.b64decode(row.pop("body_base64")) if "body_base64" in row else row.pop("body_text").encode())


def _encode_body(body: bytes) -> dict[str, str]:
    try:
        return {"body_text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}
