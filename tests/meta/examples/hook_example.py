"""An emulator's provider states: as a command (no argument), or at /hook of the emulator itself (its port)."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WAITING = Path("waiting")  # a file for each operation whose next request meets an error
OPERATIONS = {"purge", "list", "get"}
ERRORS = {
    "conflict for the next request": (409, 10016, "CF-Conflict"),
    "internal error for the next request": (500, 10001, "UnknownError"),
    "service unavailable for the next request": (503, 10015, "CF-ServiceUnavailable"),
}


def answer_hook(question: dict[str, Any]) -> bool:
    """Do what the suite asks for; return whether this emulator knows the state."""
    state, operation = question["state"], question["params"].get("operation")
    if state == "nothing":
        return True
    if question["version"] != 1 or state not in ERRORS or operation not in OPERATIONS:
        return False
    WAITING.mkdir(exist_ok=True)
    if question["action"] == "setup":
        (WAITING / operation).write_text(state)
    else:
        (WAITING / operation).unlink(missing_ok=True)
    return True


def take(operation: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of the next answer: the error that waits for the operation, or success."""
    place = WAITING / operation
    if not place.exists():
        return 200, {}
    status, code, title = ERRORS[place.read_text()]
    place.unlink()
    return status, {"errors": [{"code": code, "title": title, "detail": "as the hook was asked for"}]}


class Emulator(BaseHTTPRequestHandler):
    """The emulator; that it has no apps and no events is beside the point here."""

    def do_POST(self) -> None:
        """Purge; or take a provider state."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/hook":
            self._say(200 if answer_hook(json.loads(body)) else 501, {})
        else:
            self._say(*take("purge"))

    def do_GET(self) -> None:
        """List; or get an event."""
        self._say(*take("list" if self.path.partition("?")[0].endswith("/app_usage_events") else "get"))

    def _say(self, status: int, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Emulator).serve_forever()
    sys.exit(0 if answer_hook(json.load(sys.stdin)) else 3)
