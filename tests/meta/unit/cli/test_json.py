"""`--json` of the commands that print a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from meta.support.api_stub import ADMIN as ADMIN_TOKEN
from meta.support.api_stub import Api
from meta.support.invoke import ADMIN, invoke
from meta.support.labelled_resources import LabelledResources
from purge_conformance.cli.group import main
from purge_conformance.selfcheck import run as selfcheck_run
from purge_conformance.selfcheck.matrix import Matrix, Row, to_dict
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.target import archive
from purge_conformance.target.apps.resources import ORGANIZATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer


def printed(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401 -- JSON
    """Return what a command prints as JSON; nothing else is on standard output."""
    done = invoke(*arguments, "--json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


@pytest.fixture
def target(stub_server: StubServer, tmp_path: Path) -> tuple[str, ...]:
    """A target that answers as the API does, and the flags for it."""
    stub_server.answer = Api()
    (tmp_path / "admin").write_text(ADMIN_TOKEN, encoding="utf-8")
    return stub_server.url, f"--token=admin=file:{tmp_path / 'admin'}"


def test_doctor_prints_findings(target: tuple[str, ...]) -> None:
    """Each finding has its members; --verbose adds no line."""
    data = printed("doctor", *target, "--verbose")
    assert data["exit_code"] == 0
    assert {"name": "reachable", "status": "ok"}.items() <= data["checks"][0].items()
    assert all({"got", "expected", "next_step", "cause"} <= set(check) for check in data["checks"])


def test_plan_prints_scenarios(target: tuple[str, ...]) -> None:
    """The scenarios have their costs, and the plan its total and its limits."""
    data = printed("plan", *target)
    scenarios = data["plan"]["scenarios"]
    assert {"name", "requests", "purges", "may_use_remainder"} == set(scenarios[0])
    assert data["plan"]["total"]["purges"] >= sum(row["purges"] for row in scenarios) > 0
    assert data["plan"]["limits"]["max_purges"] == 40


def test_plan_of_a_wrong_configuration(target: tuple[str, ...], tmp_path: Path) -> None:
    """Where something has to be fixed, there is no plan, but the findings and the exit code."""
    (tmp_path / "report.json").touch()
    data = printed("plan", *target, f"--out={tmp_path}", code=2)
    assert (data["plan"], data["exit_code"]) == (None, 2)
    assert [check["name"] for check in data["checks"] if check["status"] == "problem"] == ["folder"]


def test_cleanup_prints_resources(stub_server: StubServer) -> None:
    """Each resource has what became of it, and the numbers are those of the last line."""
    LabelledResources(stub_server).add(ORGANIZATIONS, "young", "0123abcd", age=60)
    data = printed("cleanup", stub_server.url, ADMIN, "--dry-run")
    assert (data["deleted"], data["kept"]) == (0, 1)
    (row,) = data["resources"]
    assert (row["action"], row["resource"], row["run"]) == ("would keep", f"{ORGANIZATIONS}/young", "0123abcd")
    assert "was active 1 min ago" in row["reason"]


def test_archive_verify_prints_problems(tmp_path: Path) -> None:
    """The verification has its members, and the exit code is that without --json."""
    (tmp_path / archive.FILE_NAME).write_bytes(b"no gzip")
    data = printed("archive", "verify", str(tmp_path / archive.FILE_NAME), code=3)
    assert (data["events"], len(data["problems"]) > 0) == (0, True)


def test_selfcheck_prints_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix is on standard output alone; the progress is on standard error."""
    (mutant,) = select_servers(["purge-returns-data"])
    row = Row(mutant, failed=mutant.fails, requests=9, purges=1)
    matrix = Matrix("0", "1", {}, 1, (), "2026-07-01T12:00:00Z", 1.0, 2, (row,))
    monkeypatch.setattr(selfcheck_run, "check", lambda *_, **__: matrix)
    assert printed("selfcheck", "--out", str(tmp_path)) == json.loads(json.dumps(to_dict(matrix)))


@pytest.mark.parametrize(
    ("words", "completion"), [("pl", "plan"), ("run --max-p", "--max-purges"), ("run --prof", "--profile")]
)
def test_shell_completion(words: str, completion: str) -> None:
    """The variables that a shell sets make the command print what completes the last word."""
    line = f"purge-conformance {words}"
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    environ = variables | {"_PURGE_CONFORMANCE_COMPLETE": "bash_complete"}
    done = CliRunner().invoke(main, prog_name="purge-conformance", env=environ)
    assert f"plain,{completion}" in done.stdout.splitlines()


def test_every_table_can_be_json() -> None:
    """Each command that prints a table has --json."""
    with_json = {name for name, each in main.commands.items() if any("--json" in p.opts for p in each.params)}
    assert {"list", "doctor", "plan", "cleanup", "selfcheck", "compare", "explain"} <= with_json
