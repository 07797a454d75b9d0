"""A run whose archive fails purges nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from meta.support.archive import ROWS, archive_metadata, paged_list
from meta.support.paths import CONFORMANCE
from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}


def test_failed_archive_blocks_purges(
    command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """A run that loses its target while it archives purges nothing and says why."""
    answer, out = paged_list(stub_server, ROWS, max_rows=30), tmp_path / "out"

    def die(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith(f"{EVENTS_PATH}?per_page=20&page=2"):
            stub_server.answer = lambda handler: setattr(handler, "close_connection", True)
        stub_server.answer(handler) if stub_server.answer is not die else answer(handler)

    stub_server.answer = die
    result = command("run", stub_server.url, ADMIN, "--out", out, folder=out, env=os.environ | SECRET)
    assert (result.code, purges(stub_server), (out / "report.json").exists()) == (2, 0, False)
    assert "page 2, got no response" in result.stderr
    assert not archive_metadata(out / archive.FILE_NAME)["complete"]


@pytest.mark.parametrize("flags", [(), ("--allow-incomplete-archive",)])
def test_incomplete_archive(
    flags: tuple[str, ...], command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """An incomplete archive ends a run with exit 2, unless it is allowed; then each report names flag and reason."""
    stub_server.answer = paged_list(stub_server, ROWS, total=46)
    out, few = tmp_path / "out", ("--max-requests=90", "--select=PURGE-01", "--out", tmp_path / "out")
    result = command("run", stub_server.url, ADMIN, *flags, *few, folder=out, env=os.environ | SECRET)
    reason = "The list has 45 events on its pages, and total_results 46."
    if not flags:
        assert (result.code, purges(stub_server), (out / "report.json").exists()) == (2, 0, False)
        assert all(words in result.stderr for words in (reason, "--allow-incomplete-archive"))
        return
    assert stub_server.purges > 0
    assert result.report["notes"][0].startswith("--allow-incomplete-archive was given")
    assert reason in result.report["notes"][0]
    verdict = next(line for line in result.stdout.splitlines() if line.startswith("Verdict: "))
    texts = [
        verdict,
        *(path.read_text(encoding="utf-8") for path in out.glob("*.*ml")),
        (out / "summary.md").read_text(),
    ]
    for text in texts:
        assert "--allow-incomplete-archive" in text
        assert "45 events on its pages" in text


def test_pytest_does_not_purge(stub_server: StubServer, tmp_path: Path) -> None:
    """Under plain pytest an incomplete archive is a usage error before any purge, unless it is allowed."""
    stub_server.answer = paged_list(stub_server, ROWS, total=46)
    for number, flags in enumerate(((), ("--allow-incomplete-archive",))):
        options = (f"--target={stub_server.url}", ADMIN, f"--conformance-out={tmp_path / str(number)}", *flags)
        line = [sys.executable, "-m", "pytest", str(CONFORMANCE), "--conformance-max-requests=90", *options]
        done = subprocess.run(line, env=os.environ | SECRET, capture_output=True, text=True, timeout=120, check=False)
        assert ("The archive is incomplete, so no purge was sent" in done.stderr) == (not flags)
        assert (done.returncode == pytest.ExitCode.USAGE_ERROR) == (not flags)
        assert bool(stub_server.purges) == bool(flags)


def purges(stub_server: StubServer) -> int:
    """Return how many purges arrived, in any spelling and with any credential."""
    return sum(is_purge(*line.split(" ")[:2]) for line, _ in stub_server.received)
