"""A defect of the suite reveals no secret, although its exceptions and variables contain one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from meta.support.leaks import CANARY, encodings_of, find_canary, read_text
from meta.support.paths import CONFORMANCE
from purge_conformance.cli.group import main
from purge_conformance.scenarios import definitions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


def raise_with_canary(*_: object) -> None:
    """Raise an error that contains a token in each of its encodings."""
    raise RuntimeError("\n".join(encodings_of(CANARY))) from KeyError(CANARY)


@pytest.mark.parametrize(
    ("place", "words"), [("second-purge", "crashed"), ("all", "The suite failed"), ("judge", "failed")]
)
def test_crash_prints_no_canary(
    place: str, words: str, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the suite is reported without its message if that contains a token."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}'
    )
    plan = tuple(
        replace(each, procedure=raise_with_canary) if each.name == place else each for each in definitions.SCENARIOS
    )
    monkeypatch.setattr(definitions, "SCENARIOS", plan)
    if place != "second-purge":
        broken = "engine.collect.collect" if place == "all" else "engine.pytest_process.judge"
        monkeypatch.setattr(f"purge_conformance.{broken}", raise_with_canary)
    asked = [
        "run",
        stub_server.url,
        "--token=admin=env:T",
        "--select=AGAIN-*",
        "--max-requests=120",
        f"--out={tmp_path / 'out'}",
    ]
    done = CliRunner().invoke(main, asked, env={"T": CANARY})
    assert done.exit_code == 3
    assert words in done.output or words in read_text(tmp_path / "out" / "evidence.jsonl")
    assert find_canary(tmp_path, done.output) == []


def test_pytest_crash_prints_no_canary(stub_server: StubServer, tmp_path: Path) -> None:
    """Plain pytest prints neither the message of a defect nor its variables, even with -l."""
    (tmp_path / "falling.py").write_text(
        f"""import purge_conformance.engine.collect
def pytest_configure(config):
    def fall(*_, **__):
        secret = {CANARY!r}
        raise RuntimeError(secret)
    purge_conformance.engine.collect.collect = fall
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(CONFORMANCE), "-p", "falling", "-l"),
            *(f"--target={stub_server.url}", "--token=admin=env:T", f"--conformance-out={tmp_path / 'out'}"),
        ],
        env=os.environ | {"T": CANARY, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (tmp_path / "falling.py").unlink()
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    assert (done.returncode, "The suite failed" in done.stdout + done.stderr) == (3, True)
    assert find_canary(tmp_path, done.stdout, done.stderr) == []
