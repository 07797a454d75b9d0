"""The installed command, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.engine import reference_process
from purge_conformance.evidence.jsonl import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.evidence.records import Evidence


@dataclass(frozen=True)
class CommandResult:
    """The end of a command: the folder of its reports, its exit code and its output."""

    folder: Path
    code: int
    stdout: str
    stderr: str

    @property
    def evidence(self) -> Evidence:
        """The evidence in that folder."""
        return read(self.folder)

    @property
    def report(self) -> Any:  # noqa: ANN401 -- JSON
        """The content of report.json."""
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each requirement."""
        return {row["id"]: row["outcome"] for row in self.report["requirements"]}

    @property
    def causes(self) -> set[str]:
        """The causes of all requirements that failed or are inconclusive."""
        return {row["cause"] for row in self.report["requirements"] if row["outcome"] in {"inconclusive", "failed"}}


def run_command(*arguments: str | Path, folder: Path, **more: Any) -> CommandResult:  # noqa: ANN401 -- of subprocess.run
    """Run the installed command as a user does; its reports go to `folder`."""
    command = [str(Path(sys.executable).with_name("purge-conformance")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)
    return CommandResult(folder, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def command() -> Callable[..., CommandResult]:
    """The command: `run_command`."""
    return run_command


@dataclass(frozen=True)
class FullRun(CommandResult):
    """A complete run of both profiles against a reference server that has stopped.

    Attributes:
        tokens: role -> token.
    """

    tokens: Mapping[str, str]


def full_run_in(place: Path) -> FullRun:
    """Run both profiles verbosely, with tokens from a file and from the environment."""
    with reference_process.server() as (url, tokens):
        (place / "admin").write_text(f"bearer {tokens['admin']}\n", encoding="utf-8")
        others = {role: token for role, token in tokens.items() if role != "admin"}
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in others]
        environment = {f"{role.upper()}_SECRET": token for role, token in others.items()}
        done = run_command(
            *("run", url, "--verbose", "--profile=core", "--profile=upstream", "--out", place / "out"),
            *(f"--token=admin=file:{place / 'admin'}", *sources, f"--hook={reference_process.hook_url(url)}"),
            folder=place / "out",
            env=os.environ | environment,
        )
    return FullRun(done.folder, done.code, done.stdout, done.stderr, tokens)
