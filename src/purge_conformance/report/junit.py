"""junit.xml: one test case per requirement; only a MUST turns it red.

A MUST that failed is a `<failure>`, an inconclusive MUST is an `<error>`. A requirement that was not exercised is
`<skipped>`; so is a SHOULD or MAY that did not pass, with the outcome as its message.
Written with the standard library: junitparser 5 has no type annotations and lets through characters that XML forbids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import clip, one_line, visible
from purge_conformance.report.model import Outcome
from purge_conformance.report.text import headline, rate

if TYPE_CHECKING:
    from purge_conformance.report.model import Result, Run

FILE_NAME = "junit.xml"
TEXT_LIMIT = 20_000


def render(run: Run) -> str:
    """Return the run as JUnit XML, illegal characters escaped."""
    suite = ET.Element("testsuite", name="purge-conformance", timestamp=run.started_at[:19])
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run).items():
        ET.SubElement(properties, "property", name=visible(name), value=visible(value))
    for result in run.requirements:
        suite.append(_case(result))
    counts = _counts(run, suite)
    suite.attrib |= counts
    root = ET.Element("testsuites", {"name": "purge-conformance", **counts})
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(run: Run) -> dict[str, str]:
    facts = {"verdict": run.verdict, "headline": headline(run), "target": run.target}
    facts |= {"suite": run.suite_version, "spec": run.spec_version}
    return facts | {f"spec/{name}": digest for name, digest in run.spec_digests.items()}


def _counts(run: Run, suite: ET.Element) -> dict[str, str]:
    def count(tag: str) -> str:
        return str(len(suite.findall(f"testcase/{tag}")))

    return {
        "tests": str(len(run.requirements)),
        "failures": count("failure"),
        "errors": count("error"),
        "skipped": count("skipped"),
        "time": f"{sum(r.seconds for r in run.requirements):.3f}",
    }


def _case(result: Result) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=visible(f"{result.profile}.{result.requirement.group}"),
        name=one_line(f"{result.id} ({result.level}): {result.statement}"),
        time=f"{result.seconds:.3f}",
    )
    if rate(result):
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", name="rate", value=rate(result))
    if result.outcome is Outcome.PASSED:
        return case
    tag, message = _tag_and_message(result)
    element = ET.SubElement(case, tag, type=result.cause or "", message=one_line(message))
    if tag == "skipped":  # readers of JUnit show the output of a skipped case, but not its text
        element = ET.SubElement(case, "system-out")
    element.text = visible("\n".join(clip(line, TEXT_LIMIT) for line in _details(result)))
    return case


def _tag_and_message(result: Result) -> tuple[str, str]:
    if result.outcome is Outcome.FAILED:
        message = "; ".join(f"expected {f.expected}; got {f.got}" for f in result.findings[:1])
        return ("failure", message) if result.level is Level.MUST else ("skipped", f"{result.level} not met: {message}")
    if result.outcome is Outcome.INCONCLUSIVE and result.level is Level.MUST:
        return "error", f"inconclusive: {result.reason}"
    return "skipped", f"{result.outcome}: {result.reason}"


def _details(result: Result) -> list[str]:
    requirement = result.requirement
    lines = [f"{result.id} ({result.level}, {result.profile}): {result.statement}"]
    for finding in result.findings:
        lines += [f"expected: {finding.expected}", f"got: {finding.got}"]
        lines += [f"exchange: {finding.exchange}"] if finding.exchange is not None else []
        lines += [f"reproduce: {finding.curl}"] if finding.curl else []
        lines += ["reproduce with this script:", finding.script] if finding.script else []
        lines += [f"passed in: exchange {finding.passing_exchange}"] if finding.passing_exchange is not None else []
    if result.outcome is Outcome.FAILED:
        lines += [*filter(None, [rate(result)]), f"remedy: {requirement.remedy}"]
    else:
        lines += [f"{result.outcome}: {result.reason}"]
        lines += [f"next step: {result.next_step}"] if result.next_step else []
    source = " ".join(filter(None, [requirement.source.title, requirement.source.url]))
    return [*lines, f"cause: {result.cause}", f"source: {source}", f"> {requirement.quote}"]
