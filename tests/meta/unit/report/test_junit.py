"""The writer of junit.xml."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.paths import SCHEMAS as SCHEMA_FOLDER
from meta.support.results import HOSTILE, make_run, requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.report import junit as as_junit
from purge_conformance.report import surefire
from purge_conformance.report.model import EXIT_CODES, Cause, Outcome, Result, Run, Verdict, roll_up

SCHEMAS = [xmlschema.XMLSchema10(SCHEMA_FOLDER / f"junit-{name}.xsd") for name in ("jenkins", "ant")]
PASSED = Result(requirement(), Outcome.PASSED)


def run_of(*rows: Result, verdict: Verdict | None = None) -> Run:
    """Return a run of these results, whose verdict is theirs unless it is given."""
    return replace(make_run(), requirements=rows, verdict=verdict or roll_up(rows))


def marks_of(run: Run) -> dict[str, list[str]]:
    """Return name of each test case -> its marks, once the file is valid against each schema."""
    text = as_junit.render(run)
    for schema in SCHEMAS:
        schema.validate(text)
    suite = ET.fromstring(text)[0]  # noqa: S314 -- our own output
    return {case.get("name", ""): [child.tag for child in case] for case in suite.iter("testcase")}


def not_exercised(conditional: str | None = None) -> Result:
    """Return a MUST that was not exercised."""
    return Result(requirement(conditional=conditional), Outcome.NOT_EXERCISED, Cause.TARGET, "No 503 occurred.")


RUNS = {
    "conformant": run_of(PASSED),
    "conditional": run_of(PASSED, not_exercised(conditional="a 503 occurs")),
    "open": run_of(PASSED, not_exercised()),
    "failed": make_run(),
    "cut short": run_of(PASSED, verdict=Verdict.INCONCLUSIVE),
    "nothing judged": run_of(),
    "hostile": make_run("".join(HOSTILE)),
}


def test_junit_matches_verdict() -> None:
    """A failed MUST is a failure, one that keeps the verdict open an error; nothing else fails a build."""
    marks = marks_of(make_run())
    assert {name: marks.pop(name) for name in ("MUST-00", "MUST-01", "MUST-02", "MUST-03")} == {
        "MUST-00": [],
        "MUST-01": ["error"],
        "MUST-02": ["error"],
        "MUST-03": ["failure"],
    }
    assert {tag for tags in marks.values() for tag in tags} == {"skipped"}
    suite = ET.fromstring(as_junit.render(make_run()))[0]  # noqa: S314 -- our own output
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["12", "1", "2", "6"]


@pytest.mark.parametrize("kind", RUNS)
def test_colour_equals_exit_code(kind: str) -> None:
    """The file is valid, and is red exactly if the exit code is not 0; of a run that was cut short, too."""
    marks = marks_of(RUNS[kind])
    is_red = any(tag in {"failure", "error"} for tags in marks.values() for tag in tags)
    assert is_red == (EXIT_CODES[RUNS[kind].verdict] != 0)
    assert (as_junit.RUN_CASE in marks) == (kind in {"cut short", "nothing judged"})


@pytest.mark.parametrize("kind", RUNS)
def test_surefire_has_the_same_cases(kind: str) -> None:
    """The file of the format `surefire` is valid against its schema, and has the same cases with the same marks."""
    text = surefire.render(RUNS[kind])
    xmlschema.XMLSchema10(SCHEMA_FOLDER / "junit-surefire.xsd").validate(text)
    cases = ET.fromstring(text).iter("testcase")  # noqa: S314 -- our own output
    assert {case.get("name", ""): [child.tag for child in case] for case in cases} == marks_of(RUNS[kind])


def test_schemas_refuse_properties_of_a_case() -> None:
    """The schemas hold what they are there for: no property stands in a test case."""
    text = as_junit.render(run_of(PASSED)).replace('time="0.000" />', 'time="0.000"><properties/></testcase>')
    assert "<properties/></testcase>" in text
    assert len(SCHEMAS) > 1
    assert not any(schema.is_valid(text) for schema in SCHEMAS)


def test_rewording_keeps_the_name() -> None:
    """A case is named by the id, so that another statement or group does not begin a new history."""
    reworded = replace(PASSED, requirement=requirement(statement="Other words.", group="Another heading"))
    cases = [ET.fromstring(as_junit.render(run_of(row))).find(".//testcase") for row in (PASSED, reworded)]  # noqa: S314
    assert [(case.get("classname"), case.get("name")) for case in cases if case is not None] == [
        ("core", "PURGE-01")
    ] * 2


def test_junit_has_messages() -> None:
    """Every case that is no pass has a message with its statement, and a failed SHOULD says so."""
    root = ET.fromstring(as_junit.render(make_run("a word")))  # noqa: S314 -- our own output
    marks = [child for tag in ("failure", "error", "skipped") for child in root.iter(tag)]
    assert all("a word" in child.get("message", "") for child in marks)
    assert all("A purge answers `200`." in child.get("message", "") for child in marks)
    assert any(m.get("message", "").startswith("SHOULD not met: expected no a word; got got a word") for m in marks)


def test_statements_of_passes_are_in_the_output() -> None:
    """The output of the suite has each id with its statement."""
    assert "PURGE-01 (MUST): A purge answers `200`." in as_junit.render(run_of(PASSED))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_legal_xml(text: str) -> None:
    """junit.xml is valid XML in UTF-8, whatever text a target sent."""
    ET.fromstring(as_junit.render(make_run(text, levels=(Level.MUST,))).encode())  # noqa: S314 -- our own output
