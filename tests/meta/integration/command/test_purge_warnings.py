"""The warnings before the first purge, of the command and of plain pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from meta.support.archive import ROWS, paged_list
from meta.support.paths import CONFORMANCE
from meta.support.warnings import ADMIN
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine import reference_process
from purge_conformance.evidence.listing import APPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer


@pytest.fixture
def server_with_recent_event() -> Iterator[tuple[str, str, str]]:
    """A reference server where another user stopped an app just now: URL, admin token, guid of the event."""
    with reference_process.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        headers = {"Authorization": f"bearer {tokens['admin']}"}
        app = requests.get(f"{url}{APPS}", headers=headers, timeout=20).json()["resources"][0]["guid"]
        for action in ("start", "stop"):
            requests.post(f"{url}{APPS}/{app}/actions/{action}", headers=headers, timeout=20).raise_for_status()
        newest = requests.get(f"{url}{EVENTS_PATH}?order_by=-created_at", headers=headers, timeout=20).json()
        yield url, tokens["admin"], newest["resources"][0]["guid"]


def test_command_prints_warning(
    server_with_recent_event: tuple[str, str, str], command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """`run --quiet` prints the warning on standard error."""
    url, token, guid = server_with_recent_event
    options = ("--select=PURGE-01", "--quiet", "--max-requests=150", "--out", str(tmp_path))
    result = command("run", url, ADMIN, *options, folder=tmp_path, env=os.environ | {"ADMIN_SECRET": token})
    assert result.stderr.startswith("Warning: ")
    assert guid in result.stderr
    assert result.outcomes["PURGE-01"] == "passed"


def test_pytest_prints_warning(server_with_recent_event: tuple[str, str, str], tmp_path: Path) -> None:
    """Plain pytest prints the warning above its own lines."""
    url, token, guid = server_with_recent_event
    options = [f"--target={url}", ADMIN, "--conformance-select=PURGE-01", f"--conformance-out={tmp_path}"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", str(CONFORMANCE), *options],
        env=os.environ | {"ADMIN_SECRET": token},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("Warning: "))
    assert guid in line


def test_event_limit_can_be_raised(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """With a larger --max-events a run archives all events and purges."""
    stub_server.answer = paged_list(stub_server, ROWS[:30])
    for most, purges in ("20", False), ("40", True):
        out = tmp_path / most
        result = command(
            *(
                "run",
                stub_server.url.replace("127.0.0.1", "127.1"),
                ADMIN,
                "--allow-purge=127.1",
                f"--max-events={most}",
            ),
            *("--max-requests=90", "--select=PURGE-01", "--out", out),
            folder=out,
            env=os.environ | {"ADMIN_SECRET": "x"},
        )
        assert ("Give --max-events 60" not in result.stderr, stub_server.purges > 0) == (purges, purges)
