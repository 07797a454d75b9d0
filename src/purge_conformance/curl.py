"""One command that sends a recorded request again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purge_conformance.evidence import Exchange

GENERATED = "generated"
LEFT_OUT = {"connection", "accept-encoding", "content-length", "user-agent"}


def command(exchange: Exchange, base: str) -> str:
    """Return a line for a POSIX shell; secrets stand there as `$VARIABLE`, which the shell fills in."""
    ours = exchange.role != GENERATED  # what was generated could hold anything, a command too
    words = ["curl", "-sS", "-i", "--path-as-is", "--globoff"]
    words += ["-I"] if exchange.method == "HEAD" else ["-X", exchange.method]
    for name, value in exchange.request_headers:
        if name.lower() not in LEFT_OUT:
            words += [
                "-H",
                _quoted(f"{name}: {value}" if value else f"{name};", expands=name == "Authorization" and ours),
            ]
    if exchange.request_body is not None:
        words += ["--data-raw", shlex.quote(exchange.request_body)]
    return " ".join([*words, shlex.quote(base + exchange.path)])


def _quoted(text: str, *, expands: bool) -> str:
    """Quote an argument; one that holds a variable, such as our own Authorization, stays open to the shell for it."""
    if expands and "$" in text:
        return f'"{text}"'
    return shlex.quote(text)
