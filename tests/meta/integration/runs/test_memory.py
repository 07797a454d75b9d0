"""The memory of a run and of its judgments is bounded, whatever the target answers."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from meta.support import huge_answers
from meta.support.memory import run_measured
from meta.support.running_command import ADMIN, PROGRAM, SECRET
from purge_conformance.report import json as as_json
from purge_conformance.report.model import Verdict

if TYPE_CHECKING:
    from meta.support.stub import StubServer

MAX_MB = 400  # of a run with --max-memory 64: Python and pytest take up to 220, one body that is parsed the rest


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
@pytest.mark.parametrize(
    ("kind", "max_memory", "max_mb"),
    [
        ("one string", 288, 512),
        *((kind, 64, MAX_MB) for kind in ("keys", "tiny rows", "many events", "equal rows", "nested bombs")),
    ],
)
def test_memory_is_bounded(kind: str, max_memory: int, max_mb: int, stub_server: StubServer, tmp_path: Path) -> None:
    """A run whose every answer is huge stays below the bound, and is not conformant."""
    huge_answers.prepare(kind)
    numbers = count(1)
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, next(numbers))
    command = [
        PROGRAM,
        "run",
        stub_server.url,
        ADMIN,
        f"--max-memory={max_memory}",
        "--quiet",
        f"--out={tmp_path / 'out'}",
    ]
    code, peak = run_measured(command, os.environ | SECRET)
    assert peak < max_mb
    assert code in {1, 3}
    assert as_json.load(tmp_path / "out").verdict in {Verdict.NON_CONFORMANT, Verdict.INCONCLUSIVE}
    assert (tmp_path / "out" / "evidence.jsonl").stat().st_size < (4 * max_memory + 16) * huge_answers.MIB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("kind", ["tiny rows", "many events", "nested bombs"])
def test_memory_of_archive_is_bounded(kind: str, stub_server: StubServer, tmp_path: Path) -> None:
    """`archive` of a list whose pages are huge and contradict each other stays below the bound and leaves no file."""
    huge_answers.prepare(kind)
    numbers = count(1)
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, next(numbers))
    command = [PROGRAM, "archive", stub_server.url, ADMIN, f"--out={tmp_path / 'events.jsonl.gz'}"]
    code, peak = run_measured(command, os.environ | SECRET)
    assert (code, peak < MAX_MB, list(tmp_path.iterdir())) == (3, True, []), peak
