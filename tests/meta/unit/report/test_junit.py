"""The writer of junit.xml."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.results import make_run
from purge_conformance.catalogue.model import Level
from purge_conformance.report import junit as as_junit


def test_junit_matches_verdict() -> None:
    """A failed MUST is a failure, an inconclusive one an error; nothing else fails a build."""
    suite = ET.fromstring(as_junit.render(make_run()))[0]  # noqa: S314 -- our own output
    cases = {case.get("name", "").split()[0]: [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases["MUST-00"] == []
    assert cases["MUST-01"] == ["skipped", "system-out"]
    assert cases["MUST-02"] == ["error"]
    assert cases["MUST-03"] == ["failure"]
    assert {tag for name, tags in cases.items() if not name.startswith("MUST") for tag in tags} == {
        "skipped",
        "system-out",
    }
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["12", "1", "1", "7"]


def test_junit_has_messages() -> None:
    """Every case that is no pass has a message, and a failed SHOULD says so."""
    root = ET.fromstring(as_junit.render(make_run("a word")))  # noqa: S314 -- our own output
    marks = [child for tag in ("failure", "error", "skipped") for child in root.iter(tag)]
    assert all("a word" in child.get("message", "") for child in marks)
    assert "SHOULD not met: expected no a word; got got a word" in [child.get("message") for child in marks]


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_legal_xml(text: str) -> None:
    """junit.xml is valid XML in UTF-8, whatever text a target sent."""
    ET.fromstring(as_junit.render(make_run(text, levels=(Level.MUST,))).encode())  # noqa: S314 -- our own output
