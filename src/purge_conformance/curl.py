"""One command that sends a recorded request again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from purge_conformance.credentials import FILLED_IN

if TYPE_CHECKING:
    from purge_conformance.evidence import Exchange

LEFT_OUT = {"connection", "accept-encoding", "content-length", "user-agent"}


def command(exchange: Exchange, base: str) -> str:
    """Return a line for a POSIX shell; secrets stand there as `$VARIABLE`, which the shell fills in."""
    words = ["curl", "-sS", "-i", "--path-as-is", "--globoff"]
    words += ["-I"] if exchange.method == "HEAD" else ["-X", shlex.quote(exchange.method)]
    sent = [(name, value) for name, value in exchange.request_headers if name.lower() not in LEFT_OUT]
    words += [word for name, value in sent for word in ("-H", _header(name, value))]
    if exchange.request_body is not None:
        if all(name.lower() != "content-type" for name, _ in sent):
            words += ["-H", "Content-Type:"]  # curl would call it a form
        words += ["--data-raw", shlex.quote(exchange.request_body)]
    return " ".join([*words, shlex.quote(base + exchange.path)])


def _header(name: str, value: str) -> str:
    """Quote a header; only a credential of ours stays open to the shell, which fills in its secret."""
    if name == "Authorization" and FILLED_IN.fullmatch(value):
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")
