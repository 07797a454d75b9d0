"""`run --targets`: a process, a folder and an exit code for each target, and one report of all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from meta.support.fleet import write_fleet
from meta.support.running_command import PROGRAM, SECRET, accept_everything
from purge_conformance.catalogue.api import is_purge
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

READS = "profile: observe-only, select: GET-*"
FAULT = "unknown-guid-200"


def test_bad_targets_spoil_nothing(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """Beside a target that is wrong, one that hangs and one that is away, a conforming one passes; each has its end."""
    out, released = tmp_path / "out", threading.Event()
    stub_server.answer = lambda _: released.wait(120)  # type: ignore[assignment] # it never answers
    with reference_process.server(["--mount", "many-apps", "--mount", f"many-apps+{FAULT}"]) as (url, tokens):
        file = write_fleet(
            tmp_path,
            hangs=f"url: '{stub_server.url}', timeout: 0.1, {READS}",
            good=f"url: '{url}/many-apps', {READS}",
            away=f"url: 'http://127.0.0.1:1', {READS}",
            faulty=f"url: '{url}/many-apps+{FAULT}', {READS}",
            blank=f"url: 'http://127.0.0.1:2', tokens: {{admin: 'env:NOT_SET'}}, {READS}",
        )
        flags = (f"--targets={file}", "--jobs=3", f"--out={out}")
        result = command("run", *flags, folder=out, env=os.environ | {"ADMIN_SECRET": tokens["admin"]})
    released.set()
    fleet = json.loads((out / "fleet.json").read_text(encoding="utf-8"))
    ends = {target["name"]: (target["exit_code"], target["verdict"]) for target in fleet["targets"]}
    assert ends == {
        "hangs": (3, "inconclusive"),
        "good": (0, "partial"),
        "away": (3, "inconclusive"),
        "faulty": (1, "non-conformant"),
        "blank": (2, None),
    }, result.stdout
    assert list(ends) == ["hangs", "good", "away", "faulty", "blank"]
    assert (result.code, fleet["exit_code"], fleet["interrupted"]) == (1, 1, False)
    assert "Fleet: 1 of 5 targets failed, 2 inconclusive, 1 refused, 1 passed. Exit code 1." in result.stdout
    assert "NOT_SET is not set" in fleet["targets"][4]["reason"]
    for name in ("hangs", "good", "away", "faulty"):
        assert {path.name for path in (out / name).iterdir()} >= {"run.log", "evidence.jsonl", "report.html"}
        assert f'href="{name}/report.html"' in (out / "fleet.html").read_text(encoding="utf-8")
    assert tokens["admin"] not in "".join(path.read_text(encoding="utf-8") for path in out.glob("*/run.log"))


def test_interrupt_ends_all_in_order(stub_server: StubServer, second_stub_server: StubServer, tmp_path: Path) -> None:
    """A terminal's interrupt: no further purge anywhere, each run has its report, and what waits is not started."""
    both_purge, acknowledged = threading.Barrier(2), threading.Event()
    stubs = (stub_server, second_stub_server)

    def answer_of(stub: StubServer) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            if is_purge(handler.command, handler.path) and stub.purges == 1:
                if both_purge.wait(120) == 0:
                    os.killpg(process.pid, signal.SIGINT)
                acknowledged.wait(120)
            accept_everything(stub, handler)

        return answer

    for stub in stubs:
        stub.answer = answer_of(stub)
    out = tmp_path / "out"
    urls = {name: f"url: '{stub.url}'" for name, stub in zip(("one", "two"), stubs, strict=True)}
    file = write_fleet(tmp_path, **urls, waits="url: 'http://127.0.0.1:1'")
    words = [PROGRAM, "run", f"--targets={file}", "--jobs=2", f"--out={out}"]
    with subprocess.Popen(
        words,
        env=os.environ | SECRET,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Interrupted."):
                acknowledged.set()
    fleet = json.loads((out / "fleet.json").read_text(encoding="utf-8"))
    assert (process.returncode, fleet["exit_code"], fleet["interrupted"]) == (3, 3, True)
    assert [(target["exit_code"], target["verdict"], target["purges"]) for target in fleet["targets"]] == [
        (3, "inconclusive", 1),
        (3, "inconclusive", 1),
        (3, None, None),
    ]
    assert fleet["targets"][2]["reason"] == "It was not started, as the fleet was interrupted."
    for stub in stubs:
        sent = [line.split(" ")[:2] for line, _ in stub.received]
        after = sent[next(n for n, request in enumerate(sent) if is_purge(*request)) + 1 :]
        assert {method for method, _ in after} == {"DELETE"}
