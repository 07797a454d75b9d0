"""Judging: again and offline, away from a stranger's configuration, and never an old verdict for a new one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from purge_conformance.engine import pytest_process as judge
from purge_conformance.errors import SuiteError
from purge_conformance.evidence.records import FILE_NAME
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
def again(full_run: FullRun, command: Command, tmp_path_factory: pytest.TempPathFactory) -> CommandResult:
    """The whole run, judged again when its server had ended."""
    out = tmp_path_factory.mktemp("again") / "out"
    return command("judge", full_run.folder, "--out", out, folder=out)


def test_judge_agrees_with_run(again: CommandResult, full_run: FullRun) -> None:
    """`judge` gives every requirement the outcome, reason and findings that the run gave it, and asks no server."""

    def plain(done: CommandResult) -> list[dict[str, object]]:
        return [{**row, "seconds": 0} for row in done.report["requirements"]]

    assert plain(again) == plain(full_run)
    assert (again.code, again.report["verdict"]) == (full_run.code, full_run.report["verdict"])


def test_judge_keeps_the_rest(again: CommandResult, full_run: FullRun) -> None:
    """All else in a report that was judged again is that of the run: what was sent, when, and to whom."""
    assert {**again.report, "requirements": []} == {**full_run.report, "requirements": []}
    assert (again.folder / FILE_NAME).read_bytes() == (full_run.folder / FILE_NAME).read_bytes()


@pytest.mark.parametrize("name", STRANGERS)
def test_judge_ignores_strangers(name: str, full_run: FullRun, command: Command, tmp_path: Path) -> None:
    """No file of the directory that the command is called in reaches the judging."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / name).write_text(STRANGERS[name], encoding="utf-8")
    asked = ("judge", full_run.folder, "--out", tmp_path / "out", "--select", "ROUTE-01")
    done = command(*asked, folder=tmp_path / "out", cwd=tmp_path / "cwd")
    assert (done.code, done.outcomes) == (0, {"ROUTE-01": "passed"}), done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("PYTEST_ADDOPTS", "--collect-only --no-such-option"), ("PYTEST_PLUGINS", "no_such_plugin"), ("COLUMNS", "1")],
)
def test_judge_ignores_environment(
    name: str, value: str, full_run: FullRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable that steers pytest reaches the judging."""
    monkeypatch.setenv(name, value)
    run = judge.judge(full_run.folder, tmp_path, select=["ROUTE-01"])
    assert [(r.id, r.outcome) for r in run.requirements] == [("ROUTE-01", "passed")]


def test_judge_judges_what_is_asked(full_run: FullRun, tmp_path: Path) -> None:
    """A profile and a glob that are named for judging replace those of the run."""
    run = judge.judge(full_run.folder, tmp_path, profiles=["upstream"], select=["UP-SEED-*"])
    assert {r.id for r in run.requirements} == {"UP-SEED-01", "UP-SEED-02", "UP-SEED-03", "UP-SEED-04"}


def test_old_verdict_is_not_told(full_run: FullRun, tmp_path: Path) -> None:
    """Where the judgments come to no end, the report that lies there already is not told for theirs."""
    shutil.copytree(full_run.folder, tmp_path, dirs_exist_ok=True)
    with (tmp_path / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": "note", "experiment": "e", "name": "unusable", "value": 1}) + "\n")
    with pytest.raises(SuiteError):
        judge.judge(tmp_path, tmp_path, select=["ROUTE-01"])


@pytest.mark.parametrize("names", [("one",), ("one", "other")])
def test_each_of_many_is_judged(names: tuple[str, ...], full_run: FullRun, tmp_path: Path) -> None:
    """Of one run or several the reports lie beside the evidence of each."""
    for name in names:
        (tmp_path / name).mkdir()
        shutil.copyfile(full_run.folder / FILE_NAME, tmp_path / name / FILE_NAME)
    judge.judge_all(names, tmp_path)
    for name in names:
        run = as_json.load(tmp_path / name)
        assert {r.id: str(r.outcome) for r in run.requirements} == full_run.outcomes
