"""A run of the installed command that a test interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import is_purge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer


PROGRAM = str(Path(sys.executable).with_name("purge-conformance"))
ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}


def accept_everything(stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
    """Answer as an API that accepts every request: each change takes effect at once, and a deleted app is absent."""
    state = "STOPPED" if handler.path.endswith("/stop") else "STARTED"
    row = {
        "guid": "g",
        "name": stub_server.name,
        "state": state,
        "pagination": {"total_results": 1},
        "resources": [{"guid": "one"}],
    }
    changes = [line for line, _ in stub_server.received if line.startswith(("POST /v3/apps ", "DELETE /v3/apps/g "))]
    is_absent = handler.path == "/v3/apps/g" and handler.command == "GET" and changes[-1].startswith("DELETE")
    stub_server.respond(handler, 404 if is_absent else 200, json.dumps(row).encode())


class RunningCommand:
    """A run of the command against a stub, which a test interrupts while the stub delays a response."""

    def __init__(self, stub_server: StubServer, out: Path, *arguments: str) -> None:
        """Build the command line; nothing runs yet."""
        self._stub = stub_server
        self.out = out
        self._command = [PROGRAM, "run", stub_server.url, ADMIN, "--out", str(out), *arguments]
        self.process: subprocess.Popen[str] | None = None
        self.output = ""
        self._acknowledged = threading.Semaphore(0)

    def run(self, when: Callable[[str, str], bool], *signals: int) -> int:
        """Run to the end, with these signals at the first request for which `when` holds; return the exit code."""
        sent: list[int] = []

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if not sent and when(handler.command, handler.path):
                sent.append(len(self._stub.received))
                for number in signals:
                    self._interrupt(number)
            accept_everything(self._stub, handler)

        self._stub.answer = answer
        with subprocess.Popen(
            self._command, env=os.environ | SECRET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as self.process:
            assert self.process.stdout
            for line in self.process.stdout:
                self.output += line
                if "Interrupted" in line:
                    self._acknowledged.release()
        self.after = [line for line, _ in self._stub.received[sent[0] :]]
        return self.process.returncode

    def _interrupt(self, number: int) -> None:
        """Send a signal, and wait until the run acknowledges it."""
        assert self.process
        self.process.send_signal(number)
        assert self._acknowledged.acquire(timeout=60)

    @property
    def report(self) -> Any:  # noqa: ANN401 -- JSON
        """The content of report.json."""
        return json.loads((self.out / "report.json").read_text(encoding="utf-8"))


def nth_purge(n: int) -> Callable[[str, str], bool]:
    """Return a condition that is true at the n-th purge."""
    seen: list[str] = []

    def holds(method: str, path: str) -> bool:
        if is_purge(method, path):
            seen.append(path)
        return len(seen) == n

    return holds


@contextmanager
def run_until_interrupted(url: str, tokens: dict[str, str], out: Path, words: str) -> Iterator[subprocess.Popen[str]]:
    """Run against a server, and interrupt the run, as a terminal does, when it prints these words."""
    command = [PROGRAM, "run", url, ADMIN, "--verbose", "--out", str(out)]
    environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if words in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        process.stdout.read()
        yield process
