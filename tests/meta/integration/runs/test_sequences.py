"""Random sequences on the reference server, and the scripts that repeat a failure."""

from __future__ import annotations

import importlib
import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import NotExercised, RequirementViolated
from purge_conformance.analysis.sequence import sequence_runs
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.scripts import with_script
from purge_conformance.errors import RequestBlocked
from purge_conformance.evidence import notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Header
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding, Outcome, Result
from purge_conformance.scenarios import setup
from purge_conformance.scenarios.purge import first_purge
from purge_conformance.scenarios.sequences import player
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


JUDGMENT = importlib.import_module("purge_conformance.conformance.test_sequences").test_list_matches_model
FAULTS = ("app-started-twice-not-seeded", "events-of-deleted-apps-kept", "start-after-refused-purge-not-recorded")
SPARED = "app-scaled-while-stopped-not-seeded"  # tried with few purges
OTHERS = (SPARED, "records-late", "no-app-creation", "apps-from-the-start")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, dict[str, str]]]:
    """Serve an instance for each fault and variant of these tests."""
    mounts = [word for name in FAULTS + OTHERS for word in ("--mount", name)]
    with embedded.server(mounts) as found:
        yield found


@pytest.fixture(scope="module")
def play_sequences(
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
            for scenario, procedure in (
                (Scenario.FOUNDATION, setup.create_apps),
                (Scenario.PURGE, first_purge),
                (Scenario.SEQUENCES, player.play_sequences),
            ):
                client.begin(scenario)
                procedure(client, foundation)
            client.begin(Scenario.CLEANUP)
            client.guard.release_cleanup_reserve()
            foundation.delete_apps()
            client.note(notes.FINISHED, value=True)
            return JudgmentView(journal.evidence())

    return collect


def finding_of(view: JudgmentView) -> Finding:
    """Return the finding of the judgment."""
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENT(view)
    (finding,) = caught.value.findings
    return finding


@pytest.mark.parametrize("name", ["", "records-late", "apps-from-the-start"])
def test_conforming_server_agrees(name: str, play_sequences: Callable[..., JudgmentView]) -> None:
    """A server without a fault agrees with the model at each step, within the budgets of a run."""
    view = play_sequences(name)
    JUDGMENT(view)
    assert [play.is_shrunk for play in sequence_runs(view)] == [False] * 2
    assert not [
        play for play in sequence_runs(view) if play.trace.abort_reason or len(play.executed_steps) < len(play.steps)
    ]
    if not name:
        assert len(view.of(Scenario.SEQUENCES)) <= 120


SHORTEST = {
    "app-started-twice-not-seeded": ["create", "start", "stop", "start", "purge"],
    "events-of-deleted-apps-kept": ["create", "start", "delete", "purge"],
    "start-after-refused-purge-not-recorded": ["create", "purge as", "start"],
}


@pytest.mark.parametrize("name", FAULTS)
def test_failure_is_shrunk(name: str, play_sequences: Callable[..., JudgmentView]) -> None:
    """A failure shrinks to its shortest sequence; the finding names the step."""
    view = play_sequences(name)
    finding, shortest = finding_of(view), SHORTEST[name]
    (found,) = {
        run.length: run for run in sequence_runs(view) if run.disagreement and run.length == len(shortest)
    }.values()
    words = [str(each.step) for each in found.executed_steps[: found.length]]
    assert all(word.startswith(start) for word, start in zip(words, shortest, strict=True)), words
    assert finding.expected.startswith(f"after step {len(shortest)} of {len(shortest)}, {shortest[-1]}")


def run_script(script: str, url: str, tokens: dict[str, str], place: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a user does."""
    secrets = {f"{role.upper()}_TOKEN": token for role, token in tokens.items()}
    consent = {"API": url, "I_AGREE_TO_DESTROY": "127.0.0.1"}
    environment = os.environ | secrets | consent
    return subprocess.run(
        ["sh"], input=script, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("name", FAULTS)
def test_script_repeats_failure(
    name: str, play_sequences: Callable[..., JudgmentView], server: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """The script shows the failure on the faulty server, and no failure on one without a fault."""
    view, (url, tokens) = play_sequences(name), server
    (requirement,) = (each for each in catalogue.requirements() if each.id == "MODEL-01")
    result = Result(requirement, Outcome.FAILED, Cause.TARGET, findings=(finding_of(view),))
    script = with_script(result, view.full_evidence).findings[0].script or ""
    assert run_script(script, f"{url}/{name}", tokens, tmp_path).returncode == 1
    done = run_script(script, url, tokens, tmp_path)
    assert done.returncode == 0, done


def test_budget_ends_shrinking(play_sequences: Callable[..., JudgmentView]) -> None:
    """If the budget ends the shrinking, the shortest sequence so far is reported, and nothing is cut short."""
    view = play_sequences(SPARED, max_purges=8)
    lengths = [run.length for run in sequence_runs(view) if run.disagreement]
    assert min(lengths) > len(["create", "scale", "start", "purge"])
    assert (view.noted(notes.STOPPED), view.noted(notes.CRASHED)) == ((), ())


def test_spent_budget_is_inconclusive(play_sequences: Callable[..., JudgmentView]) -> None:
    """If the budget does not allow the sequences, the requirement is inconclusive."""
    with pytest.raises(RequestBlocked, match="--max-purges"):
        play_sequences(max_purges=4)


def test_missing_apps_skip_sequences(play_sequences: Callable[..., JudgmentView]) -> None:
    """If no app can be created, no sequence is played, and the reason is reported."""
    view = play_sequences("no-app-creation")
    assert view.of(Scenario.SEQUENCES) == ()
    with pytest.raises(NotExercised, match="POST /v3/apps created nothing") as caught:
        JUDGMENT(view)
    assert caught.value.cause is Cause.CONFIGURATION


def test_sequence_apps_are_deleted(play_sequences: Callable[..., JudgmentView]) -> None:
    """Every app of a sequence is deleted, and no other."""
    view = play_sequences(FAULTS[1])
    made = {x.json["guid"] for x in view.exchanges if x.status == 201}
    assert {x.guid for x in view.exchanges if x.method == "DELETE"} == made
    assert view.note(Scenario.CLEANUP, notes.LEFT) == []
