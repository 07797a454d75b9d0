"""`judge`: repeated and offline, without a foreign configuration, and never a stale verdict."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from purge_conformance.engine import pytest_process
from purge_conformance.errors import SuiteError
from purge_conformance.evidence.jsonl import FILE_NAME
from purge_conformance.report import json as as_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun

    Command = Callable[..., CommandResult]

STRANGERS = {
    "pytest.ini": "[pytest]\naddopts = --collect-only --no-such-option\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n",
    "conftest.py": "raise SystemExit('a stranger')\n",
    "yaml.py": "raise SystemExit('a stranger')\n",
    "schemathesis.toml": "no TOML\n",
}


@pytest.fixture(scope="session")
def rejudged(full_run: FullRun, command: Command, tmp_path_factory: pytest.TempPathFactory) -> CommandResult:
    """The full run, judged again after its server ended."""
    out = tmp_path_factory.mktemp("again") / "out"
    return command("judge", full_run.folder, "--out", out, folder=out)


def test_rejudge_agrees_with_run(rejudged: CommandResult, full_run: FullRun) -> None:
    """`judge` gives every requirement the outcome, reason and findings of the run, without a server."""

    def plain(result: CommandResult) -> list[dict[str, object]]:
        return [{**row, "seconds": 0} for row in result.report["requirements"]]

    assert plain(rejudged) == plain(full_run)
    assert (rejudged.code, rejudged.report["verdict"]) == (full_run.code, full_run.report["verdict"])


def test_rejudge_keeps_run_data(rejudged: CommandResult, full_run: FullRun) -> None:
    """All other data in a rejudged report is that of the run."""
    assert {**rejudged.report, "requirements": []} == {**full_run.report, "requirements": []}
    assert (rejudged.folder / FILE_NAME).read_bytes() == (full_run.folder / FILE_NAME).read_bytes()


@pytest.mark.parametrize("name", STRANGERS)
def test_rejudge_ignores_local_files(name: str, full_run: FullRun, command: Command, tmp_path: Path) -> None:
    """No file of the working directory affects the judgments."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / name).write_text(STRANGERS[name], encoding="utf-8")
    arguments = ("judge", full_run.folder, "--out", tmp_path / "out", "--select", "ROUTE-01")
    result = command(*arguments, folder=tmp_path / "out", cwd=tmp_path / "cwd")
    assert (result.code, result.outcomes) == (0, {"ROUTE-01": "passed"}), result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTEST_ADDOPTS", "--collect-only --no-such-option"),
        ("PYTEST_PLUGINS", "no_such_plugin"),
        ("COLUMNS", "1"),
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONDEVMODE", "1"),
        ("PYTHONIOENCODING", "utf-16"),
        ("FORCE_COLOR", "1"),
    ],
)
def test_rejudge_ignores_environment(
    name: str, value: str, full_run: FullRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable that configures pytest affects the judgments."""
    monkeypatch.setenv(name, value)
    run = pytest_process.judge(full_run.folder, tmp_path, select=["ROUTE-01"])
    assert [(r.id, r.outcome) for r in run.requirements] == [("ROUTE-01", "passed")]


def test_rejudge_respects_selection(full_run: FullRun, tmp_path: Path) -> None:
    """The profile and glob of `judge` replace those of the run."""
    run = pytest_process.judge(full_run.folder, tmp_path, profiles=["upstream"], select=["UP-SEED-*"])
    assert {r.id for r in run.requirements} == {"UP-SEED-01", "UP-SEED-02", "UP-SEED-03", "UP-SEED-04"}


def test_stale_verdict_is_not_printed(full_run: FullRun, tmp_path: Path) -> None:
    """If the judgments do not finish, an older report in the folder is not reported as theirs."""
    shutil.copytree(full_run.folder, tmp_path, dirs_exist_ok=True)
    with (tmp_path / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({"kind": "note", "scenario": "preflight", "round": 1, "name": "unusable", "value": 1}) + "\n"
        )
    with pytest.raises(SuiteError):
        pytest_process.judge(tmp_path, tmp_path, select=["ROUTE-01"])


@pytest.mark.parametrize("names", [("one",), ("one", "other")])
def test_several_runs_are_judged(names: tuple[str, ...], full_run: FullRun, tmp_path: Path) -> None:
    """The reports of one run or several are beside the evidence of each."""
    for name in names:
        (tmp_path / name).mkdir()
        shutil.copyfile(full_run.folder / FILE_NAME, tmp_path / name / FILE_NAME)
    pytest_process.judge_all(names, tmp_path)
    for name in names:
        run = as_json.load(tmp_path / name)
        assert {r.id: str(r.outcome) for r in run.requirements} == full_run.outcomes
