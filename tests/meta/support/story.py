"""Evidence that a test writes by hand, exchange by exchange."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from purge_conformance import catalogue
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.pagination import SNAPSHOT_PATHS
from purge_conformance.evidence import notes
from purge_conformance.evidence.format1 import with_spans
from purge_conformance.evidence.records import Evidence, Exchange, Header, ListEnd, Note
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.evidence.notes import NoteName, Value
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


def whole_view(builder: EvidenceBuilder, name: str) -> JudgmentView:
    """Return the evidence as a judgment leaves it that has counted one trial of each case of this requirement."""
    view = builder.judgment_view
    (requirement,) = (each for each in catalogue.requirements() if each.id == name)
    view.cases.update({case.id: [1] for case in requirement.cases})
    return view


class EvidenceBuilder:
    """Evidence that a test writes exchange by exchange: one each second, each with its response after half a second."""

    event, app, process = staticmethod(event_row), staticmethod(app_row), staticmethod(process_row)

    def __init__(self) -> None:
        """Start with no exchange and no note."""
        self.exchanges: list[Exchange] = []
        self.notes: list[Note] = []
        self.list_ends: list[ListEnd] = []

    def add_exchange(  # noqa: PLR0913 -- the parts of an exchange
        self,
        scenario: Scenario,
        where: Where,
        *,
        method: str = "GET",
        path: str = EVENTS_PATH,
        status: int | None = 200,
        data: object = None,
        body: bytes | None = None,
        **more: Any,  # noqa: ANN401 -- the other parts
    ) -> Exchange:
        """Add an exchange; `data` is the JSON of the response, `body` its bytes."""
        n = len(self.exchanges) + 1
        parts: dict[str, Any] = {"role": "admin", "request_headers": (), "request_body": None, "response_headers": ()}
        parts |= {"sent_at": NOON + n, "elapsed": 0.5, **more}
        content = json.dumps(data).encode() if body is None else body
        place = place_of(where)
        exchange = Exchange(n, scenario, place, method=method, path=path, status=status, body=content, **parts)
        self.exchanges.append(exchange)
        return exchange

    def add_purge(
        self,
        scenario: Scenario,
        where: Where = Step.PURGE,
        *,
        status: int | None = 200,
        **more: Any,  # noqa: ANN401 -- as in add_exchange
    ) -> Exchange:
        """Add a purge."""
        return self.add_exchange(scenario, where, method="POST", path=PURGE_PATH, status=status, data={}, **more)

    def add_page(self, scenario: Scenario, where: Where, rows: Sequence[Row], **query: Any) -> Exchange:  # noqa: ANN401 -- any query
        """Add a page that holds these rows and is the last one."""
        asked = {"per_page": 500, "page": 1, **query}
        data = {"pagination": {"total_results": len(rows), "total_pages": 1, "next": None}, "resources": list(rows)}
        path = SNAPSHOT_PATHS[place_of(where).part or Part.EVENTS]
        return self.add_exchange(scenario, where, path=f"{path}?{urlencode(asked)}", data=data)

    def add_list(self, scenario: Scenario, where: Where, rows: Sequence[Row], *, complete: bool = True) -> None:
        """Add the reading of a whole list that has one page."""
        page = self.add_page(scenario, where, rows)
        self.list_ends.append(ListEnd(page.scenario, page.place, complete, page.round))

    def add_snapshot(
        self,
        scenario: Scenario,
        where: Where,
        events: Sequence[Row] = (),
        apps: Sequence[Row] = (),
        processes: Sequence[Row] = (),
    ) -> None:
        """Add a snapshot of apps, processes and events."""
        for part, rows in ((Part.APPS, apps), (Part.PROCESSES, processes), (Part.EVENTS, events)):
            self.add_list(scenario, place_of(where).of(part), rows)

    def add_note(self, scenario: Scenario, name: NoteName[Value], value: Value, *, round: int = 1) -> None:
        """Add a note."""
        self.notes.append(Note(scenario, name.name, value, round))

    @property
    def evidence(self) -> Evidence:
        """The evidence of a run that ended normally; its spans are those that the places imply."""
        finished = Note(Scenario.CLEANUP, notes.FINISHED.name, value=True)
        return with_spans(Evidence(HEADER, tuple(self.exchanges), (*self.notes, finished), tuple(self.list_ends)))

    @property
    def judgment_view(self) -> JudgmentView:
        """The evidence as a judgment receives it."""
        return JudgmentView(self.evidence)
