"""One command that sends a recorded request again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from purge_conformance.credentials import FILLED_IN
from purge_conformance.evidence import FORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.evidence import Exchange

LEFT_OUT = {"connection", "accept-encoding", "content-length", "user-agent"}


def command(exchange: Exchange, base: str, variables: Mapping[str, str] | None = None) -> str:
    """Return a line for a POSIX shell; secrets stand there as `$VARIABLE`, which the shell fills in.

    Args:
        exchange: the request to send again.
        base: base URL of the target.
        variables: what the shell fills in besides, wherever it stands -> name of its variable.
    """
    known = variables or {}
    words = ["curl", "-sS", "-i", "--path-as-is", "--globoff"]
    words += ["-I"] if exchange.method == "HEAD" else ["-X", shlex.quote(exchange.method)]
    form = exchange.tags.get(FORM)
    left_out = LEFT_OUT | {"content-type"} if form else LEFT_OUT  # curl makes a boundary of its own
    sent = [(name, value) for name, value in exchange.request_headers if name.lower() not in left_out]
    words += [word for name, value in sent for word in ("-H", _header(name, value))]
    if form:
        words += ["-F", quoted(form, known)]
    elif exchange.request_body is not None:
        if all(name.lower() != "content-type" for name, _ in sent):
            words += ["-H", "Content-Type:"]  # curl would call it a form
        words += ["--data-raw", quoted(exchange.request_body, known)]
    return " ".join([*words, quoted(base + exchange.path, known)])


def quoted(text: str, variables: Mapping[str, str] | None = None) -> str:
    """Quote a word; only what is known stays open to the shell."""
    for value, name in (variables or {}).items():
        before, found, after = text.partition(value)
        if found:
            return "".join([quoted(before, variables) if before else "", f'"${name}"', quoted(after, variables)])
    return shlex.quote(text)


def _header(name: str, value: str) -> str:
    """Quote a header; only a credential of ours stays open to the shell, which fills in its secret."""
    if name == "Authorization" and FILLED_IN.fullmatch(value):
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")
