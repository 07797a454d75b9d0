"""A judgment that crashes under plain pytest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import CONFORMANCE
from meta.support.plain_pytest import run_pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from meta.support.command import FullRun


CRASHING = """
import pytest
from purge_conformance.analysis.assertions import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.report.model import Cause, Finding

@pytest.mark.requirement("PURGE-01")
def test_crash(view): raise KeyError("guid")

@pytest.mark.requirement("PURGE-02")
def test_broken(view): raise RequirementViolated((Finding("nothing", "something", 1),))

@pytest.mark.requirement("PURGE-03")
def test_missing(no_such_fixture): pass

@pytest.mark.requirement("PURGE-04")
def test_open(view): raise NotExercised("no event", Cause.CONFIGURATION)

@pytest.mark.requirement("PURGE-05")
def test_good(view):
    for case in ("list", "get"): view.count(case, [1])

@pytest.mark.requirement("REFUSE-05")
def test_advice(view): raise RequirementViolated((Finding("405", "418"),))
"""


@pytest.fixture(scope="module")
def crashed_run(
    full_run: FullRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run with judgments of every outcome, one of them a crash."""
    folder = tmp_path_factory.mktemp("crashed")
    (folder / "test_crash.py").write_text(CRASHING, encoding="utf-8")
    options = [
        f"--evidence={full_run.folder}",
        f"--conformance-out={folder / 'out'}",
        "-c",
        str(CONFORMANCE / "pytest.ini"),
    ]
    return folder / "out", run_pytest(folder / "test_crash.py", *options, "--conformance-select=*E-0*")


def test_crash_has_suite_cause(crashed_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A judgment that crashes, or cannot start, is inconclusive with the cause suite, never failed."""
    rows = {row["id"]: row for row in json.loads((crashed_run[0] / "report.json").read_text())["requirements"]}
    for name in ("PURGE-01", "PURGE-03"):
        assert (rows[name]["outcome"], rows[name]["cause"], rows[name]["findings"]) == ("inconclusive", "suite", [])
        assert "report it" in rows[name]["next_step"]


def test_each_outcome_is_shown(crashed_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Pytest shows each outcome by its name; a failed SHOULD is advice."""
    last = crashed_run[1].stdout.rstrip().splitlines()[-1]
    for words in ("1 failed", "1 passed", "1 advised", "2 inconclusive", "1 not exercised"):
        assert words in last
    assert crashed_run[1].returncode == 1
