"""Evidence that a test writes by hand, exchange by exchange."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.format1 import Converter, scenario_of, with_spans
from purge_conformance.evidence.jsonl import to_record
from purge_conformance.evidence.notes import NoteName
from purge_conformance.evidence.records import Evidence, Exchange, Header, ListEnd, Note
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from purge_conformance.evidence.steps import Where


Row = dict[str, Any]
BEFORE, AFTER = (Place(Step.PURGE, phase=phase) for phase in Phase)  # the snapshots around a purge
NOON = 1_782_907_200.0  # 2026-07-01T12:00:00Z, when the evidence starts
HEADER = Header(
    suite="0",
    digests={},
    target="http://target.test",
    settings={"profiles": ["core"], "select": [], "admin_scope": True, "seed": 1},
    started_at="2026-07-01T12:00:00Z",
)


def event_row(guid: str, app: str | None = None, created_at: str = "2026-07-01T12:00:00Z") -> Row:
    """Return an event in a list; it names an app, or none."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


def app_row(guid: str, state: str = "STARTED", updated_at: str = "2026-07-01T11:00:00Z") -> Row:
    """Return an app in a list."""
    return {"guid": guid, "state": state, "updated_at": updated_at}


def process_row(guid: str, app: str, instances: int = 1) -> Row:
    """Return a process in a list."""
    owner = {"app": {"data": {"guid": app}}}
    return {"guid": guid, "instances": instances, "memory_in_mb": 64, "relationships": owner}


class EvidenceBuilder:
    """Evidence that a test writes exchange by exchange: one each second, each with its response after half a second.

    A test names scenarios and places by their declared names, or as format 1 of the evidence names them.
    """

    event, app, process = staticmethod(event_row), staticmethod(app_row), staticmethod(process_row)

    def __init__(self) -> None:
        """Start with no exchange and no note."""
        self.exchanges: list[Exchange] = []
        self.notes: list[Note] = []
        self.list_ends: list[ListEnd] = []
        self._converter = Converter()

    def add_exchange(  # noqa: PLR0913 -- the parts of an exchange
        self,
        experiment: Scenario | str,
        step: Where | str,
        *,
        method: str = "GET",
        path: str = EVENTS_PATH,
        status: int | None = 200,
        data: object = None,
        body: bytes | None = None,
        **more: Any,  # noqa: ANN401 -- of EvidenceBuilder.add_snapshot
    ) -> Exchange:
        """Add an exchange; `data` is the JSON of the response, `body` its bytes."""
        n = len(self.exchanges) + 1
        where = self._where(experiment, step, more.get("tags") or {}, more.pop("round", 1))
        parts = {"role": "admin", "request_headers": (), "request_body": None, "response_headers": ()} | more
        content = json.dumps(data).encode() if body is None else body
        parts = {"sent_at": NOON + n, "elapsed": 0.5, **where, **parts}
        self.exchanges.append(Exchange(n, method=method, path=path, status=status, body=content, **parts))
        return self.exchanges[-1]

    def _where(self, experiment: str, step: Where | str, tags: Mapping[str, str], number: int) -> Row:
        """Return scenario, round and place of an exchange."""
        if isinstance(experiment, Scenario) and isinstance(step, (Step, Place)):
            return {"scenario": experiment, "round": number, "place": place_of(step)}
        needed = {name: tags[name] for name in ("auth", "superseded") if name in tags}
        old = {"kind": "exchange", "experiment": experiment, "step": step, "tags": needed}
        row = self._converter.convert(old)
        return {"scenario": row["scenario"], "round": row["round"], "place": Place.pop_from(row)}

    def add_purge(
        self,
        experiment: Scenario | str,
        where: Where | None = None,
        *,
        status: int = 200,
        **more: Any,  # noqa: ANN401 -- as in add_exchange
    ) -> Exchange:
        """Add a purge of a scenario; unless given, its place is that of `Step.PURGE`."""
        step = where or (Step.PURGE if isinstance(experiment, Scenario) else "purge")
        return self.add_exchange(experiment, step, method="POST", path=PURGE_PATH, status=status, data={}, **more)

    def add_page(self, experiment: Scenario | str, step: Where | str, rows: Sequence[Row], **query: Any) -> Exchange:  # noqa: ANN401 -- any query
        """Add a page that holds these rows and is the last one."""
        asked = {"per_page": 500, "page": 1, **query}
        data = {"pagination": {"total_results": len(rows), "total_pages": 1, "next": None}, "resources": list(rows)}
        return self.add_exchange(experiment, step, path=f"{EVENTS_PATH}?{urlencode(asked)}", data=data)

    def add_list(
        self, experiment: Scenario | str, step: Where | str, rows: Sequence[Row], *, complete: bool = True
    ) -> None:
        """Add the reading of a whole list that has one page."""
        page = self.add_page(experiment, step, rows)
        self.list_ends.append(ListEnd(page.scenario, page.place, complete, page.round))

    def add_snapshot(
        self,
        experiment: Scenario | str,
        step: Where | str,
        events: Sequence[Row] = (),
        apps: Sequence[Row] = (),
        processes: Sequence[Row] = (),
    ) -> None:
        """Add a snapshot of apps, processes and events."""
        for part, rows in ((Part.APPS, apps), (Part.PROCESSES, processes), (Part.EVENTS, events)):
            where = place_of(step).of(part) if isinstance(step, (Step, Place)) else f"{step}.{part}"
            self.add_list(experiment, where, rows)

    def add_note(self, experiment: Scenario | str, name: NoteName[Any] | str, value: object, *, round: int = 1) -> None:
        """Add a note, or the end of a list as format 1 notes it; `round` counts for declared names."""
        if isinstance(name, NoteName):
            self.notes.append(Note(Scenario(experiment), name.name, value, round))
            return
        row = self._converter.convert({"kind": "note", "experiment": experiment, "name": name, "value": value})
        record = to_record(row, {})
        if isinstance(record, ListEnd):
            self.list_ends.append(record)
        elif isinstance(record, Note):
            self.notes.append(record)

    @property
    def evidence(self) -> Evidence:
        """The evidence of a run that ended normally."""
        finished = Note(Scenario.CLEANUP, notes.FINISHED.name, value=True)
        return with_spans(Evidence(HEADER, tuple(self.exchanges), (*self.notes, finished), tuple(self.list_ends)))

    @property
    def judgment_view(self) -> JudgmentView:
        """The evidence as a judgment receives it."""
        return JudgmentView(self.evidence)
