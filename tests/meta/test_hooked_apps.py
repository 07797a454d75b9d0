"""Apps by the hook: made, started, stopped, scaled and deleted without API v3; each change is told by a look."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.purge_series import plain_purges
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.settings import build_settings as settings_of
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import CHANGED_BY_HOOK
from purge_conformance.target.apps import suite_apps_for
from purge_conformance.target.apps.suite_apps import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.story import EvidenceBuilder
    from purge_conformance.target.apps import SuiteApps

    Build = Callable[..., tuple[Client, SuiteApps]]

KEEPING = """
import json, sys
text = sys.stdin.read().strip()
with open(sys.argv[1], "a") as file:
    print(text, file=file)
state, params = json.loads(text)["state"], json.loads(text)["params"]
if state in {refused}:
    sys.exit(3)
print(json.dumps({{"app": params.get("name", params.get("app"))}} if {names} else {{}}))
"""


@pytest.fixture
def built(reference_server: tuple[str, dict[str, str]], builder: EvidenceBuilder, tmp_path: Path) -> Iterator[Build]:
    """Build a foundation through a hook: the reference server's, or a command."""
    url, tokens = reference_server
    with Journal(tmp_path / "out", builder.evidence.header) as journal:

        def make(hook: str = embedded.hook_url(url)) -> tuple[Client, SuiteApps]:
            settings = Settings(Target(url), tokens, hook=parse_hook(hook), apps=AppSettings(Mode.HOOK))
            client = Client(settings, journal, Guard(settings.limits), lambda *_: None)
            made = suite_apps_for(client)
            made.build()
            return client, made

        yield make


def keeping(kept: Path, *refused: str, names: bool = True) -> str:
    """Return a hook that keeps what it is asked, supports no state that is refused, and names apps or does not."""
    code = KEEPING.format(refused=set(refused) or "()", names=names)
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)} {kept}"


def test_whole_run_by_hook(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run whose apps are the hook's leaves open only what a hook cannot time, and sends no request to change one."""
    with embedded.server() as (url, tokens):
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in tokens]
        done = command(
            *("run", url, *sources, f"--hook={embedded.hook_url(url)}", "--apps=hook", "--out", tmp_path / "out"),
            folder=tmp_path / "out",
            env=os.environ | {f"{role.upper()}_SECRET": token for role, token in tokens.items()},
        )
    musts = [row for row in done.report["requirements"] if row["level"] == "MUST" and not row["conditional"]]
    assert {row["id"]: row["cause"] for row in musts if row["outcome"] != "passed"} == dict.fromkeys(
        ("RACE-02", "RACE-03", "MODEL-01"), "configuration"
    )
    assert (done.code, done.evidence.note("demolish", "left")) == (3, [])
    assert [x.path for x in done.evidence.exchanges if x.method != "GET" and x.route.startswith("/v3/apps")] == []


def test_apps_are_the_hooks(built: Build) -> None:
    """The apps are there, in the states that the experiments need, and each can be changed; in the end they go."""
    client, made = built()
    assert (set(made.apps), made.error, made.is_usable) == (set(LABELS) - {"deleted"}, "", False)
    states = {label: client.get(f"/v3/apps/{guid}", "look").json["state"] for label, guid in made.apps.items()}
    assert {label for label, state in states.items() if state == "STARTED"} == made.started
    assert made.started == {"steady", "scaled", "empty", "elsewhere"}
    assert (made.record_event(), "mover" in made.started, made.record_event(), "mover" in made.started) == (
        True,
        True,
        True,
        False,
    )
    (scaled,) = client.get(f"/v3/apps/{made.apps['scaled']}/processes", "look").json["resources"]
    assert (scaled["instances"], scaled["memory_in_mb"]) == (2, 128)
    made.delete_apps()
    assert {client.get(f"/v3/apps/{guid}", "look").status for guid in made.apps.values()} == {404}


def test_questions_of_apps_are_valid(built: Build, tmp_path: Path) -> None:
    """What a hook is asked of apps is valid against spec/hook.schema.json; what it made is asked to be deleted."""
    _, made = built(keeping(tmp_path / "kept"))
    made.delete_apps()
    asked = [json.loads(line) for line in (tmp_path / "kept").read_text(encoding="utf-8").splitlines()]
    validator = jsonschema.Draft202012Validator(catalogue.document("hook.schema.json"))
    assert [error.message for question in asked for error in validator.iter_errors(question)] == []
    assert sum(question["state"] == "app deleted" for question in asked) == len(made.apps)
    assert made.error.startswith("an app of the suite's own could not be started: 404")


@pytest.mark.parametrize(
    ("refused", "names", "trouble"),
    [
        (("app stopped",), True, "the hook does not support the state 'app stopped' (exit code 3)"),
        (("app started",), True, "the hook does not support the state 'app started' (exit code 3)"),
        ((), False, "the hook set the state 'app stopped' and named no app: it answers with {'app': GUID}"),
    ],
)
def test_hook_without_apps_is_told(
    refused: tuple[str, ...],
    names: bool,  # noqa: FBT001 -- pytest's
    trouble: str,
    built: Build,
    tmp_path: Path,
) -> None:
    """Where the hook does not make or start apps, or does not name them, the run says so and goes on without."""
    _, made = built(keeping(tmp_path / "kept", *refused, names=names))
    assert (made.error, made.started, made.record_event()) == (trouble, set(), False)


def test_change_by_hook_counts(builder: EvidenceBuilder) -> None:
    """A purge after a change by the hook is none right after another purge, though no request made the change."""
    builder.add_purge("one")
    builder.add_exchange("two", "start-mover", path="/v3/apps/a", tags={CHANGED_BY_HOOK: "hook"})
    builder.add_purge("two")
    builder.add_exchange("three", "look", path=PURGE_PATH)
    builder.add_purge("three")
    assert [is_again for _, is_again in plain_purges(builder.judgment_view)] == [False, False, True]


def test_apps_by_hook_want_a_hook() -> None:
    """`--apps hook` without a hook is refused, with the cure."""
    given = {"target": "http://localhost:1", "tokens": [], "apps.mode": "hook"}
    with pytest.raises(BadSetting, match="Give --hook URL"):
        settings_of(given, {"admin": "a-token"})
