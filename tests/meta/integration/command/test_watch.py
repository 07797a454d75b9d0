"""`run --watch`: a run per change, each with its own folder and archive, and a look that never purges."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from meta.support.running_command import ADMIN, PROGRAM, SECRET
from purge_conformance.catalogue.api import is_purge
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

FEW = ("--select=AUTH-01", "--max-purges=0", "--interval=1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_per_change_until_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """A file that changes starts a second run in a folder of its own; a signal ends with the last verdict's code."""
    file, out = tmp_path / "server.jar", tmp_path / "runs"
    file.write_text("1", encoding="utf-8")
    flags = (ADMIN, "--watch", "--watch-file", file, *FEW, "--out", out)
    verdicts = 0
    with reference_process.server() as (url, tokens):
        command = [PROGRAM, "run", url, *map(str, flags)]
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                verdicts += line.startswith("Verdict: partial")
                if line.startswith("Watching: "):
                    file.write_text("22", encoding="utf-8")
                elif verdicts == 2 and line.startswith("Reports: "):
                    process.send_signal(number)
    assert process.returncode == 0, "".join(lines)
    assert "Changed: the file. Judging again.\n" in lines
    *folders, latest = sorted(out.iterdir())
    assert len(folders) == 2
    assert (latest.name, latest.resolve()) == ("latest", folders[1].resolve())
    assert all((folder / "archive.jsonl.gz").exists() and (folder / "report.json").exists() for folder in folders)


def test_look_only_reads_without_token(stub_server: StubServer, tmp_path: Path) -> None:
    """Between runs the target gets only reads of two documents, without a token; a signal ends with the run's code."""
    looks = threading.Semaphore(0)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_info = handler.path == "/v3/info"
        stub_server.respond(handler, 200 if is_info else 404, b'{"version": 1}' if is_info else b"{}")
        if is_info:
            looks.release()

    stub_server.answer = answer
    command = [PROGRAM, "run", stub_server.url, ADMIN, "--watch", *FEW, "--out", str(tmp_path)]
    with subprocess.Popen(
        command, env=os.environ | SECRET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        assert any(line.startswith("Watching: ") for line in process.stdout)
        run = len(stub_server.received)
        while looks.acquire(blocking=False):
            pass
        for _ in range(2):
            assert looks.acquire(timeout=60)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    after = stub_server.received[run:]
    assert {line for line, _ in after} == {"GET / HTTP/1.1", "GET /v3/info HTTP/1.1"}
    assert not any("Authorization" in headers for _, headers in after)
    assert process.returncode == 3


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--watch",), "Got --watch, but no target."),
        (("http://127.0.0.1:1", "--interval=5"), "Got --watch-file or --interval, but not --watch."),
        (("http://127.0.0.1:1", "--watch", "--force"), "each run of --watch has a new folder"),
        (("http://127.0.0.1:1", "--watch", "--interval=0"), "0 is not in the range 1<=x<=86400"),
        (("http://127.0.0.1:1", "--watch", "--watch-file=/none"), "'/none' does not exist"),
    ],
)
def test_usage_errors(
    command: Callable[..., CommandResult], tmp_path: Path, flags: tuple[str, ...], words: str
) -> None:
    """Flags that do not fit together are refused before a request."""
    result = command("run", *flags, folder=tmp_path, cwd=tmp_path)
    assert (result.code, words in result.stderr) == (2, True), result.stderr


def test_watch_never_asks(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """Without --allow-purge a watch of another host is refused, and one that could see no change as well."""
    other = stub_server.url.replace("127.0.0.1", "127.1")
    flags = ("--token=admin=env:PATH", "--watch", f"--watch-file={__file__}", "--out", tmp_path / "out")
    refused = command("run", other, *flags, folder=tmp_path)
    assert (refused.code, "--allow-purge 127.1" in refused.stderr) == (2, True), refused.stderr
    blind = command("run", stub_server.url, "--token=admin=env:PATH", "--watch", folder=tmp_path, cwd=tmp_path)
    assert (blind.code, "Give --watch-file FILE" in blind.stderr) == (2, True), blind.stderr
    assert not any(is_purge(*line.split(" ")[:2]) for line, _ in stub_server.received)
