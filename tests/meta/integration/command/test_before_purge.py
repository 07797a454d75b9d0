"""The command of --before-purge: what it gets, and how it stops a run."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shlex
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from meta.support.running_command import ADMIN
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import reference_process
from purge_conformance.errors import PurgeRefused
from purge_conformance.target import before_purge
from purge_conformance.target.archive.events import ArchiveSummary
from purge_conformance.target.before_purge import require_permission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult
    from purge_conformance.client.client import Client

TOKEN = "a-secret-of-the-run"  # noqa: S105 -- nobody's
SUMMARY = ArchiveSummary(3, "0" * 64, True, "http://127.0.0.1:1", "2026-01-01T00:00:00Z", None, None)
QUICK = ("--quiet", "--select=PURGE-01", "--examples=1", "--max-requests=260", "--max-purges=1")


@contextmanager
def client_of(code: str) -> Iterator[Client]:
    """Yield a client of a run whose command is that Python program."""
    command = (sys.executable, "-c", code)
    with unrecorded_client(Settings(Target("http://127.0.0.1:1"), {"admin": TOKEN}, before_purge=command)) as client:
        yield client


def test_command_sees_whole_archive(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """The command runs once, when the archive is whole and before a purge; if it fails, no purge and no app is left."""
    script = tmp_path / "notify.py"
    script.write_text(
        "import json, os, sys, gzip, hashlib, pathlib\n"
        "facts = json.load(sys.stdin)\n"
        "lines = gzip.open(facts['archive']).read()\n"
        "assert hashlib.sha256(lines).hexdigest() == facts['sha256'] and lines.count(b'\\n') == facts['events']\n"
        "facts['environment'] = dict(os.environ)\n"
        "with open(sys.argv[1], 'a') as file: print(json.dumps(facts), file=file)\n"
        "print('billing is behind'); sys.exit(int(sys.argv[2]))\n",
        encoding="utf-8",
    )
    with reference_process.server() as (url, tokens):
        environ = os.environ | {"ADMIN_SECRET": tokens["admin"]}

        def read(path: str) -> list[dict[str, object]]:
            rows = requests.get(
                f"{url}{path}?per_page=5000", headers={"Authorization": f"bearer {tokens['admin']}"}, timeout=9
            )
            return list(rows.json()["resources"])

        def run(name: str, code: int) -> CommandResult:
            line = shlex.join([sys.executable, str(script), str(tmp_path / f"{name}.jsonl"), str(code)])
            words = ["run", url, ADMIN, *QUICK, "--before-purge", line, "--out", tmp_path / name]
            return command(*words, folder=tmp_path / name, env=environ)

        before = {row["guid"] for row in read(EVENTS_PATH)}
        refused = run("refused", 7)
        assert refused.code == 2, refused.stderr
        assert "ended with the exit code 7: billing is behind." in refused.stderr
        assert before <= {row["guid"] for row in read(EVENTS_PATH)}
        assert [row for row in read("/v3/apps") if "purge-conformance-run" in str(row)] == []
        allowed = run("allowed", 0)
        assert allowed.report["purges"] == 1, allowed.stderr
    (text,) = (tmp_path / "allowed.jsonl").read_text(encoding="utf-8").splitlines()
    facts = json.loads(text)
    archive = tmp_path / "allowed" / "archive.jsonl.gz"
    assert (facts["target"], facts["archive"], facts["complete"]) == (url, str(archive.resolve()), True)
    assert {"guid", "created_at"} == set(facts["newest"])
    assert len(hashlib.sha256(gzip.decompress(archive.read_bytes())).hexdigest()) == len(facts["sha256"])
    assert "ADMIN_SECRET" not in facts["environment"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(1)", "ended with the exit code 1. Run again"),
        ("import os; os.kill(os.getpid(), 9)", "ended with the exit code -9"),
        (f"print('key {TOKEN}\\nsecond'); raise SystemExit(2)", "exit code 2: key "),
        ("print('\\x1b[2J::error::x' + 'y' * 200_000); raise SystemExit(3)", "exit code 3: "),
        ("import sys; sys.stdin.close(); raise SystemExit(4)", "exit code 4"),
        ("import os; os.close(1); os.close(2); raise SystemExit(5)", "exit code"),
    ],
)
def test_failed_command_stops_run(code: str, words: str, tmp_path: Path) -> None:
    """Whatever a command prints and however it fails: the message is one safe line without secrets."""
    with client_of(code) as client, pytest.raises(PurgeRefused) as caught:
        require_permission(client, tmp_path / "archive", SUMMARY)
    message = str(caught.value)
    assert words in message
    assert (TOKEN in message, "second" in message, message.isprintable(), len(message) < 500) == (
        False,
        False,
        True,
        True,
    )


def test_output_is_bounded(tmp_path: Path) -> None:
    """A command that prints much, or leaves a child that keeps its output open, succeeds all the same."""
    child = (
        "import subprocess, sys; print('x' * 300_000); subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1)"
    )
    with client_of(f"{child}; import os; sys.stdout.flush(); os._exit(0)") as client:
        require_permission(client, tmp_path / "archive", SUMMARY)


def test_slow_command_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not end in time is killed, and the run stops."""
    monkeypatch.setattr(before_purge, "TIMEOUT_S", 0.2)
    with client_of("import time; time.sleep(60)") as client, pytest.raises(PurgeRefused, match=r"not end within 0.2 s"):
        require_permission(client, tmp_path / "archive", SUMMARY)


def test_signal_kills_command(tmp_path: Path) -> None:
    """A signal that ends the run ends the command as well; the guard then blocks every purge."""
    started = tmp_path / "started"
    with client_of(f"import time, pathlib; pathlib.Path({str(started)!r}).touch(); time.sleep(60)") as client:

        def close() -> None:
            while not started.exists():
                pass
            client.guard.close("The run was interrupted.")

        thread = threading.Thread(target=close)
        thread.start()
        require_permission(client, tmp_path / "archive", SUMMARY)
        thread.join()


def test_missing_program_stops_run(tmp_path: Path) -> None:
    """A program that disappears is explained."""
    settings = Settings(Target("http://127.0.0.1:1"), {"admin": TOKEN}, before_purge=("/no/such",))
    with unrecorded_client(settings) as client, pytest.raises(PurgeRefused, match="cannot be run: No such file"):
        require_permission(client, tmp_path / "archive", SUMMARY)
