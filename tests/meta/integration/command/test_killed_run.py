"""A run that is killed leaves evidence that can be judged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.evidence.jsonl import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer


def test_killed_run_is_judged(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """The evidence of a killed run can be judged: inconclusive, exit code 3."""
    is_purging, may_answer = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if is_purge(handler.command, handler.path):
            is_purging.set()
            may_answer.wait(30)
        stub_server.respond(handler, body=b'{"pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}')

    stub_server.answer = answer
    arguments = [
        "run",
        stub_server.url,
        "--token=admin=env:ADMIN_SECRET",
        "--select=PURGE-*",
        "--out",
        str(tmp_path / "out"),
    ]
    program = [str(Path(sys.executable).with_name("purge-conformance")), *arguments]
    with subprocess.Popen(program, env=os.environ | {"ADMIN_SECRET": "opaque"}, stdout=subprocess.DEVNULL) as process:
        assert is_purging.wait(30)
        process.send_signal(signal.SIGKILL)
    may_answer.set()
    result = command("judge", tmp_path / "out", "--out", tmp_path / "again", folder=tmp_path / "again")
    assert (result.code, result.report["verdict"], "failed" in result.outcomes.values()) == (3, "inconclusive", False)
    assert "The run was killed: its evidence ends in scenario purge." in result.report["notes"]
    assert "suite" not in result.causes
    assert f"{EVENTS_PATH}?per_page=1" in [x.path for x in read(tmp_path / "out").exchanges]
