"""A run of a selection gives the outcomes that the whole run gives, with fewer scenarios."""

from __future__ import annotations

import lzma
import os
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import CONFORMANCE, RECORDED
from meta.support.plain_pytest import run_pytest
from meta.support.selection import BASE, differences
from purge_conformance import catalogue
from purge_conformance.catalogue.api import is_purge
from purge_conformance.engine import reference_process
from purge_conformance.engine.scope import scope_of
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report import json as as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun

CORE_MUSTS, MUSTS = (scope_of([name]).musts for name in ("core", "upstream"))
RUNS = RECORDED.parent / "runs"
RECORDED_RUNS = ("drive", "drive-hook-rolled-app", "nginx-drive-hook", "observe")


def test_scenarios_of_requirements_are_enough(full_run: FullRun) -> None:
    """Each requirement has the same outcome by the evidence of the scenarios that it needs, on the reference server."""
    assert differences(full_run.evidence) == {}


@pytest.mark.parametrize("name", RECORDED_RUNS)
def test_scenarios_are_enough_for_recorded_runs(name: str, tmp_path: Path) -> None:
    """The same holds for runs against a real Cloud Controller, on which some requirements fail or stay open."""
    (tmp_path / FILE_NAME).write_bytes(lzma.decompress((RUNS / f"{name}.{FILE_NAME}.xz").read_bytes()))
    assert differences(read(tmp_path)) == {}


def select(
    command: Callable[..., CommandResult], server: tuple[str, Mapping[str, str]], out: Path, *flags: str
) -> CommandResult:
    """Run with some flags against a server, with a token for each role."""
    url, tokens = server
    sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in tokens]
    secrets = {f"{role.upper()}_SECRET": token for role, token in tokens.items()}
    return command("run", url, *sources, *flags, "--out", out, folder=out, env=os.environ | secrets)


def test_rejected_purges_without_a_purge(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """`--select AUTH-01` sends no purge as admin, archives all the same, and is partial beside a fault elsewhere."""
    with reference_process.server(["--fault", "misses-apps-without-instances"]) as server:
        result = select(command, server, tmp_path / "out", "--select=AUTH-01")
    assert (result.code, result.report["verdict"], result.outcomes) == (0, "partial", {"AUTH-01": "passed"}), result
    assert f"Verdict: partial: 1 of {CORE_MUSTS} MUST judged, all passed. Selection: AUTH-01." in result.stdout
    assert "no purge as admin, but requests that a faulty target may treat as a purge" in result.stdout
    exchanges = result.evidence.exchanges
    assert {x.scenario for x in exchanges} == {*BASE, Scenario.REJECTED_PURGES}
    assert not [x for x in exchanges if is_purge(x.method, x.path) and x.role == "admin"]
    assert (tmp_path / "out" / "archive.jsonl.gz").exists()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("accepts-unsigned-token", 1),
        ("start-not-recorded", 1),
        ("seed-gettable-after-next-change", 1),
    ],
)
def test_fault_is_found_by_its_own_requirements(
    fault: str, code: int, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A fault fails the requirements that name it, also in a run of only these."""
    names = next(each.requirements for each in catalogue.faults() if each.id == fault)
    with reference_process.server(["--fault", fault]) as server:
        flags = ["--profile=upstream", *(f"--select={name}" for name in names)]
        result = select(command, server, tmp_path / "out", *flags)
    assert (result.code, result.outcomes) == (code, dict.fromkeys(names, "failed"))
    assert f"Selection: {', '.join(names)}, {len(names)} of {MUSTS} MUST." in result.stdout


def test_upstream_fails_for_core(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """`--profile upstream` judges core as well, so a server that fails a requirement of core is not conformant."""
    with reference_process.server(["--fault", "purge-returns-data"]) as server:
        result = select(
            command, server, tmp_path / "out", "--profile=upstream", "--select=PURGE-02", "--select=UP-FIELD-01"
        )
    assert (result.code, result.outcomes) == (1, {"PURGE-02": "failed", "UP-FIELD-01": "passed"})


@pytest.mark.parametrize(
    "words",
    [
        [str(CONFORMANCE), "-k", "purge_requires_token or purge_rejects_malformed_token"],
        [f"{CONFORMANCE / 'test_authentication.py'}::test_purge_requires_token"],
    ],
    ids=["-k", "node id"],
)
def test_selection_of_pytest(words: list[str], reference_server: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """What pytest itself selects is a selection: it runs only what the judgments need, and is at best partial."""
    url, tokens = reference_server
    options = (
        f"--target={url}",
        "--token=admin=env:T",
        f"--conformance-out={tmp_path}",
        "-c",
        CONFORMANCE / "pytest.ini",
    )
    done = run_pytest(*words, *options, T=tokens["admin"])
    run = as_json.load(tmp_path)
    assert (done.returncode, run.verdict) == (0, "partial"), done.stdout
    assert run.scope.select == tuple(result.id for result in run.requirements)
    assert {x.scenario for x in read(tmp_path).exchanges} == {*BASE, Scenario.REJECTED_PURGES}
    assert f"partial: {len(run.requirements)} of {CORE_MUSTS} MUST judged, all passed" in done.stdout
