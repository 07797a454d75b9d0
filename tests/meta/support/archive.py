"""A list that a stub serves in pages, and the archive of it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer

    Row = dict[str, Any]

ROWS = [{"guid": f"event-{n}", "created_at": f"2026-07-01T11:{n:02}:00Z", "app": {"guid": "app"}} for n in range(45)]


def paged_list(
    stub_server: StubServer, rows: list[Row], *, max_rows: int = 20, total: int | None = None
) -> Callable[..., None]:
    """Answer with a list of these rows, at most `max_rows` per page; a larger page size is rejected."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["1"])[0])
        if size > max_rows:
            stub_server.respond(handler, 422, b'{"errors": []}')
            return
        end = page * size
        pagination: Row = {
            "total_results": len(rows) if total is None else total,
            "next": {"href": "x"} if end < len(rows) else None,
        }
        body = {"pagination": pagination, "resources": rows[end - size : end]}
        stub_server.respond(handler, body=json.dumps(body).encode())

    return answer


def archived_events(path: Path) -> list[Row]:
    """Return the events of an archive."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def archive_metadata(path: Path) -> Mapping[str, Any]:
    """Return the metadata file of an archive."""
    metadata: Mapping[str, Any] = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    return metadata
