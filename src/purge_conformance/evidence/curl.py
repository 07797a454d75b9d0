"""One line that sends a recorded request again, the way in which the run reached the target."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from purge_conformance.config.hook_url import SETUP, question
from purge_conformance.evidence.records import FORM, STATE
from purge_conformance.evidence.redaction import COOKIE, FILLED_IN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.evidence.records import Exchange, Header

LEFT_OUT = {"connection", "accept-encoding", "content-length", "user-agent"}
TOKENS = re.compile(r"\$([A-Z][A-Z0-9_]*_TOKEN)(?![A-Z0-9_])")  # as the redactor writes them
PROXY_USER = "PROXY_USER"  # the variable that stands for USER:PASSWORD of a proxy's URL
FILES = {"ca_bundle": "--cacert", "client_cert": "--cert", "client_key": "--key"}  # of a transport -> curl's option
JSON_TYPE = shlex.quote("Content-Type: application/json")
HOOK = "PURGE_CONFORMANCE_HOOK"  # the variable that the suite itself reads the hook's address from


def command(exchange: Exchange, header: Header, variables: Mapping[str, str] | None = None) -> str:
    """Return a line for a POSIX shell; secrets stand there as `$VARIABLE`, which the shell fills in.

    Where a hook provoked what is to be seen, the line asks it first, at the address that is in `$HOOK`.

    Args:
        exchange: the request to send again.
        header: of its run: the target, and how that was reached.
        variables: what the shell fills in besides, wherever it stands -> name of its variable.
    """
    known = {f"${name}": name for name in TOKENS.findall(exchange.path)} | dict(variables or {})
    way = list(_way(header.settings.get("transport")))
    words = ["curl", "-sS", "-i", "--path-as-is", "--globoff", *way]
    words += ["-I"] if exchange.method == "HEAD" else ["-X", shlex.quote(exchange.method)]
    form = exchange.tags.get(FORM)
    left_out = LEFT_OUT | {"content-type"} if form else LEFT_OUT  # curl makes a boundary of its own
    sent = [(name, value) for name, value in exchange.request_headers if name.lower() not in left_out]
    sent = [(name, value) for name, value in sent if not (name == "Cookie" and COOKIE in value)]  # it is the run's own
    words += [word for name, value in sent for word in ("-H", _header(name, value))]
    if form:
        words += ["-F", quoted(form, known)]
    elif exchange.request_body is not None:
        if all(name.lower() != "content-type" for name, _ in sent):
            words += ["-H", "Content-Type:"]  # curl would call it a form
        words += ["--data-raw", quoted(exchange.request_body, known)]
    line = " ".join([*words, quoted(header.target + exchange.path, known)])
    return " && ".join([*_asking(exchange, header.settings.get("hook"), way), line])


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


def _way(transport: Any) -> Iterator[str]:  # noqa: ANN401 -- as a record has it, whoever wrote it
    """Yield the options that reach a target as the run did: `Transport.shown` of it."""
    given = transport if isinstance(transport, dict) else {}
    for name, option in FILES.items():
        if name in given:
            yield from (option, shlex.quote(_file(str(given[name]), option)))
    if given.get("insecure"):
        yield "--insecure"
    if "proxy" in given:
        yield from ("--proxy", quoted(str(given["proxy"]), {f"${PROXY_USER}": PROXY_USER}))
    if given.get("no_proxy"):
        yield from ("--noproxy", shlex.quote("*"))


def _file(path: str, option: str) -> str:
    """Return a path as curl reads it: in that of a certificate a password would follow a colon."""
    return re.sub(r"([\\:])", r"\\\1", path) if option == "--cert" else path


def _asking(exchange: Exchange, hook: object, way: list[str]) -> Iterator[str]:
    """Yield what asks the hook for the state that this request met, if it did."""
    if STATE not in exchange.tags:
        return
    asked = shlex.quote(question(exchange.tags[STATE], {"operation": exchange.step.partition(" ")[0]}, SETUP))
    if hook == "command":
        yield f'printf %s {asked} | sh -c "${{{HOOK}#command:}}"'
    else:
        yield " ".join(["curl -sS --fail -o /dev/null", *way, "-H", JSON_TYPE, "--data-raw", asked, f'"${HOOK}"'])
