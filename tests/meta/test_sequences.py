"""The random sequences against the reference server, what is told of them, and the script that repeats it."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive, JudgmentView, NotExercised, RequirementViolated
from purge_conformance.analysis.sequence import sequence_runs
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.errors import RequestBlocked
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Header
from purge_conformance.report.model import Cause, Finding, Tally
from purge_conformance.scenarios import purge as purging
from purge_conformance.scenarios import setup as opening
from purge_conformance.scenarios.sequences import player as sequences
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Story

Row = dict[str, Any]
JUDGMENT = importlib.import_module("purge_conformance.conformance.test_sequences").test_model_agrees
FAULTS = ("app-started-twice-not-seeded", "events-of-deleted-apps-kept", "start-after-refused-purge-not-recorded")
SPARED = "app-scaled-while-stopped-not-seeded"  # tried with few purges
OTHERS = (SPARED, "records-late", "no-app-creation", "apps-from-the-start")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, dict[str, str]]]:
    """Serve an instance for each fault and variant that is tried here."""
    mounts = [word for name in FAULTS + OTHERS for word in ("--mount", name)]
    with embedded.server(mounts) as found:
        yield found


@pytest.fixture(scope="module")
def collected(
    server: tuple[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., JudgmentView]:
    """Play the sequences against an instance, once, after a first purge; keyword arguments are `Limits`."""

    @cache
    def collect(name: str = "", **limits: Any) -> JudgmentView:  # noqa: ANN401 -- of Limits
        url, tokens = server
        settings = Settings(Target(f"{url}/{name}".rstrip("/")), tokens, limits=Limits(**limits))
        with Journal(
            tmp_path_factory.mktemp("run") / "out", Header("0", {}, settings.target.url, {}, "2026-07-01T12:00:00Z")
        ) as journal:
            client = Client(settings, journal, Guard(settings.limits), lambda *_: None)
            client.guard.is_archived = True
            foundation = SuiteApps(client)
            for experiment, procedure in (
                ("foundation", opening.create_apps),
                ("purge", purging.first_purge),
                ("sequences", sequences.play_sequences),
            ):
                client.experiment = experiment
                procedure(client, foundation)
            client.experiment = "demolish"
            client.guard.release_cleanup_reserve()
            foundation.delete_apps()
            client.note("finished", value=True)
            return JudgmentView(journal.evidence())

    return collect


def told(seen: JudgmentView) -> Finding:
    """Return what the judgment finds."""
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENT(seen)
    (finding,) = caught.value.findings
    return finding


@pytest.mark.parametrize("name", ["", "records-late", "apps-from-the-start"])
def test_conforming_server_agrees(name: str, collected: Callable[..., JudgmentView]) -> None:
    """A server without a fault agrees with the model at each step of each sequence, within the bounds of a run."""
    seen = collected(name)
    JUDGMENT(seen)
    assert [play.is_shrunk for play in sequence_runs(seen)] == [False] * 2
    assert not [
        play for play in sequence_runs(seen) if play.trace.abort_reason or len(play.executed_steps) < len(play.steps)
    ]
    if not name:
        assert len(seen.of("sequences")) <= 115


SHORTEST = {
    "app-started-twice-not-seeded": ["create", "start", "stop", "start", "purge"],
    "events-of-deleted-apps-kept": ["create", "start", "delete", "purge"],
    "start-after-refused-purge-not-recorded": ["create", "purge as", "start"],
}


@pytest.mark.parametrize("name", FAULTS)
def test_failure_is_the_shortest(name: str, collected: Callable[..., JudgmentView]) -> None:
    """A failure shrinks to its shortest sequence, which names the step, and stands there as a script."""
    seen = collected(name)
    finding = told(seen)
    steps = re.findall(r"^# \d+\. (\w+(?: as)?)", finding.script or "", re.MULTILINE)
    assert steps == SHORTEST[name]
    assert finding.expected.startswith(f"after step {len(steps)} of {len(steps)}, {steps[-1]}")


def shows_events(script: str, tokens: dict[str, str]) -> bool:
    """Run a script as a user does; return whether the list that it ends with shows events of its one app."""
    secrets = {f"{role.upper()}_TOKEN": token for role, token in tokens.items()}
    done = subprocess.run(
        ["sh", "-eu"], input=script, env=os.environ | secrets, capture_output=True, text=True, timeout=60, check=True
    )
    (app,) = re.findall(r"^[A-Z]=(\S+)$", done.stdout, re.MULTILINE)
    look = next(part for part in reversed(done.stdout.split("HTTP/1.1 ")) if '"resources"' in part)
    return app in look


@pytest.mark.parametrize("name", FAULTS)
def test_script_repeats_failure(
    name: str, collected: Callable[..., JudgmentView], server: tuple[str, dict[str, str]]
) -> None:
    """A shell that runs the script sees the same on the faulty server, something else on one without a fault."""
    script, (url, tokens) = told(collected(name)).script or "", server
    wrong = name == "events-of-deleted-apps-kept"
    assert shows_events(script, tokens) is wrong
    assert shows_events(script.replace(f"{url}/{name}", url), tokens) is not wrong


def test_budgets_end_the_shrinking(collected: Callable[..., JudgmentView]) -> None:
    """Where no more may be sent, the shortest sequence so far is told, and nothing is cut short."""
    seen = collected(SPARED, max_purges=8)
    assert (told(seen).script or "").count("\n# ") > len(["create", "scale", "start", "purge", "what the list shows"])
    assert [note for note in seen.notes if note.name in {"stopped", "crashed"}] == []


def test_spent_budget_is_inconclusive(collected: Callable[..., JudgmentView]) -> None:
    """Where the sequences themselves may not be sent, a run is held back, as everywhere."""
    with pytest.raises(RequestBlocked, match="--max-purges"):
        collected(max_purges=4)


def test_no_apps_no_sequences(collected: Callable[..., JudgmentView]) -> None:
    """On a target where no app can be made nothing is played, and the reason is told."""
    seen = collected("no-app-creation")
    assert seen.of("sequences") == ()
    with pytest.raises(NotExercised, match="POST /v3/organizations made nothing") as caught:
        JUDGMENT(seen)
    assert caught.value.cause is Cause.CONFIGURATION


def test_all_is_taken_down(collected: Callable[..., JudgmentView]) -> None:
    """Every app that was made for a sequence is deleted again, and no other."""
    seen = collected(FAULTS[1])
    made = {x.json["guid"] for x in seen.exchanges if x.status == 201}
    assert {x.guid for x in seen.exchanges if x.method == "DELETE"} == made
    assert seen.note("demolish", "left") == []


def play(story: Story, number: int, *steps: tuple[str, list[Row]], shorter: bool = False) -> None:
    """Add a sequence that was played, of steps in words, each with the list after it."""
    story.note("sequences", f"sequence {number}", {"steps": [s for s, _ in steps], "processes": 1, "shorter": shorter})
    for place, (words, rows) in enumerate(steps, 1):
        refused = words.startswith("purge as")
        state = "STOPPED" if words.startswith("stop") else "STARTED"
        answered: dict[str, Any] = {"status": 401, "role": "none"} if refused else {}
        story.say(
            "sequences",
            f"{number}.{place} {words}",
            method="POST",
            path=PURGE_PATH if words.startswith("purge") else "/v3/apps",
            data={} if words.startswith("purge") else {"guid": "A", "state": state},
            **answered,
        )
        story.walk("sequences", f"{number}.{place} look 0", rows)


def event(guid: str, app: str, created_at: str = "2026-07-01T12:00:00Z") -> Row:
    """Return an event in a list."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


RIGHT: tuple[tuple[str, list[Row]], ...] = (
    ("create a", []),
    ("start a", [event("s", "A")]),
    ("purge", [event("A", "A")]),
)
WRONG: tuple[tuple[str, list[Row]], ...] = (*RIGHT[:2], ("purge", []))


def begun(story: Story, *, seeded: list[Row] | None = None) -> Story:
    """Return a story of an organization, a space and a purge, which was right unless it seeded something else."""
    name = "purge-conformance-0a1b2c3d-a"
    for path in ("/v3/organizations", "/v3/spaces"):
        body = f'{{"name": "{name}"}}'
        story.say("foundation", "create", method="POST", path=path, request_body=body, data={"guid": path[4:]})
    story.look("purge", "before", [], [story.app("b")])
    story.purge("purge")
    story.look("purge", "after", [event("b", "b")] if seeded is None else seeded, [story.app("b")])
    return story


def test_agreement_is_judged_offline(story: Story) -> None:
    """Sequences that agree fulfil the requirement, by what was recorded."""
    play(begun(story), 1, *RIGHT)
    JUDGMENT(story.seen)


def test_creation_may_be_recorded(story: Story) -> None:
    """An event of an app to which nothing was done but its creation agrees until a purge, and no longer."""
    made = [event("c", "A")]
    play(begun(story), 1, *RIGHT)
    play(story, 2, ("create a", made), ("purge as none", made), ("purge", []))
    JUDGMENT(story.seen)
    play(story, 3, ("create a", made), ("purge", []), ("purge as none", [event("x", "A")]))
    assert "nothing was done to it" in told(story.seen).expected


def test_disagreement_is_judged_offline(story: Story) -> None:
    """One that disagrees fails it, and the shortest that shows the same is told."""
    play(begun(story), 1, RIGHT[0], ("purge as none", []), *WRONG[1:])
    play(story, 2, *WRONG, shorter=True)
    assert "did not come again" not in told(story.seen).got
    assert told(story.seen).expected.startswith("after step 3 of 3, purge: an event with the guid of a")


def test_what_never_came_again_is_told(story: Story) -> None:
    """A disagreement that no further play showed is still told, with its own sequence, and the doubt."""
    play(begun(story), 1, *WRONG)
    play(story, 2, *RIGHT, shorter=True)
    assert told(story.seen).got == "none; played 1 times more, it did not come again"


def test_sequence_that_disagrees_but_once_is_flaky(story: Story) -> None:
    """The same sequence, played twice, that disagrees the second time is failed as flaky, with an exchange of each."""
    play(begun(story), 1, *RIGHT)
    play(story, 2, *WRONG)
    seen = story.seen
    finding = told(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    steps = {x.n: x.step for x in story.exchanges}
    assert (steps[finding.exchange or 0], steps[finding.passing or 0]) == ("2.3 look 0", "1.3 purge")


def test_what_is_simpler_is_named(story: Story) -> None:
    """Where a plain purge does not seed either, that requirement is named instead."""
    play(begun(story, seeded=[]), 1, *WRONG)
    seen = story.seen
    with pytest.raises(Inconclusive, match=r"see .*SEED-01") as caught:
        JUDGMENT(seen)
    assert caught.value.cause is Cause.TARGET


def test_purge_by_others_is_a_race(story: Story) -> None:
    """Where every recorded event is gone at once, and it did not come again, somebody else purged."""
    lost = ("purge as none", [event("A", "A", "2026-07-01T12:00:09Z")])
    play(begun(story), 1, *RIGHT, ("stop a", [event("A", "A"), event("t", "A")]), lost)
    with pytest.raises(Inconclusive) as caught:
        JUDGMENT(story.seen)
    assert caught.value.cause is Cause.RACE
