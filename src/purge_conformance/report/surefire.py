"""TEST-purge-conformance.xml: the test cases of junit.xml as Maven's Surefire writes them, one suite a file.

Its schema has no list of suites, and neither the output nor the attributes that Ant's schema requires; so no file is
valid against both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.report import junit

if TYPE_CHECKING:
    from purge_conformance.report.model import Run

FILE_NAME = "TEST-purge-conformance.xml"
ATTRIBUTES = {"name", "time", "tests", "errors", "skipped", "failures"}
OUTPUT = ("system-out", "system-err")


def render(run: Run) -> str:
    """Return the run as the XML of Surefire, illegal characters escaped."""
    suite = junit.suite_element(run)
    suite.attrib = {name: value for name, value in suite.attrib.items() if name in ATTRIBUTES}
    for name in OUTPUT:
        for element in suite.findall(name):
            suite.remove(element)
    for mark in suite.findall("testcase/skipped"):
        mark.attrib.pop("type", None)
    return junit.to_text(suite)
