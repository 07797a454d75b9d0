"""`--baseline`: what it promises, and how a run breaks the promise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.reports import report, row, write_report
from meta.support.results import make_run
from purge_conformance.catalogue.model import Level
from purge_conformance.engine.promises import NO_PROMISES, as_pytest_options, read_promises
from purge_conformance.errors import BadData, BadSetting
from purge_conformance.report.gate import BreachKind, GateStatus
from purge_conformance.report.model import Outcome, Run

if TYPE_CHECKING:
    from pathlib import Path

NEXT_STEP = "Fix it, or give a newer report with --baseline."
RUN = replace(make_run(levels=(Level.MUST,)), spec_digests={"requirements.yaml": "a" * 64})
IDS = [each.id for each in RUN.requirements]  # MUST-00 passed, -01 not exercised, -02 inconclusive, -03 failed


def breaches(place: Path, *rows: dict[str, Any], run: Run = RUN) -> list[tuple[str, str]]:
    """Return id and sentence of each regression of a run since a report with these requirements."""
    folder = write_report(place, report(*rows))
    (check,) = read_promises({"baseline": str(folder)}, IDS).checks
    gate = check(run)
    assert gate.baseline == str(folder)
    assert {breach.kind for breach in gate.breaches} <= {BreachKind.REGRESSION}
    assert (gate.status is GateStatus.BROKEN) == bool(gate.breaches)
    return [(each.requirement, each.sentence.replace(str(folder), "BASE")) for each in gate.breaches]


def test_no_baseline_promises_nothing() -> None:
    """Without a baseline there is no promise."""
    assert read_promises({"baseline": None}, IDS) == read_promises({}, IDS) == NO_PROMISES
    assert NO_PROMISES.checks == ()


def test_failure_is_named(tmp_path: Path) -> None:
    """A MUST that passed in the baseline and fails now breaks the promise, with both and the next step."""
    ((name, sentence),) = breaches(tmp_path, row("MUST-03"))
    assert (name, sentence) == (
        "MUST-03",
        f"MUST-03 passed in BASE and fails now: expected no words; got got words. {NEXT_STEP}",
    )


def test_what_is_no_longer_judged_is_named(tmp_path: Path) -> None:
    """A MUST that was judged and is not breaks the promise; one that failed in both, or was open, does not."""
    found = breaches(tmp_path, row("MUST-01", "failed"), row("MUST-02", "inconclusive"), row("MUST-03", "failed"))
    assert [name for name, _ in found] == ["MUST-01"]
    assert found[0][1].startswith("MUST-01 failed in BASE and is not exercised now: target: because words. Fix it")


def test_lost_case_and_missing_requirement_are_named(tmp_path: Path) -> None:
    """A case that no longer ran, and a requirement that is missing, break the promise."""
    found = dict(breaches(tmp_path, row("MUST-00", cases={"plain": 2}), row("MUST-09")))
    assert found["MUST-00"] == f"Case plain of MUST-00 was tried in BASE and no longer ran. {NEXT_STEP}"
    several = dict(breaches(tmp_path, row("MUST-00", cases={"a": 2, "b": 1})))
    assert several["MUST-00"].startswith("Cases a, b of MUST-00 were tried in BASE and no longer ran. ")
    assert found["MUST-09"].startswith("MUST-09 passed in BASE and is missing now")


def test_run_as_good_keeps_the_promise(tmp_path: Path) -> None:
    """A run that is no worse keeps the promise; what it judges besides is no breach."""
    assert breaches(tmp_path, row("MUST-00", cases={}), row("MUST-03", "failed")) == []
    passed = replace(RUN.requirements[0], requirement=replace(RUN.requirements[0].requirement, id="MUST-03"))
    assert passed.outcome is Outcome.PASSED
    assert (
        breaches(tmp_path, row("MUST-00", cases={}), run=replace(RUN, requirements=(*RUN.requirements[:1], passed)))
        == []
    )


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (None, BadData, "no file, expected a report.json"),
        ("[]", BadData, "as `report`, expected an object"),
        (json.dumps(report(row("MUST-09"))), BadSetting, "judged none of the requirements of this run"),
        (
            json.dumps(report(row("MUST-00", "inconclusive"))),
            BadSetting,
            "Give the report of a run with the same profile",
        ),
    ],
)
def test_useless_baseline_is_refused(tmp_path: Path, content: str | None, error: type[Exception], words: str) -> None:
    """A baseline that cannot be read, or that promises nothing about this run, is refused."""
    if content:
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
    with pytest.raises(error, match=words):
        read_promises({"baseline": str(tmp_path)}, IDS)


def test_other_process_reads_it_as_it_was(tmp_path: Path) -> None:
    """The process that judges reads the baseline as it was before the run, under the name that the user gave."""
    folder = write_report(tmp_path, report(row("MUST-00")))
    promises = read_promises({"baseline": str(folder)}, IDS)
    (folder / "report.json").write_text("replaced", encoding="utf-8")
    with as_pytest_options(promises) as options:
        path, name = (option.partition("=")[2] for option in options)
        copy = read_promises({"baseline": path}, IDS, name)
    assert (name, copy.baseline) == (str(folder), replace(promises.baseline, facts=copy.baseline.facts))  # type: ignore[type-var, union-attr]
    with as_pytest_options(NO_PROMISES) as none:
        assert none == []
