"""Two runs at once on one foundation."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

import requests

from meta.support.running_command import ADMIN, PROGRAM
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult


def test_second_run_stops(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A second run stops before it changes anything; once the first was killed and cleaned up, a run starts."""
    with reference_process.server() as (url, tokens):
        environ = os.environ | {"ADMIN_SECRET": tokens["admin"]}

        def run(name: str, *flags: str) -> CommandResult:
            return command("run", url, ADMIN, "--out", tmp_path / name, *flags, folder=tmp_path / name, env=environ)

        def events() -> object:
            return requests.get(
                url + EVENTS_PATH, headers={"Authorization": f"bearer {tokens['admin']}"}, timeout=9
            ).json()

        words = [PROGRAM, "run", url, ADMIN, "--verbose", "--out", str(tmp_path / "first")]
        with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout
            assert any("collecting archive" in line for line in first.stdout)
            first.send_signal(signal.SIGSTOP)
            before = events()
            second = run("second")
            assert (second.code, second.folder.exists(), events()) == (2, False, before), second.stderr
            first.kill()
        hint = re.search(r"`purge-conformance (cleanup .*?)`", second.stderr)
        assert hint, second.stderr
        assert run("beside", "--alongside", "--max-requests=60").code == 3
        cleaned = command(*shlex.split(hint[1]), ADMIN, folder=tmp_path, env=environ)
        assert cleaned.code == 0, cleaned.stderr
        assert run("third", "--max-requests=60").code == 3
