"""Judgments of what responses disclose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import describe_response, require_exchanges, require_no
from purge_conformance.analysis.next_steps import RUN_ALL
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.evidence.url_passwords import leaks_password
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

SENT_TOKEN = re.compile(r"[A-Z0-9_]+_TOKEN")  # the variable that replaces a token in a request
RECEIVED_TOKEN = re.compile(r"\$([A-Z0-9_]+?_TOKEN)(?:_PART)?(?![A-Z0-9_])")  # the same in a response
STACK_TRACE = re.compile(
    r"Traceback \(most recent call last\)|File \\?\"[^\"]{1,200}\", line \d+, in "  # Python
    r"|\.rb:\d+:in [`']"  # Ruby
    r"|\bat [\w.$<>]+\((?:[\w.]+(?:\.java|\.kt|\.scala|\.groovy):\d+|Native Method|Unknown Source)\)"  # the JVM
    r"|\bat .{1,200}(?:\.[jt]s|\bnode:[\w/]+):\d+:\d+"  # JavaScript
    r"|goroutine \d+ \[|\.go:\d+ \+0x"  # Go
    r"|\bat .{1,200} in .{1,200}\.cs:line \d+"  # .NET
    r"|#\d+ .{1,200}\.php\(\d+\)"  # PHP
    r"|\.rs:\d+:\d+"  # Rust
    r"|\.exs?:\d+: "  # Elixir
    r"|\bat .{1,200}\.p[lm] line \d+"  # Perl
)


@pytest.mark.requirement("LEAK-01")
def test_token_is_not_echoed(view: JudgmentView) -> None:
    """A response MUST NOT contain the request's token."""
    require_exchanges(view, Scenario.READS, Step.LIST, if_none="Nothing was read.")
    with_token = [x for x in view.resource_exchanges() if SENT_TOKEN.search(_authorization(x))]
    view.count("header", with_token)
    view.count("body", (x for x in with_token if x.body))
    require_no(
        Finding("a response without the token of the request", _quote_echo(x), x.n)
        for x in with_token
        if _echoes_token(x)
    )


@pytest.mark.requirement("LEAK-02")
def test_errors_have_no_stack_trace(view: JudgmentView) -> None:
    """An error response SHOULD NOT contain a stack trace."""
    errors = view.error_responses()
    if not errors:
        raise NotExercised("No error occurred.", Cause.CONFIGURATION, RUN_ALL)
    view.count("stack-trace", errors)
    require_no(
        Finding("an error without a stack trace", describe_response(x), x.n)
        for x in errors
        if STACK_TRACE.search(x.text)
    )


@pytest.mark.requirement("LEAK-03")
def test_urls_contain_no_password(view: JudgmentView) -> None:
    """A response SHOULD NOT contain a URL with a password."""
    require_exchanges(view, Scenario.READS, Step.LIST, if_none="Nothing was read.")
    view.count("url-password", view.resource_exchanges())
    require_no(
        Finding("no password in a URL, or a masked one", "a URL with a password", x.n)
        for x in view.resource_exchanges()
        if leaks_password(x)
    )


def _echoes_token(exchange: Exchange) -> bool:
    sent = _authorization(exchange)
    parts = [exchange.text, *(part for header in exchange.response_headers for part in header)]
    return bool(set(SENT_TOKEN.findall(sent)) & {name for part in parts for name in RECEIVED_TOKEN.findall(part)})


def _authorization(exchange: Exchange) -> str:
    return next((value for name, value in exchange.request_headers if name == "Authorization"), "")


def _quote_echo(exchange: Exchange) -> str:
    """Return the header that contains the token, or else the response; the evidence has variables instead of tokens."""
    headers = (f"{name}: {value}" for name, value in exchange.response_headers)
    return next(filter(RECEIVED_TOKEN.search, headers), describe_response(exchange))
