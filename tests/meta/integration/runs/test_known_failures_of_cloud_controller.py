"""The example of known failures: on the recorded runs of the real Cloud Controller it excuses what it should."""

from __future__ import annotations

import lzma
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import RECORDED, ROOT
from purge_conformance.catalogue.model import Level
from purge_conformance.config.known_failures import load
from purge_conformance.config.known_failures_edit import without
from purge_conformance.engine import pytest_process
from purge_conformance.evidence.jsonl import FILE_NAME
from purge_conformance.report import json as as_json
from purge_conformance.report.gate import BreachKind
from purge_conformance.report.known_failures import KnownFailures
from purge_conformance.report.model import Outcome, Run, Verdict, roll_up
from purge_conformance.report.signature import signatures_of

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "docs" / "known-failures" / "cloud-controller.yaml"
RUNS = sorted(path.name.removesuffix(f".{FILE_NAME}.xz") for path in (RECORDED.parent / "runs").glob("*.xz"))
ROLLED = {"drive-hook-rolled-app", "observe-rolled-app", "observe-rate-limited"}  # runs with an app that was rolled
SEED_GUID = "SEED-04"
ONLY_SOME = {"BODY-03", "LEAK-03"}  # SHOULDs that fail where a hook was given, or an app has a URL with a password
MIN_FAILED, QUERIES_THAT_FAIL = 6, 7
WHOLE = {"drive", "drive-hook-rolled-app", "nginx-drive-hook"}  # runs in which all was judged


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The recorded runs, judged without known failures by one pytest process."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in RUNS:
        (folder / name).mkdir()
        content = (RECORDED.parent / "runs" / f"{name}.{FILE_NAME}.xz").read_bytes()
        (folder / name / FILE_NAME).write_bytes(lzma.decompress(content))
    pytest_process.judge_all(RUNS, folder)
    return {name: as_json.load(folder / name) for name in RUNS}


def gated(run: Run, path: Path) -> Run:
    """Return the run with the gate of a file, and with the verdict that it has with it."""
    run = replace(run, gate=KnownFailures(str(path), load(path)).gate(run))
    return replace(run, verdict=roll_up(run.requirements, run.scope, run.excused))


def without_rolled_app(path: Path) -> Path:
    """Write the example without the entry for an app that was rolled."""
    number = next(n for n, entry in enumerate(load(EXAMPLE)) if entry.requirements == (SEED_GUID,))
    path.write_text(without(EXAMPLE, [(number, SEED_GUID)]), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", RUNS)
def test_example_excuses_each_failure(name: str, runs: dict[str, Run], tmp_path: Path) -> None:
    """Of each recorded run every MUST that failed is excused; what was not judged stays open."""
    path = EXAMPLE if name in ROLLED else without_rolled_app(tmp_path / "known.yaml")
    run = gated(runs[name], path)
    failed = {r.id for r in run.requirements if r.outcome is Outcome.FAILED and r.level is Level.MUST}
    assert (run.breaches, failed - run.excused, run.gate and run.gate.not_checked) == ((), set(), ())
    assert len(failed) >= MIN_FAILED
    assert (run.verdict, run.exit_code) == ((Verdict.EXCEPT_KNOWN, 0) if name in WHOLE else (Verdict.INCONCLUSIVE, 3))


def test_entry_of_a_rolled_app_is_stale_without_one(runs: dict[str, Run]) -> None:
    """Where no app was rolled, the entry for it is stale, as its comment says, and nothing else is."""
    for name in set(RUNS) - ROLLED:
        breaches = gated(runs[name], EXAMPLE).breaches
        assert [(breach.kind, breach.requirement) for breach in breaches] == [(BreachKind.STALE, SEED_GUID)]


def test_same_defects_have_the_same_signatures(runs: dict[str, Run]) -> None:
    """Over six runs with other guids, ports and times each defect that all have has one signature."""
    found = [
        {signature for r in run.requirements if r.outcome is Outcome.FAILED for signature in signatures_of(r)}
        for run in runs.values()
    ]
    common = set.intersection(*found)
    assert {s.requirement for s in set.union(*found) - common} <= {SEED_GUID, *ONLY_SOME}
    assert len([s for s in common if s.requirement == "LIST-14"]) == QUERIES_THAT_FAIL
