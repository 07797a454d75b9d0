"""Cleanup after a run that was killed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from purge_conformance.engine import reference_process
from purge_conformance.target.apps.resources import SPACES
from purge_conformance.target.cleanup import RESOURCE_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult

KILLED = """
import os, signal, sys
from purge_conformance.cli import progress
from purge_conformance.cli.group import main
from purge_conformance.engine import collect

name, left = sys.argv.pop(1), int(sys.argv.pop(1))
plan, on_exchange = collect.plan_scenarios, progress.Reporter.on_exchange

def shorter(settings):
    return [step for step in plan(settings) if step[0].name in {"preflight", "foundation", "archive", name}]

def killing(self, client, exchange):
    global left
    left -= client.scenario == name
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    on_exchange(self, client, exchange)

collect.plan_scenarios, progress.Reporter.on_exchange = shorter, killing
main()
"""


@pytest.mark.parametrize(
    ("name", "most", "at_home"),
    [
        ("foundation", 30, True),
        ("foundation", 30, False),
        ("race", 60, True),
        ("sequences", 100, False),
        ("cleanup", 5, True),
    ],
)
def test_killed_run_is_cleaned_up(
    name: str, most: int, tmp_path: Path, command: Callable[..., CommandResult], *, at_home: bool
) -> None:
    """Cleanup deletes all that a killed run left, and nothing of other users.

    The run is killed after at most `most` requests of a scenario; by then some of its resources exist.
    """
    last = random.Random(f"{name} {at_home}").randint(most // 2, most)  # noqa: S311 -- the same in every run
    with reference_process.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        theirs = list_resources(url, tokens["admin"])
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        space = next(path.removeprefix(f"{SPACES}/") for path in sorted(theirs) if path.startswith(SPACES))
        where = () if at_home else (f"--space={space}",)
        arguments = ("run", url, "--token=admin=env:ADMIN_SECRET", "--quiet", f"--out={tmp_path / 'out'}", *where)
        program = [sys.executable, "-c", KILLED, name, str(last), *arguments]
        killed = subprocess.run(program, env=environment, capture_output=True, timeout=120, check=False)
        left = list_resources(url, tokens["admin"]) - theirs
        cleanup = ("cleanup", url, "--token=admin=env:ADMIN_SECRET")
        result = command(*cleanup, folder=tmp_path, env=environment)
        assert (result.code, list_resources(url, tokens["admin"]) - theirs) == (3, left)  # that run may be active
        (run,) = set(re.findall(r"--run (\w+)", result.stdout))
        result = command(*cleanup, f"--run={run}", folder=tmp_path, env=environment)
        assert (result.code, list_resources(url, tokens["admin"])) == (0, theirs)
    assert killed.returncode == -signal.SIGKILL
    assert len(result.stdout.splitlines()) == len(left) + 1
    assert left


def list_resources(url: str, token: str) -> set[str]:
    """Return all apps, spaces and organizations of a target."""
    admin = {"Authorization": f"bearer {token}"}
    answers = {path: requests.get(f"{url}{path}", headers=admin, timeout=30).json() for path in RESOURCE_PATHS}
    return {f"{path}/{row['guid']}" for path, answer in answers.items() for row in answer["resources"]}
