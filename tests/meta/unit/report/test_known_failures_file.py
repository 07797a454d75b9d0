"""The file that `known-failures write` makes from a report: read again, it excuses exactly that report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from meta.support.results import HOSTILE, make_run, requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.config.known_failures import EntryKind, load
from purge_conformance.report.defect import Defect
from purge_conformance.report.known_failures import KnownFailures
from purge_conformance.report.known_failures_file import Terms, not_entered, render
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, Tally, Verdict, roll_up

if TYPE_CHECKING:
    from pathlib import Path

TERMS = Terms("capi", "Reported upstream.", None, date(2027, 1, 31))


def failed(name: str, *findings: Finding, level: Level = Level.MUST, tally: Tally | None = None) -> Result:
    """Return a failure."""
    row = Result(requirement(name, level), Outcome.FAILED, Cause.TARGET, findings=findings)
    return replace(row, tally=tally or Tally())


def open_result(name: str, cause: Cause, blocked_by: tuple[str, ...] = ()) -> Result:
    """Return a result that keeps the verdict open."""
    return Result(requirement(name), Outcome.INCONCLUSIVE, cause, "No token.", "Give one.", blocked_by=blocked_by)


def run_of(*rows: Result, defects: tuple[Defect, ...] = ()) -> Run:
    """Return a run of these results."""
    return replace(make_run(), requirements=rows, defects=defects, notes=())


def judge_again(run: Run, path: Path) -> Run:
    """Return the run with the gate of the file that is written from it."""
    path.write_text(render(run, TERMS), encoding="utf-8")
    run = replace(run, gate=KnownFailures(str(path), load(path)).gate(run))
    return replace(run, verdict=roll_up(run.requirements, run.scope, run.excused))


SEED = Finding("an event for the app 59c18196-3b0d-4741-8555-13dd9534fb45", "none", 7, case="new-droplet")
ANSWER = Finding("401", "500 text", 3, case="garbage", sent="POST /v3/x with a malformed token (garbage)")


def test_what_is_written_excuses_the_run(tmp_path: Path) -> None:
    """One entry per defect, with each requirement that it fails, and one per reason why something is not judged."""
    run = run_of(
        Result(requirement("PURGE-02"), Outcome.PASSED),
        failed("AUTH-02", ANSWER),
        failed("ERROR-07", replace(ANSWER, case="envelope", sent=None)),
        failed("SEED-01", SEED, tally=Tally(8, 2, is_flaky=True)),
        failed("LEAK-01", ANSWER, level=Level.SHOULD),
        open_result("AUTH-07", Cause.CONFIGURATION),
        open_result("SEED-02", Cause.TARGET, ("SEED-01",)),
        defects=(Defect(("AUTH-02", "ERROR-07"), "POST /v3/x", "500 text", 1, (3,)),),
    )
    judged = judge_again(run, tmp_path / "known.yaml")
    entries = load(tmp_path / "known.yaml")
    assert [(each.requirements, each.kind) for each in entries] == [
        (("AUTH-02", "ERROR-07"), EntryKind.FAILURE),
        (("SEED-01",), EntryKind.FAILURE),
        (("AUTH-07",), EntryKind.NOT_JUDGED),
    ]
    assert (judged.verdict, judged.exit_code, judged.breaches) == (Verdict.EXCEPT_KNOWN, 0, ())
    assert judged.excused == {"AUTH-02", "ERROR-07", "SEED-01", "AUTH-07", "SEED-02"}
    assert "LEAK-01" in render(run, TERMS, with_advice=True)
    assert "  # SEED-01: FLAKY: 2 failures in 8 trials (25.0 %). If a whole run may pass, write kind: flaky" in render(
        run, TERMS
    )
    assert "requirements: [AUTH-02, ERROR-07]" in (tmp_path / "known.yaml").read_text(encoding="utf-8")


def test_what_another_run_may_judge_gets_no_entry(tmp_path: Path) -> None:
    """What the network, another client or the suite kept open is named and not entered."""
    rows = [open_result(f"SEED-0{n}", cause) for n, cause in enumerate((Cause.NETWORK, Cause.RACE, Cause.SUITE), 1)]
    assert [result.id for result in not_entered(run_of(*rows))] == ["SEED-01", "SEED-02", "SEED-03"]
    (tmp_path / "known.yaml").write_text(render(run_of(*rows), TERMS), encoding="utf-8")
    assert load(tmp_path / "known.yaml") == ()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_a_target_is_data(tmp_path: Path, text: str) -> None:
    """Whatever a target answers is written as a text that is read as the same signature."""
    run = run_of(failed("PURGE-01", Finding("200", f"500 {text}", sent=f"POST /{text}")))
    assert judge_again(run, tmp_path / "known.yaml").verdict is Verdict.EXCEPT_KNOWN


def test_link_is_written() -> None:
    """The link of the terms is in each entry."""
    text = render(run_of(failed("PURGE-01", ANSWER)), replace(TERMS, link="https://tracker.example/1"))
    assert "link: https://tracker.example/1" in text
