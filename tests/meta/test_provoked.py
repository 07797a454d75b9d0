"""Errors that a hook provokes: they are judged, those that did not come are explained; nobody is accused."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive, JudgmentView, NotExercised
from purge_conformance.analysis.induced_errors import (
    conflicting_purges,
    failed_purges,
    is_rolled_back,
    raise_if_not_induced,
)
from purge_conformance.analysis.purge_series import plain_purges
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.errors import RequestBlocked
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import INDUCED
from purge_conformance.report.model import Cause
from purge_conformance.scenarios import induced_errors as provoking
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Story, Stub, Whole

OF_ERRORS = {"ERROR-06", "ERROR-07", "ERROR-08", "BODY-03", "REFUSE-08"}


def test_whole_run_exercises_errors(whole: Whole) -> None:
    """With the reference server's hook a whole run judges 409, 500 and 503, each purge once and each read."""
    assert {whole.outcomes[name] for name in OF_ERRORS} == {"passed"}
    sent = [x for x in whole.evidence.exchanges if INDUCED in x.tags]
    assert sorted((x.step, x.status) for x in sent) == [
        ("get 500", 500),
        ("get 503", 503),
        ("list 500", 500),
        ("list 503", 503),
        *((f"purge {status}", status) for status in (409, 500, 503)),
    ]
    assert whole.report["settings"]["hook"] == "url"
    assert len(whole.evidence.of("provoked")) <= 17


def test_provoked_purge_is_no_plain_one(story: Story) -> None:
    """A purge that was to fail says nothing of how plain purges end."""
    story.purge("provoked", status=409, tags={INDUCED: "409"})
    story.purge("parallel")
    assert [x.status for x, _ in plain_purges(story.seen)] == [200]


def provoked(story: Story, *, conflict: Any = None, unavailable: Any = None, after: Any = None) -> Story:  # noqa: ANN401 -- rows
    """Tell of three purges that were provoked to fail, by what was listed after each; None: all as it was."""
    app, was = story.app("a"), [story.event("e", "a"), story.event("a", "a")]
    story.look("provoked", "before", was, [app])
    for status, look, rows in ((409, "conflict", conflict), (503, "unavailable", unavailable), (500, "after", after)):
        story.say(
            *("provoked", f"purge {status}"), method="POST", path=PURGE_PATH, status=status, tags={INDUCED: str(status)}
        )
        was = was if rows is None else rows
        if look == "after":
            story.look("provoked", look, was, [app])
        else:
            story.walk("provoked", f"{look}.events", was)
    return story


def test_undone_purges_lose_nothing(story: Story) -> None:
    """Purges that left everything as it was are undone, and a conflict lost nothing."""
    seen = provoked(story).seen
    assert [is_rolled_back(purge) for purge in failed_purges(seen)] == [True, True]
    assert [attempt.describe_loss() for attempt in conflicting_purges(seen)] == [None]


@pytest.mark.parametrize(
    ("rows", "undone", "faithful"),
    [
        ([], False, False),
        ([("a", "a")], False, True),
        ([("e", "a"), ("a", "a")], True, False),
        ([("e", "a")], False, False),
    ],
)
def test_failed_purge_is_told(rows: list[tuple[str, str]], undone: bool, faithful: bool, story: Story) -> None:  # noqa: FBT001
    """A failed purge left all, did all, or is half done; a new event with an app's guid is done as well."""
    events = [story.event(guid, app) for guid, app in rows]
    (purge, _) = failed_purges(provoked(story, unavailable=events).seen)
    assert (is_rolled_back(purge), purge.is_complete()) == (undone, faithful)


def test_conflict_that_destroys_is_told(story: Story) -> None:
    """What a purge destroyed that was answered with a conflict is lost."""
    (attempt,) = conflicting_purges(provoked(story, conflict=[]).seen)
    assert attempt.describe_loss() == "2 events before, 0 after"


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ({"status": 409, "failed": True, "reason": "the hook failed"}, Inconclusive, "the hook failed"),
        ({"status": 409, "failed": False, "reason": "not supported"}, NotExercised, "not supported"),
        ({"status": 503, "failed": False, "reason": "not supported"}, NotExercised, "--hook"),
    ],
)
def test_missing_error_is_explained(
    value: dict[str, object], error: type[Inconclusive | NotExercised], words: str, story: Story
) -> None:
    """An error that did not come is inconclusive where the hook failed, not exercised otherwise, never the target's."""
    story.note("provoked", "purge", value)
    with pytest.raises(error, match=words) as raised:
        raise_if_not_induced(story.seen, 409)
    assert raised.value.cause is Cause.CONFIGURATION


def test_other_status_needs_no_hook(story: Story) -> None:
    """A hook provokes nothing but conflicts, failures and unavailability."""
    raise_if_not_induced(story.seen, 422)


@pytest.fixture
def seen_with(
    served: tuple[str, dict[str, str]], story: Story, tmp_path: Path
) -> Callable[[str], tuple[JudgmentView, list[str]]]:
    """Provoke errors of a reference server with a hook; return what was seen, and the states that a command kept."""
    url, tokens = served

    def provoke(hook: str) -> tuple[JudgmentView, list[str]]:
        kept = tmp_path / "kept"
        address = (
            hook if hook.startswith("http") else f"command:{shlex.quote(sys.executable)} -c {shlex.quote(hook)} {kept}"
        )
        settings = Settings(Target(url), tokens, hook=parse_hook(address))
        with Journal(tmp_path / "out", story.evidence.header) as journal:
            guard = Guard(settings.limits)
            guard.is_archived = True
            client = Client(settings, journal, guard, lambda *_: None)
            client.experiment = "provoked"
            provoking.induce_errors(client, SuiteApps(client))
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


def test_lying_hook_accuses_nobody(seen_with: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that says that a state is set, and sets none: each is ended, and the report says why."""
    seen, kept = seen_with(KEEPING.format(0))
    assert kept == ["setup", "teardown"] * (len(kept) // 2)
    assert len(kept) >= 2 * 5
    with pytest.raises(NotExercised, match=r"had set the state 'conflict.*purge answered 200"):
        raise_if_not_induced(seen, 409)
    assert (conflicting_purges(seen), list(failed_purges(seen)), plain_purges(seen)) == ([], [], [])


def test_unsupporting_hook_is_told(seen_with: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that supports no state: each is asked for once, and nothing is sent that ought to meet one."""
    seen, kept = seen_with(KEEPING.format(3))
    assert kept == ["setup"] * len(kept)
    assert [x for x in seen.exchanges if INDUCED in x.tags] == []
    with pytest.raises(NotExercised, match="does not support the state 'internal error"):
        raise_if_not_induced(seen, 500)


def test_failing_hook_is_told(seen_with: Callable[[str], tuple[JudgmentView, list[str]]]) -> None:
    """A hook that fails is asked once; what needs it is inconclusive by configuration."""
    seen, kept = seen_with(KEEPING.format(1))
    assert kept == ["setup"]
    for status in provoking.STATES:
        with pytest.raises(Inconclusive, match="exit code 1") as raised:
            raise_if_not_induced(seen, status)
        assert raised.value.cause is Cause.CONFIGURATION


def test_held_back_request_ends_its_state(connect: Callable[..., Client], stub: Stub, tmp_path: Path) -> None:
    """A request that the guard holds back leaves no state behind that a later one would meet."""
    kept = tmp_path / "kept"
    words = f"command:{shlex.quote(sys.executable)} -c {shlex.quote(KEEPING.format(0))} {kept}"
    client = connect(max_purges=0)
    client.settings = replace(client.settings, hook=parse_hook(words))
    stub.answer = lambda handler: stub.say(handler, body=b'{"resources": []}')
    with pytest.raises(RequestBlocked):
        provoking.induce_errors(client, SuiteApps(client))
    assert (kept.read_text(encoding="utf-8").split(), stub.purges) == (["setup", "teardown"], 0)
