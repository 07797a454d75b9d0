"""Plain pytest with the plugin gives the outcomes of the command."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN, Api
from meta.support.paths import CONFORMANCE
from meta.support.plain_pytest import run_pytest
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.jsonl import read

if TYPE_CHECKING:
    from meta.support.command import FullRun
    from meta.support.stub import StubServer


UNKNOWN_REQUIREMENT = """
import pytest

@pytest.mark.requirement("PURGE-99")
def test_unknown(view): pass
"""


def outcomes(folder: Path) -> dict[str, str]:
    """Return the outcome of each requirement in a folder of reports."""
    rows = json.loads((folder / "report.json").read_text(encoding="utf-8"))["requirements"]
    return {row["id"]: row["outcome"] for row in rows}


def test_pytest_gives_same_outcomes(
    reference_server: tuple[str, dict[str, str]], full_run: FullRun, tmp_path: Path
) -> None:
    """Plain pytest against a server gives the outcomes that the command gave, from the same generated requests."""
    url, tokens = reference_server
    roles = [role for role in tokens if role in full_run.tokens]
    sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in roles]
    profiles = ["--conformance-profile=core", "--conformance-profile=upstream"]
    done = run_pytest(
        *(str(CONFORMANCE), f"--target={url}", *sources, *profiles, f"--conformance-out={tmp_path}"),
        f"--conformance-hook={embedded.hook_url(url)}",
        **{f"{role.upper()}_SECRET": tokens[role] for role in roles},
    )
    assert done.returncode == 0, done.stdout
    assert outcomes(tmp_path) == full_run.outcomes


def test_flags_reach_settings(stub_server: StubServer, tmp_path: Path) -> None:
    """The flags reach the settings of the run; a switch and a repeated flag too."""
    given = {"apps": "observe", "examples": "3", "max-purges": "0", "max-requests": "60", "timeout": "9.5", "seed": "7"}
    flags = [f"--conformance-{name}={value}" for name, value in given.items()]
    more = ["--conformance-select=PURGE-01,PURGE-02", "--conformance-select=SEED-01", "--conformance-insecure"]
    own = (f"--target={stub_server.url}", "--token=admin=env:T", f"--conformance-out={tmp_path}")
    run_pytest(CONFORMANCE, *own, *flags, *more, T="opaque")
    recorded = read(tmp_path).header.settings
    asked = {name.replace("-", "_"): value for name, value in given.items()}
    assert {name: str(recorded[name]) for name in asked} == asked
    assert (recorded["select"], recorded["transport"]) == (["PURGE-01", "PURGE-02", "SEED-01"], {"insecure": True})


@pytest.mark.parametrize("names_folder", [False, True])
def test_files_of_run_are_named(stub_server: StubServer, tmp_path: Path, *, names_folder: bool) -> None:
    """The last lines have the paths of evidence and archive; without a folder they say how to keep them."""
    stub_server.answer = Api()
    own = (f"--target={stub_server.url}", "--token=admin=env:T", "--conformance-select=AUTH-01")
    out = [f"--conformance-out={tmp_path / 'out'}"] if names_folder else []
    limits = ("--conformance-max-requests=60", "--allow-incomplete-archive")
    done = run_pytest(CONFORMANCE, *own, *limits, *out, T=ADMIN, TMPDIR=str(tmp_path))
    paths = re.findall(r"^(?:Evidence|Archive): (/\S+)$", done.stdout, re.MULTILINE)
    assert [Path(path).name for path in paths] == ["evidence.jsonl", "archive.jsonl.gz"], done.stdout
    assert all(Path(path).is_file() and Path(path).is_relative_to(tmp_path) for path in paths)
    assert ("give --conformance-out" in done.stdout) is not names_folder


def test_collecting_sends_nothing() -> None:
    """`--collect-only` lists the judgments without a target, and sends nothing."""
    done = run_pytest(CONFORMANCE, "--collect-only", "-q")
    assert done.returncode == 0
    assert len(re.findall(r"::test_\w+$", done.stdout, re.MULTILINE)) > 80


def test_one_pytest_judges_several_runs(full_run: FullRun, tmp_path: Path) -> None:
    """Several runs are judged together, each with its own reports; the worst verdict decides the exit code."""
    for name in ("one", "other"):
        shutil.copytree(full_run.folder, tmp_path / name)
    with (tmp_path / "other" / "evidence.jsonl").open("a", encoding="utf-8") as file:
        unusable = {"cause": "network", "reason": "planted"}
        file.write(
            json.dumps({"kind": "note", "scenario": "preflight", "round": 1, "name": "unusable", "value": unusable})
            + "\n"
        )
    folders = [f"--evidence={tmp_path / name}" for name in ("one", "other")]
    done = run_pytest(
        CONFORMANCE, "-v", *folders, f"--conformance-out={tmp_path / 'out'}", "--conformance-select=PURGE-0*"
    )
    assert done.returncode == 3, done.stdout
    assert set(outcomes(tmp_path / "out" / "one").values()) == {"passed"}
    assert set(outcomes(tmp_path / "out" / "other").values()) == {"inconclusive"}
    assert "test_purge_answers_200[other]" in done.stdout


def test_counts_agree(full_run: FullRun, tmp_path: Path) -> None:
    """Pytest counts each outcome as the reports do, also of a requirement that has no judgment."""
    done = run_pytest(CONFORMANCE, f"--evidence={full_run.folder}", f"--conformance-out={tmp_path}")
    counts = Counter(outcomes(tmp_path).values())
    assert counts["not exercised"]
    words = ", ".join(f"{counts[name]} {name}" for name in ("not exercised", "passed"))
    assert f"{len(outcomes(tmp_path))} requirements: {words}" in done.stdout
    last_line = done.stdout.splitlines()[-1]
    assert all(f"{number} {name}" in last_line for name, number in counts.items())


def test_unknown_requirement_exits_4(full_run: FullRun, tmp_path: Path) -> None:
    """A judgment of an unknown requirement is a usage error of the collection."""
    (tmp_path / "test_it.py").write_text(UNKNOWN_REQUIREMENT, encoding="utf-8")
    done = run_pytest(tmp_path, f"--evidence={full_run.folder}", "-c", CONFORMANCE / "pytest.ini")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "PURGE-99: no such requirement" in done.stdout + done.stderr


def test_other_tests_are_unaffected(tmp_path: Path) -> None:
    """Without judgments the plugin does nothing: it is loaded in every pytest of the environment."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    assert run_pytest(tmp_path, "-c", CONFORMANCE / "pytest.ini").returncode == 0


@pytest.mark.parametrize("chosen", ["-k=purge_answers_200", "--deselect=x"])
def test_deselected_judgment_is_skipped(chosen: str, full_run: FullRun, tmp_path: Path) -> None:
    """A judgment that -k deselects is not judged, and does not affect the verdict."""
    options = [f"--evidence={full_run.folder}", f"--conformance-out={tmp_path}", "--conformance-select=PURGE-0[12]"]
    done = run_pytest(CONFORMANCE, *options, chosen)
    assert done.returncode == 0
    assert outcomes(tmp_path)["PURGE-01"] == "passed"
    assert ("PURGE-02" in outcomes(tmp_path)) == (not chosen.startswith("-k"))


def test_workers_send_nothing(stub_server: StubServer) -> None:
    """Workers of pytest-xdist that find the target in the environment send nothing; the exit code is pytest's own."""
    environment = {"PURGE_CONFORMANCE_TARGET": stub_server.url, "T": "opaque"}
    done = run_pytest(CONFORMANCE, "-n", "2", "--token=admin=env:T", **environment)
    assert (done.returncode, stub_server.received) == (pytest.ExitCode.USAGE_ERROR, [])
    assert "pytest-xdist would collect the evidence in each of its processes" in done.stdout + done.stderr


def test_other_distributed_tests_are_unaffected(tmp_path: Path) -> None:
    """Tests without judgments run on pytest-xdist, also where the environment names a target."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    done = run_pytest(
        tmp_path, "-n", "1", "-c", CONFORMANCE / "pytest.ini", PURGE_CONFORMANCE_TARGET="http://127.0.0.1:1"
    )
    assert done.returncode == 0, done.stdout
