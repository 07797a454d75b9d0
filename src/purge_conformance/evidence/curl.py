"""The curl command that sends a recorded request again, over the same transport as the run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from purge_conformance.config.hook_url import SETUP, hook_request
from purge_conformance.evidence.induced import INDUCED_OPERATIONS
from purge_conformance.evidence.redaction import COOKIE_PLACEHOLDER, SHELL_EXPANDABLE
from purge_conformance.evidence.steps import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.evidence.records import Exchange, Header

OMITTED_HEADERS = {"accept-encoding", "content-length"}
OWN_VALUES = {"connection": "keep-alive", "user-agent": "purge-conformance/"}  # header -> beginning of the suite's own
TOKEN_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*_TOKEN)(?![A-Z0-9_])")  # as the redactor writes them
PROXY_USER = "PROXY_USER"  # the variable with USER:PASSWORD of a proxy's URL
# setting of the transport -> curl's option
FILE_OPTIONS = {"ca_bundle": "--cacert", "client_cert": "--cert", "client_key": "--key"}
JSON_TYPE = shlex.quote("Content-Type: application/json")
HOOK_VARIABLE = "PURGE_CONFORMANCE_HOOK"  # the variable that the suite itself reads the hook from


def command(exchange: Exchange, header: Header, variables: Mapping[str, str] | None = None) -> str:
    """Return a command for a POSIX shell; secrets are `$VARIABLE`, which the shell expands.

    Where a hook induced an error for this request, the command calls the hook first.

    Args:
        exchange: the request to send again.
        header: of its run: the target and the transport.
        variables: further text that the shell expands -> name of its variable.
    """
    shell_variables = {f"${name}": name for name in TOKEN_VARIABLE.findall(exchange.path)} | dict(variables or {})
    options = list(transport_options(header.settings.get("transport")))
    words = ["curl", "-sS", "-i", "--path-as-is", "--globoff", *options]
    words += ["-I"] if exchange.method == "HEAD" else ["-X", shlex.quote(exchange.method)]
    form = exchange.tags.get(Tag.FORM)
    omitted = OMITTED_HEADERS | {"content-type"} if form else OMITTED_HEADERS  # curl chooses its own boundary
    headers = [
        (name, value)
        for name, value in exchange.request_headers
        if name.lower() not in omitted and not value.startswith(OWN_VALUES.get(name.lower(), "\n"))
    ]
    headers = [
        (name, value) for name, value in headers if not (name == "Cookie" and COOKIE_PLACEHOLDER in value)
    ]  # it belongs to the session of the run
    names = {name.lower() for name, _ in headers}
    if exchange.request_headers and "accept" not in names:
        words += ["-H", "Accept:"]  # curl would accept anything
    words += [word for name, value in headers for word in ("-H", _quote_header(name, value))]
    if form:
        words += ["-F", shell_quote(form, shell_variables)]
    elif exchange.request_body is not None or "transfer-encoding" in names:
        if "content-type" not in names:
            words += ["-H", "Content-Type:"]  # curl would declare a form
        words += ["--data-raw", shell_quote(exchange.request_body or "", shell_variables)]
    line = " ".join([*words, shell_quote(header.target + exchange.path, shell_variables)])
    return " && ".join([*_hook_request(exchange, header.settings.get("hook"), options), line])


def shell_quote(text: str, variables: Mapping[str, str] | None = None) -> str:
    """Quote a word; the shell expands only these variables."""
    for value, name in (variables or {}).items():
        before, separator, after = text.partition(value)
        if separator:
            return "".join(
                [
                    shell_quote(before, variables) if before else "",
                    f'"${name}"',
                    shell_quote(after, variables) if after else "",
                ]
            )
    return shlex.quote(text)


def _quote_header(name: str, value: str) -> str:
    """Quote a header; the shell expands only the secret in a credential of the suite."""
    if name == "Authorization" and SHELL_EXPANDABLE.fullmatch(value):
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")


def transport_options(transport: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON value of a file
    """Yield the options for the transport of the run, as `Transport.describe` recorded it."""
    options = transport if isinstance(transport, dict) else {}
    for name, option in FILE_OPTIONS.items():
        if name in options:
            yield from (option, shlex.quote(_escape_path(str(options[name]), option)))
    if options.get("insecure"):
        yield "--insecure"
    if "proxy" in options:
        yield from ("--proxy", shell_quote(str(options["proxy"]), {f"${PROXY_USER}": PROXY_USER}))
    if options.get("no_proxy"):
        yield from ("--noproxy", shlex.quote("*"))


def _escape_path(path: str, option: str) -> str:
    """Return a path as curl reads it: in a path of a certificate, a password follows a colon."""
    return re.sub(r"([\\:])", r"\\\1", path) if option == "--cert" else path


def _hook_request(exchange: Exchange, hook: object, options: list[str]) -> Iterator[str]:
    """Yield the command that asks the hook for the same state, if the run asked for one."""
    operation = INDUCED_OPERATIONS.get(exchange.step)
    if Tag.STATE not in exchange.tags or operation is None:
        return
    body = shlex.quote(hook_request(exchange.tags[Tag.STATE], {"operation": operation}, SETUP))
    if hook == "command":
        yield f'printf %s {body} | sh -c "${{{HOOK_VARIABLE}#command:}}"'
    else:
        yield " ".join(
            [
                "curl -sS --fail -o /dev/null",
                *options,
                "-H",
                JSON_TYPE,
                "--data-raw",
                body,
                f'"${HOOK_VARIABLE}"',
            ]
        )
