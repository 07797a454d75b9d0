"""The responses of a stub server that acts as a Cloud Controller."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

ROOT = {"links": {"cloud_controller_v3": {"href": "/v3", "meta": {"version": "3.195.0"}}}}
clock = BaseHTTPRequestHandler.date_time_string
OLD = "2026-07-01T12:00:00Z"


def jwt(*scopes: str, expires_in: float = 86_400) -> str:
    """Return a token with these scopes that expires in `expires_in` seconds."""
    return jwt_with({"scope": scopes, "exp": time.time() + expires_in})


def jwt_with(claims: object) -> str:
    """Return a token with this payload."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


ADMIN = jwt("cloud_controller.admin")


@dataclass
class Api:
    """Makes the stub respond as an API.

    Attributes:
        root: the body of `/`.
        statuses: token -> status of its requests; 200 by default.
        headers: of every response.
        age: of the newest event, in seconds; old by default.
        date: of every response, in seconds from now.
    """

    root: Any = field(default_factory=lambda: ROOT)
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    age: float | None = None
    date: float = 0.0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        token = (handler.headers.get("Authorization") or "").removeprefix("bearer ")
        created_at = OLD if self.age is None else datetime.fromtimestamp(time.time() - self.age, UTC).isoformat()
        row = {"guid": "the-newest", "created_at": created_at}
        page = {"pagination": {"total_results": 1234}, "resources": [row]}
        setattr(handler, "date_time_string", lambda: clock(handler, time.time() + self.date))  # noqa: B010 -- its own
        status = self.statuses.get(token, 200)
        body = self.root if handler.path in {"/", "/v3"} else page
        handler.send_response(status)
        content = json.dumps(body).encode()
        for name, value in {"Content-Length": str(len(content)), **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
