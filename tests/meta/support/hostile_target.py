"""A target whose every answer holds text that would control a terminal, a CI system or a report."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import unicodedata
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import RUN_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path


# Without line feeds: what can be in a header or in the reason of a status.
LINE = (
    "\x1b]0;OWNED\x07\x1b[2J\x1b[31m ::error::title ##vso[task.setvariable variable=x]y ##teamcity[a 'b'] \x9b31m"
    "\u202egnp.exe\u2066 \u200b\ufeff\U000e0041\u2028\u2029 <img src=x onerror=alert(1)> |`@admin [a](http://b.example)"
    " ]]>"
)
TEXT = f"::error::first {LINE}\r\n::error::x\n##[error]y\r::warning::z\n  ::set-output name=a::b\n\ud800\ufffe\x00\x85"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
LOG_COMMAND = re.compile(r"^\s*::\w|##[\w.]*\[")


def answer_hostile(status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return how a target answers every request: with that status, and with hostile text in every place."""
    row = {
        **dict.fromkeys(("guid", "name", "state", "type", TEXT), TEXT),
        **{name: {"guid": TEXT, "name": TEXT} for name in ("app", "space", "organization", "process", "task")},
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": TEXT,
        "metadata": {"labels": {RUN_LABEL: TEXT, TEXT: TEXT}},
        "relationships": {"space": {"data": {"guid": TEXT}}, "app": {"data": {"guid": TEXT}}},
        "errors": [{"code": TEXT, "title": TEXT, "detail": TEXT}],
        "links": {name: {"href": TEXT} for name in ("self", "cloud_controller_v3", "app_usage_events", TEXT)},
    }
    page = {**row, "pagination": {"total_results": 1, "next": None}, "resources": [row]}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_list = "?" in handler.path or handler.path.endswith(("s", "/"))
        body = json.dumps(page if is_list else row).encode()
        actual = 422 if handler.command in {"DELETE", "PATCH"} else status
        content = b"" if handler.command == "HEAD" else body
        head = f"HTTP/1.1 {actual} {LINE}\r\nContent-Length: {len(body)}\r\nConnection: close\r\nX-Odd: {LINE}\r\n"
        more = f"Content-Type: application/json; {LINE}\r\nLocation: {LINE}\r\nX-{LINE}: {LINE}\r\n\r\n"
        handler.wfile.write((head + more).encode() + content)
        handler.close_connection = True

    return answer


def problems(raw: bytes, *, is_terminal: bool = False) -> list[str]:
    """Return what is wrong with printed bytes: no UTF-8, a hidden character, or a command for a CI system."""
    text = raw.decode("utf-8")
    if is_terminal:  # it turns line feeds into carriage returns with line feeds
        text = STYLE.sub("", text).replace("\r\n", "\n")
    found = [f"{char!r} in {line[:80]!r}" for line in text.split("\n") for char in line if is_hidden(char)]
    return found + [f"a command: {line[:80]!r}" for line in text.split("\n") if LOG_COMMAND.search(line)]


def is_hidden(char: str) -> bool:
    """Whether a character is a control or a format character, or no character at all."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def run_on_terminal(command: list[str], folder: Path, environment: Mapping[str, str]) -> bytes:
    """Run a command on a pseudo terminal in a folder, and return what it shows."""
    ours, theirs = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        process.wait(60)
    os.close(ours)
    return bytes(shown)
