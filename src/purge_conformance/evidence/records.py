"""What a run recorded, as frozen records; `evidence/jsonl.py` writes and reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from purge_conformance.catalogue.model import FIRST_SET
from purge_conformance.evidence.bodies import BODY, BodyField, body_of
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.evidence.notes import NoteName, Value
    from purge_conformance.evidence.steps import App, Phase

FORMAT = 2
SUCCESS, CLIENT_ERROR = range(200, 300), range(400, 500)  # HTTP statuses
Headers = tuple[tuple[str, str], ...]
Result = TypeVar("Result")
Key = tuple[Scenario, int, Place]  # scenario, round, place


@dataclass(frozen=True, slots=True)
class Header:
    """What was run, by what, against what; it holds no secret.

    Attributes:
        suite: version of this package.
        digests: file of `spec/` -> sha256, as it was when the evidence was collected.
        target: base URL without credentials.
        settings: limits, seed, profiles, roles with a token.
        started_at: RFC 3339, UTC.
        format: of the file that it was written to; what is read is of the current format, see `evidence/format1.py`.
        requirement_set: the newest requirement set that the run collected evidence for.
    """

    suite: str
    digests: dict[str, str]
    target: str
    settings: dict[str, Any]
    started_at: str
    format: int = FORMAT
    requirement_set: str = FIRST_SET


@dataclass(frozen=True)
class Exchange:
    """One request and its response.

    Attributes:
        n: number in its run, from 1, in the order of sending.
        scenario, round: the procedure that sent it; the round is above 1 where --repeat repeats the procedure.
        place: what it is for; several exchanges (pages) may share one.
        role: whose credential it carried: `admin`, `none`, `malformed`, ...
        method: HTTP method.
        path: path and query below the target's base URL.
        request_headers: as sent, secrets as `$VARIABLE`.
        request_body: text or None.
        sent_at: seconds since the epoch, on the suite's clock.
        elapsed: seconds until the last byte of the response.
        status: HTTP status, or None when there was no response.
        response_headers: as received, order and repetitions kept.
        body: the response's bytes, at most `Limits.body_bytes`.
        error: why there was no response, or None.
        tags: what the scenario or the client knows of this request.
    """

    n: int
    scenario: Scenario
    place: Place
    role: str
    method: str
    path: str
    request_headers: Headers
    request_body: str | None
    sent_at: float
    elapsed: float
    status: int | None
    response_headers: Headers
    body: BodyField = BODY
    error: str | None = None
    tags: dict[Tag, str] = field(default_factory=dict)
    round: int = 1

    @property
    def step(self) -> Step:
        """The step of its place."""
        return self.place.step

    @property
    def key(self) -> Key:
        """Scenario, round and place: what the pages of one list have in common."""
        return self.scenario, self.round, self.place

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
        """The last segment of the path, decoded: the guid in a request for one event."""
        return unquote(self.route.rpartition("/")[2])

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, the last of a repeated one."""
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @property
    def text(self) -> str:
        """The response's body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:  # noqa: ANN401 -- whatever the target sent
        """The response's body as JSON, or None where it is not JSON."""
        return body_of(self).json

    @property
    def page(self) -> dict[str, Any] | None:
        """The response as a page of a list, or None where it cannot be read as one."""
        is_page = self.status == HTTPStatus.OK and isinstance(self.json, dict)
        return self.json if is_page and isinstance(self.json.get("resources"), list) else None

    @property
    def resources(self) -> tuple[dict[str, Any], ...]:
        """The resources on a page that have a guid."""
        return body_of(self).resources if self.page else ()

    @property
    def succeeded(self) -> bool:
        """Whether the response is a success, 2xx."""
        return self.status in SUCCESS

    @property
    def rejected(self) -> bool:
        """Whether the response is a client error, 4xx."""
        return self.status in CLIENT_ERROR

    @property
    def is_json(self) -> bool:
        """Whether the body parses as JSON."""
        return self.json is not None or self.body.strip() == b"null"


@dataclass(frozen=True, slots=True)
class Note:
    """What a scenario learned and no exchange shows; `evidence/notes.py` declares the names and their values.

    Attributes:
        scenario, round: of the procedure that noted it.
        name: a declared one.
        value: of the type that the name declares.
    """

    scenario: Scenario
    name: str
    value: Any
    round: int = 1


@dataclass(frozen=True, slots=True)
class ListEnd:
    """That reading the pages of one place has ended, and whether the end of the list was reached."""

    scenario: Scenario
    place: Place
    complete: bool
    round: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Requests between two observations of the target; where a scenario was cut short, the last members are empty.

    Attributes:
        scenario, round: of the procedure.
        place: of the requests, without a phase and without a part.
        before, after: numbers of the exchanges of each observation: a page, a list or a snapshot.
        requests: numbers of the requests whose response counts; at least one.
    """

    scenario: Scenario
    place: Place
    before: tuple[int, ...]
    requests: tuple[int, ...]
    after: tuple[int, ...]
    round: int = 1

    @property
    def step(self) -> Step:
        """The step of its place."""
        return self.place.step


@dataclass(frozen=True)
class Evidence:
    """All that one run recorded, the exchanges in the order of sending; a `round` is one of a repeated scenario."""

    header: Header
    exchanges: tuple[Exchange, ...]
    notes: tuple[Note, ...]
    list_ends: tuple[ListEnd, ...] = ()
    all_spans: tuple[Span, ...] = ()

    def of(  # noqa: PLR0913 -- the members of a place
        self,
        scenario: Scenario,
        *steps: Step,
        round: int = 1,
        index: int | None = None,
        phase: Phase | None = None,
        app: App | None = None,
        sequence: int | None = None,
        position: int | None = None,
    ) -> tuple[Exchange, ...]:
        """Return the exchanges of a scenario whose responses count, by number.

        Without steps: all of the round. With steps: the requests of these steps, or the lists of that `phase`; those of
        a snapshot are left out, see `listing.snapshot_at`. `index`, `app`, `sequence` and `position` select further.
        """
        members = {"index": index, "app": app, "sequence": sequence, "position": position}
        wanted = {name: value for name, value in members.items() if value is not None}

        def matches(place: Place) -> bool:
            if steps and (place.step not in steps or place.phase != phase or place.part is not None):
                return False
            return all(getattr(place, name) == value for name, value in wanted.items())

        places = self.by_place.get((scenario, round), {})
        return sort_exchanges(x for place, exchanges in places.items() if matches(place) for x in exchanges)

    def at(self, scenario: Scenario, place: Place, round: int = 1) -> tuple[Exchange, ...]:
        """Return the exchanges of exactly that place whose responses count: the pages of one list."""
        return sort_exchanges(self.by_place.get((scenario, round), {}).get(place, ()))

    def numbered(self, numbers: Iterable[int]) -> tuple[Exchange, ...]:
        """Return the exchanges with these numbers, in the same order; for the members of a span."""
        return tuple(self._by_number[n] for n in numbers)

    def spans(self, scenario: Scenario, *steps: Step, round: int | None = None) -> tuple[Span, ...]:
        """Return the spans of a scenario, in order; of all steps or of these, of all rounds or of one."""
        of_round = (span for span in self._spans.get(scenario, ()) if round in {None, span.round})
        return tuple(span for span in of_round if not steps or span.step in steps)

    def rounds(self, scenario: Scenario) -> tuple[int, ...]:
        """Return the rounds of a scenario: the first one, and the others that sent anything."""
        return 1, *takewhile(lambda number: (scenario, number) in self.by_place, count(2))

    def note(self, scenario: Scenario, name: NoteName[Value], round: int = 1) -> Value | None:
        """Return what a scenario noted last under a name, or None."""
        of_round = (note for note in self._notes.get(name.name, ()) if (note.scenario, note.round) == (scenario, round))
        values: list[Value] = [note.value for note in of_round]
        return values[-1] if values else None

    def noted(self, name: NoteName[Value], scenario: Scenario | None = None) -> tuple[Value, ...]:
        """Return all values that were noted under a name, in any scenario or in that one, in any round, in order."""
        return tuple(note.value for note in self._notes.get(name.name, ()) if scenario in {None, note.scenario})

    def is_complete(self, key: Key) -> bool:
        """Whether the walk over the pages of a place reached the end of the list."""
        return self._complete.get(key, False)

    @cached_property
    def by_place(self) -> dict[tuple[Scenario, int], dict[Place, list[Exchange]]]:
        """The exchanges whose responses count, by scenario and round, and by place."""
        grouped: dict[tuple[Scenario, int], dict[Place, list[Exchange]]] = {}
        for x in self.exchanges:
            if Tag.SUPERSEDED not in x.tags:
                grouped.setdefault((x.scenario, x.round), {}).setdefault(x.place, []).append(x)
        return grouped

    @cached_property
    def snapshot_keys(self) -> dict[Key, tuple[int, int]]:
        """The place of each snapshot -> the numbers of its first and of its last exchange."""
        grouped: dict[Key, list[int]] = {}
        for x in self.exchanges:
            if x.place.part is not None:
                grouped.setdefault((x.scenario, x.round, x.place.whole), []).append(x.n)
        return {key: (min(numbers), max(numbers)) for key, numbers in grouped.items()}

    def cached(self, find: Callable[[Evidence], Result]) -> Result:
        """Return the result of a query over the whole evidence, which runs once."""
        if find not in self.cache:
            self.cache[find] = find(self)
        result: Result = self.cache[find]
        return result

    @cached_property
    def cache(self) -> dict[Any, Any]:
        """The results of such queries so far."""
        return {}

    @cached_property
    def _by_number(self) -> dict[int, Exchange]:
        return {x.n: x for x in self.exchanges}

    @cached_property
    def _spans(self) -> dict[Scenario, list[Span]]:
        grouped: dict[Scenario, list[Span]] = {}
        for span in self.all_spans:
            grouped.setdefault(span.scenario, []).append(span)
        return grouped

    @cached_property
    def _complete(self) -> dict[Key, bool]:
        return {(end.scenario, end.round, end.place): end.complete for end in self.list_ends}

    @cached_property
    def _notes(self) -> dict[str, list[Note]]:
        grouped: dict[str, list[Note]] = {}
        for note in self.notes:
            grouped.setdefault(note.name, []).append(note)
        return grouped


def sort_exchanges(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return exchanges in the order in which they were sent."""
    return tuple(sorted(exchanges, key=lambda x: x.n))


def numbers(exchanges: Iterable[Exchange]) -> tuple[int, ...]:
    """Return the numbers of exchanges."""
    return tuple(x.n for x in exchanges)
