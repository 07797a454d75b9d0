"""Leaks: a token that comes back, a stack trace, a password in a URL; and what only resembles them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Story

    from purge_conformance.analysis.assertions import JudgmentView

JUDGMENTS = import_module("purge_conformance.conformance.test_leaks")


def leaks(judgment: Callable[[JudgmentView], None], story: Story) -> bool:
    """Whether a judgment finds a leak, after a list was read."""
    story.say("reads", "list", data={"resources": []})
    try:
        judgment(story.seen)
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
def test_repeated_token_is_told(sent: str, body: bytes, *, leak: bool, story: Story) -> None:
    """The variable of the token that was sent, in an answer, is a leak; another word is none."""
    story.say(
        "refused", "credential", method="POST", path=PURGE_PATH, body=body, request_headers=(("Authorization", sent),)
    )
    assert leaks(JUDGMENTS.test_token_not_repeated, story) is leak


def test_token_in_header_is_told(story: Story) -> None:
    """A header may give it away as well as a body."""
    sent, shown = (("Authorization", "bearer $ADMIN_TOKEN"),), (("X-By", "bearer $ADMIN_TOKEN"),)
    story.say("purge", "purge", method="POST", path=PURGE_PATH, request_headers=sent, response_headers=shown)
    assert leaks(JUDGMENTS.test_token_not_repeated, story)


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
def test_trace_is_told(text: str, *, leak: bool, story: Story) -> None:
    """Frames of the common languages are told from sentences."""
    story.say("reads", "unknown", status=500, data={"errors": [{"code": 1, "title": "x", "detail": text}]})
    assert leaks(JUDGMENTS.test_errors_show_no_trace, story) is leak


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
def test_password_is_told(name: str, *, leak: bool, story: Story) -> None:
    """A password before the host is one, unless it is masked; a port or an address elsewhere is none."""
    story.say("lists", "opening", data={"resources": [{"guid": "a", "buildpack": {"name": name}}]})
    assert leaks(JUDGMENTS.test_no_password_is_shown, story) is leak


@pytest.mark.parametrize(("query", "leak"), [("", True), ("?order_by=a%3A%2F%2Fb%3As3cret%40c", False)])
def test_password_in_error_is_told(query: str, *, leak: bool, story: Story) -> None:
    """An error shows one as well, unless it quotes the request."""
    errors = [{"code": 1, "title": "x", "detail": "no connection to a://b:s3cret@c"}]
    story.say("lists", "odd", path=f"{EVENTS_PATH}{query}", status=500, data={"errors": errors})
    assert leaks(JUDGMENTS.test_no_password_is_shown, story) is leak
