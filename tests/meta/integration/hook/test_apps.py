"""Apps by the hook: created, started, stopped, scaled and deleted without API v3."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import reference_process
from purge_conformance.evidence import notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import App, Scenario, Step
from purge_conformance.target.apps import suite_apps_for

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
def build_by_hook(
    reference_server: tuple[str, dict[str, str]], builder: EvidenceBuilder, tmp_path: Path
) -> Iterator[Build]:
    """Build the suite's apps through a hook: the reference server's, or a command."""
    url, tokens = reference_server
    with Journal(tmp_path / "out", builder.evidence.header) as journal:

        def make(hook: str = reference_process.hook_url(url)) -> tuple[Client, SuiteApps]:
            settings = Settings(Target(url), tokens, hook=parse_hook(hook), apps=AppSettings(Mode.HOOK))
            client = Client(settings, journal, Guard(settings.limits), lambda *_: None)
            apps = suite_apps_for(client)
            apps.build()
            return client, apps

        yield make


def recording_hook(log: Path, *unsupported: str, names: bool = True) -> str:
    """Return a hook that records its requests, supports all states but these, and returns guids or does not."""
    code = KEEPING.format(refused=set(unsupported) or "()", names=names)
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)} {log}"


def test_full_run_uses_hook(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run with apps by the hook leaves open only what needs exact timing, and changes no app by API."""
    with reference_process.server() as (url, tokens):
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in tokens]
        result = command(
            *(
                "run",
                url,
                *sources,
                f"--hook={reference_process.hook_url(url)}",
                "--apps=hook",
                "--out",
                tmp_path / "out",
            ),
            folder=tmp_path / "out",
            env=os.environ | {f"{role.upper()}_SECRET": token for role, token in tokens.items()},
        )
    musts = [row for row in result.report["requirements"] if row["level"] == "MUST" and not row["conditional"]]
    assert {row["id"]: row["cause"] for row in musts if row["outcome"] != "passed"} == dict.fromkeys(
        ("RACE-02", "RACE-03", "MODEL-01"), "configuration"
    )
    assert (result.code, result.evidence.note(Scenario.CLEANUP, notes.LEFT)) == (3, [])
    assert [x.path for x in result.evidence.exchanges if x.method != "GET" and x.route.startswith("/v3/apps")] == []


def test_hook_manages_apps(build_by_hook: Build) -> None:
    """The apps exist in the states that the scenarios need, can be changed, and are deleted at the end."""
    client, apps = build_by_hook()
    assert (set(apps.apps), apps.error, apps.is_usable) == (set(App) - {App.DELETED}, "", False)
    states = {label: client.get(f"/v3/apps/{guid}", Step.GET).json["state"] for label, guid in apps.apps.items()}
    assert {label for label, state in states.items() if state == "STARTED"} == apps.started
    assert apps.started == {App.STARTED, App.SCALED, App.WITHOUT_INSTANCES, App.OTHER_ORG}
    assert (apps.record_event(), App.TOGGLED in apps.started, apps.record_event(), App.TOGGLED in apps.started) == (
        True,
        True,
        True,
        False,
    )
    (scaled,) = client.get(f"/v3/apps/{apps.apps[App.SCALED]}/processes", Step.GET).json["resources"]
    assert (scaled["instances"], scaled["memory_in_mb"]) == (2, 128)
    apps.delete_apps()
    assert {client.get(f"/v3/apps/{guid}", Step.GET).status for guid in apps.apps.values()} == {404}


def test_app_requests_match_schema(build_by_hook: Build, tmp_path: Path) -> None:
    """Hook requests about apps are valid against spec/hook.schema.json, and created apps are deleted."""
    _, apps = build_by_hook(recording_hook(tmp_path / "kept"))
    apps.delete_apps()
    requests = [json.loads(line) for line in (tmp_path / "kept").read_text(encoding="utf-8").splitlines()]
    validator = jsonschema.Draft202012Validator(catalogue.document("hook.schema.json"))
    assert [error.message for question in requests for error in validator.iter_errors(question)] == []
    assert sum(question["state"] == "app deleted" for question in requests) == len(apps.apps)
    assert apps.error.startswith("an app of the suite could not be started: 404")


@pytest.mark.parametrize(
    ("unsupported", "names", "error"),
    [
        (("app stopped",), True, "the hook does not support the state 'app stopped'; it answered exit code 3"),
        (("app started",), True, "the hook does not support the state 'app started'; it answered exit code 3"),
        ((), False, "the hook set the state 'app stopped' but named no app: expected the answer {\"app\": GUID}"),
    ],
)
def test_hook_without_apps_is_reported(
    unsupported: tuple[str, ...],
    names: bool,  # noqa: FBT001 -- pytest's
    error: str,
    build_by_hook: Build,
    tmp_path: Path,
) -> None:
    """If the hook does not create, start or name apps, the run reports it and continues without apps."""
    _, apps = build_by_hook(recording_hook(tmp_path / "kept", *unsupported, names=names))
    assert (apps.error, apps.started, apps.record_event()) == (error, set(), False)
