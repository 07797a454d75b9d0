"""A foundation with resources of a killed run and of other users."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, RUN_LABEL
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer

Row = dict[str, Any]
OWNERS = {SPACES: "organization", APPS: "space"}


class LabelledResources:
    """Apps, spaces and organizations of a stub: kind -> guid -> row; the stub ignores label selectors."""

    def __init__(self, stub_server: StubServer) -> None:
        """Start without resources; deletions are jobs."""
        self.rows: dict[str, dict[str, Row]] = {APPS: {}, SPACES: {}, ORGANIZATIONS: {}}
        self.states = ["PROCESSING", "COMPLETE"]  # of the next job
        self.deleted: list[str] = []
        self.by_guid: dict[str, Row] = {}  # guid -> the row that a read of it shows, where it differs from the list
        self._stub, self._left = stub_server, list[str]()
        stub_server.answer = self._answer

    def add(self, kind: str, guid: str, run: str | None = None, owner: str = "", *, age: float = 7200) -> None:
        """Add a resource of this age in seconds, with the label of a run or without a label."""
        row: Row = {"guid": guid, "name": guid, "metadata": {"labels": {RUN_LABEL: run} if run else {}}}
        row["created_at"] = clock.format_rfc3339(time.time() - age)
        if owner:
            row["relationships"] = {OWNERS[kind]: {"data": {"guid": owner}}}
        self.rows[kind][guid] = row

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(handler.path).path, parse_qs(urlsplit(handler.path).query)
        kind, _, guid = path.rpartition("/")
        guid = unquote(guid)
        if path.startswith("/v3/jobs/"):
            self._stub.respond(handler, 200, json.dumps({"state": self._left.pop(0)}).encode())
        elif handler.command == "DELETE":
            self.deleted.append(path)
            self.rows[kind].pop(guid)
            self._left = [*self.states]
            self._stub.respond(handler, 202, Location="http://elsewhere.test/v3/jobs/one")
        elif kind in self.rows:
            row = self.by_guid.get(guid, self.rows[kind].get(guid))
            self._stub.respond(handler, 200 if row else 404, json.dumps(row).encode())
        else:
            rows = [row for row in self.rows[path].values() if _is_in(row, query)]
            body = {"pagination": {"total_results": len(rows), "next": None}, "resources": rows}
            self._stub.respond(handler, 200, json.dumps(body).encode())


def _is_in(row: Row, query: dict[str, list[str]]) -> bool:
    owners = {guid for name, guids in query.items() if name.endswith("_guids") for guid in guids}
    return not owners or any(r["data"]["guid"] in owners for r in row.get("relationships", {}).values())
