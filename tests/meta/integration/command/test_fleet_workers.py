"""`run --targets --worker`: targets are judged by workers, other processes that are joined over loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from meta.support.fleet import write_fleet
from meta.support.running_command import SECRET
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult

READS = "profile: observe-only, select: GET-*"
# Accepts one connection, and runs there what it is asked for: execnet's own server, which says where it listens.
SERVER = """
import socket, sys
from execnet.gateway_base import get_execmodel
from execnet.script import socketserver
socketserver.execmodel = get_execmodel("thread")
socketserver.print_ = lambda *words: print(*words, file=sys.stderr)
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
socketserver.startserver(listening, loop=False)
"""


@pytest.fixture
def socket_worker(tmp_path: Path) -> Iterator[str]:
    """A worker that is reached over loopback: its specification."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, env=environment, cwd=tmp_path, text=True
    ) as process:
        assert process.stdout
        yield f"socket=127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def test_workers_over_loopback(socket_worker: str, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """Two workers judge two targets; the files of each are in its folder, as on one machine."""
    out = tmp_path / "out"
    with reference_process.server(["--mount", "many-apps", "--mount", "many-apps+unknown-guid-200"]) as (url, tokens):
        file = write_fleet(
            tmp_path,
            good=f"url: '{url}/many-apps', {READS}",
            faulty=f"url: '{url}/many-apps+unknown-guid-200', {READS}",
        )
        flags = (f"--targets={file}", "--worker=popen", f"--worker={socket_worker}", f"--out={out}")
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"], "TMPDIR": str(tmp_path)}
        result = command("run", *flags, folder=out, env=environment)
    fleet = json.loads((out / "fleet.json").read_text(encoding="utf-8"))
    ends = {target["name"]: (target["exit_code"], target["verdict"]) for target in fleet["targets"]}
    assert ends == {"good": (0, "partial"), "faulty": (1, "non-conformant")}, result.stdout
    assert result.code == 1
    for name in ends:
        assert {path.name for path in (out / name).iterdir()} >= {"run.log", "evidence.jsonl", "report.html"}
    assert (out / "faulty" / "evidence.jsonl").stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob("purge-conformance-*")), "a worker left files"


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        ("popen//python=/no/such/python", "--worker popen//python=/no/such/python cannot be used: "),
        ("socket=127.0.0.1:1", "--worker socket=127.0.0.1:1 cannot be used: "),
        ("nonsense", "--worker nonsense cannot be used: it names no way to the worker."),
        ("ssh=build-2.example", "t is on loopback"),
    ],
)
def test_unusable_worker_is_refused(
    worker: str, words: str, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A worker that cannot be reached, and a target that would be another machine there, are refused at the start."""
    file = write_fleet(tmp_path, t="url: 'http://127.0.0.1:1'")
    flags = (f"--targets={file}", f"--worker={worker}", f"--out={tmp_path / 'out'}")
    result = command("run", *flags, folder=tmp_path, env=os.environ | SECRET)
    assert (result.code, words in result.stderr.replace("http://127.0.0.1:1 is", "t is")) == (2, True), result.stderr
    assert not (tmp_path / "out").exists()
