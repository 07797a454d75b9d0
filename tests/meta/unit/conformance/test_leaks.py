"""Leaks: a repeated token, a stack trace, a password in a URL; and harmless text that resembles them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView

JUDGMENTS = import_module("purge_conformance.conformance.test_leaks")


def has_leak(judgment: Callable[[JudgmentView], None], builder: EvidenceBuilder) -> bool:
    """Return whether a judgment finds a leak after a list was read."""
    builder.add_exchange(Scenario.READS, Step.LIST, data={"resources": []})
    try:
        judgment(builder.judgment_view)
    except RequirementViolated:
        return True
    return False


@pytest.mark.parametrize(
    ("sent", "body", "leak"),
    [
        ("bearer $ADMIN_TOKEN", b'{"token": "$ADMIN_TOKEN"}', True),
        ("bearer ${ADMIN_TOKEN%.*}.x", b"eyJ.$ADMIN_TOKEN_PART.x is invalid", True),
        ("bearer $ADMIN_TOKEN", b'{"token": "$OTHER_TOKEN"}', False),
        ("bearer garbage", b"garbage is invalid", False),
        ("bearer $ADMIN_TOKEN", b"$ADMIN_TOKENS and ADMIN_TOKEN", False),
    ],
)
def test_repeated_token_is_a_leak(sent: str, body: bytes, *, leak: bool, builder: EvidenceBuilder) -> None:
    """The variable of the request's token in a response is a leak; another word is not."""
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        body=body,
        request_headers=(("Authorization", sent),),
    )
    assert has_leak(JUDGMENTS.test_token_is_not_echoed, builder) is leak


def test_token_in_header_is_a_leak(builder: EvidenceBuilder) -> None:
    """A header can leak the token as well as a body."""
    sent, shown = (("Authorization", "bearer $ADMIN_TOKEN"),), (("X-By", "bearer $ADMIN_TOKEN"),)
    builder.add_exchange(
        Scenario.PURGE, Step.PURGE, method="POST", path=PURGE_PATH, request_headers=sent, response_headers=shown
    )
    assert has_leak(JUDGMENTS.test_token_is_not_echoed, builder)


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ('Traceback (most recent call last):\n  File "app.py", line 1', True),
        ("app/controllers/v3/x.rb:41:in `show'", True),
        ("at org.example.Events.get(Events.java:12)", True),
        ("    at Layer.handle (/srv/node_modules/express/lib/layer.js:95:5)", True),
        ("goroutine 12 [running]:", True),
        ('File "/srv/app.py", line 12, in purge', True),
        ("at java.lang.Thread.run(Unknown Source)", True),
        ("at processTicksAndRejections (node:internal/process/task_queues:95:5)", True),
        ("(api 1.0) lib/api/events.ex:12: Api.Events.purge/1", True),
        ("died at /srv/events.pl line 12.", True),
        ("Invalid token at position 12, see app.rb or https://example.org/errors.html:1", False),
        ("created at 12:00:01, in a list (Events)", False),
    ],
)
def test_stack_trace_is_a_leak(text: str, *, leak: bool, builder: EvidenceBuilder) -> None:
    """Stack frames of common languages are leaks; sentences are not."""
    builder.add_exchange(
        Scenario.READS, Step.GET_UNKNOWN, status=500, data={"errors": [{"code": 1, "title": "x", "detail": text}]}
    )
    assert has_leak(JUDGMENTS.test_errors_have_no_stack_trace, builder) is leak


@pytest.mark.parametrize(
    ("name", "leak"),
    [
        ("https://user:s3cret@git.example.org/x.git", True),
        ("https://:s3cret@git.example.org/x.git", True),
        ("https://***:***@git.example.org/x.git", False),
        ("https://user:[REDACTED]@git.example.org", False),
        ("https://user@git.example.org/x.git", False),
        ("https://git.example.org:8443/x?by=a@example.org", False),
        ("mailto:a@example.org", False),
    ],
)
def test_password_in_url_is_a_leak(name: str, *, leak: bool, builder: EvidenceBuilder) -> None:
    """A password before the host is a leak unless it is masked; a port or an address elsewhere is not."""
    builder.add_exchange(Scenario.LISTS, Step.OPENING, data={"resources": [{"guid": "a", "buildpack": {"name": name}}]})
    assert has_leak(JUDGMENTS.test_urls_contain_no_password, builder) is leak


@pytest.mark.parametrize(("query", "leak"), [("", True), ("?order_by=a%3A%2F%2Fb%3As3cret%40c", False)])
def test_password_in_error_is_a_leak(query: str, *, leak: bool, builder: EvidenceBuilder) -> None:
    """An error can leak a password, unless it quotes the request."""
    errors = [{"code": 1, "title": "x", "detail": "no connection to a://b:s3cret@c"}]
    builder.add_exchange(
        Scenario.LISTS, Step.UNSPECIFIED_QUERY, path=f"{EVENTS_PATH}{query}", status=500, data={"errors": errors}
    )
    assert has_leak(JUDGMENTS.test_urls_contain_no_password, builder) is leak
