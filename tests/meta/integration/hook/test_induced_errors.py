"""Errors of the reference server that a hook induces, or fails to induce."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.induced_errors import (
    conflicting_purges,
    failed_purges,
    is_rolled_back,
    raise_if_not_induced,
)
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.purge_series import plain_purges
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import reference_process
from purge_conformance.errors import RequestBlocked
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.report.model import Cause
from purge_conformance.scenarios import induced_errors as inducing
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer


@pytest.fixture
def view_with_hook(
    reference_server: tuple[str, dict[str, str]], builder: EvidenceBuilder, tmp_path: Path
) -> Callable[[str], tuple[JudgmentView, list[str]]]:
    """Induce errors of a reference server with a hook; return the evidence, and the calls of a command."""
    url, tokens = reference_server

    def provoke(hook: str) -> tuple[JudgmentView, list[str]]:
        kept = tmp_path / "kept"
        address = (
            hook if hook.startswith("http") else f"command:{shlex.quote(sys.executable)} -c {shlex.quote(hook)} {kept}"
        )
        settings = Settings(Target(url), tokens, hook=parse_hook(address))
        with Journal(tmp_path / "out", builder.evidence.header) as journal:
            guard = Guard(settings.limits)
            guard.is_archived = True
            client = Client(settings, journal, guard, lambda *_: None)
            client.begin(Scenario.INDUCED_ERRORS)
            inducing.induce_errors(client, SuiteApps(client))
            found = journal.evidence()
        return JudgmentView(found), kept.read_text(encoding="utf-8").split() if kept.exists() else []

    return provoke


KEEPING = """
import json, sys
question = json.load(sys.stdin)
with open(sys.argv[1], "a") as file:
    print(question["action"], file=file)
sys.exit({})
"""


def test_false_hook_accuses_no_target(view_with_hook: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that sets no state, but says so: each state is ended, and the report explains it."""
    view, kept = view_with_hook(KEEPING.format(0))
    assert kept == ["setup", "teardown"] * (len(kept) // 2)
    assert len(kept) >= 2 * 5
    with pytest.raises(NotExercised, match=r"it set the state 'conflict.*purge was answered 200"):
        raise_if_not_induced(view, 409)
    assert (conflicting_purges(view), list(failed_purges(view))) == ([], [])
    assert not any(Tag.INDUCED in x.tags for x, _ in plain_purges(view))  # but those that restore events


def test_unsupported_state_is_explained(view_with_hook: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that supports no state: each is requested once, and no request depends on it."""
    view, kept = view_with_hook(KEEPING.format(3))
    assert kept == ["setup"] * len(kept)
    assert [x for x in view.exchanges if Tag.INDUCED in x.tags] == []
    with pytest.raises(NotExercised, match="does not support the state 'internal error"):
        raise_if_not_induced(view, 500)


def test_failing_hook_is_explained(view_with_hook: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that fails is called once; what depends on it is inconclusive, with the cause configuration."""
    view, kept = view_with_hook(KEEPING.format(1))
    assert kept == ["setup"]
    for status in inducing.STATES:
        with pytest.raises(Inconclusive, match="exit code 1") as raised:
            raise_if_not_induced(view, status)
        assert raised.value.cause is Cause.CONFIGURATION


def test_blocked_request_resets_state(
    make_client: Callable[..., Client], stub_server: StubServer, tmp_path: Path
) -> None:
    """A request that the guard blocks leaves no state for a later request."""
    kept = tmp_path / "kept"
    words = f"command:{shlex.quote(sys.executable)} -c {shlex.quote(KEEPING.format(0))} {kept}"
    client = make_client(max_purges=0)
    client.settings, client.planned_purges = replace(client.settings, hook=parse_hook(words)), 3
    stub_server.answer = lambda handler: stub_server.respond(handler, body=b'{"resources": []}')
    with pytest.raises(RequestBlocked):
        inducing.induce_errors(client, SuiteApps(client))
    assert (kept.read_text(encoding="utf-8").split(), stub_server.purges) == (["setup", "teardown"], 0)


def test_emptied_list_is_restored(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """After an induced failure that emptied the list, a plain purge comes before the next one, so both are judged."""
    with reference_process.server(["--fault", "unavailable-purge-half-done"]) as (url, tokens):
        hook = parse_hook(reference_process.hook_url(url))
        settings = Settings(Target(url), tokens, hook=hook)
        with Journal(tmp_path / "out", builder.evidence.header) as journal:
            guard = Guard(settings.limits)
            guard.is_archived = True
            client = Client(settings, journal, guard, lambda *_: None)
            client.begin(Scenario.FOUNDATION)
            apps = SuiteApps(client)
            apps.build()
            client.begin(Scenario.INDUCED_ERRORS)
            client.planned_purges = 5
            inducing.induce_errors(client, apps)
            apps.delete_apps()
            view = JudgmentView(journal.evidence())
    purges = list(failed_purges(view))
    assert [purge.request.status for purge in purges] == [503, 500]
    assert [is_rolled_back(view, purge) for purge in purges] == [False, True]
    assert all(purge.before.events.rows for purge in purges)
    assert len(plain_purges(view)) == 1
