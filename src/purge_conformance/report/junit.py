"""junit.xml: one test case per requirement, as red as the exit code; only a MUST turns it red.

A MUST that failed is a `<failure>`; one that keeps the verdict open is an `<error>`. Everything else that did not pass
is `<skipped>`, with the outcome as its message; so is a known failure, with its owner and its last day. Each promise
that was broken is a `<failure>` of its own, `known-failures.ID` or `baseline.ID`.

The elements and attributes are those that both the schema of Jenkins' xUnit plug-in (junit-10.xsd) and that of Ant
(JUnit.xsd) allow: a test case holds at most one of these marks, and neither properties nor output.
Written with the standard library: junitparser 5 has no type annotations and lets through characters that XML forbids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import clip, one_line, visible
from purge_conformance.report.gate_text import describe_excuse
from purge_conformance.report.headline import headline
from purge_conformance.report.model import Cause, Outcome, is_red_as_a_whole, is_undecided
from purge_conformance.report.scripts import file_name
from purge_conformance.report.text import rate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.report.gate import KnownFailure
    from purge_conformance.report.model import Result, Run

FILE_NAME = "junit.xml"
SUITE = "purge-conformance"
RUN_CASE = "run"  # the test case that is red if no requirement is, although the exit code is not 0
TEXT_LIMIT = 20_000


def render(run: Run) -> str:
    """Return the run as JUnit XML, illegal characters escaped."""
    root = ET.Element("testsuites")
    root.append(suite_element(run))
    return to_text(root)


def to_text(root: ET.Element) -> str:
    """Return an element as the text of a file."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def suite_element(run: Run) -> ET.Element:
    """Return the suite with a test case for each requirement."""
    suite = ET.Element("testsuite", name=SUITE, package=SUITE, id="0", hostname="localhost")
    suite.set("timestamp", run.started_at[:19])
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run).items():
        ET.SubElement(properties, "property", name=visible(name), value=visible(value))
    excuses = run.gate.excuses if run.gate else {}
    for result in run.requirements:
        suite.append(_case(result, excuses.get(result.id)))
    for name, text in errors_of_run(run, run.requirements).items():
        tag, kind = ("error", str(run.verdict)) if name == RUN_CASE else ("failure", "gate")
        case = ET.SubElement(suite, "testcase", classname=SUITE, name=name, time="0.000")
        ET.SubElement(case, tag, type=kind, message=one_line(text))
    suite.attrib |= _counts(run, suite)
    ET.SubElement(suite, "system-out").text = visible("\n".join(map(_statement, run.requirements)))
    ET.SubElement(suite, "system-err")
    return suite


def errors_of_run(run: Run, shown: Iterable[Result]) -> dict[str, str]:
    """Return name of a test case -> why a run is red beside the results that are shown: a broken promise, or itself."""
    gate = run.gate.by_test_case() if run.gate else {}
    errors = {name: " ".join(breach.sentence for breach in breaches) for name, breaches in gate.items()}
    return errors | ({RUN_CASE: headline(run)} if is_red_as_a_whole(run, shown) else {})


def _properties(run: Run) -> dict[str, str]:
    facts = {"verdict": run.verdict, "headline": headline(run), "target": run.target}
    facts |= {"suite": run.suite_version, "spec": run.spec_version}
    facts |= {"gate": run.gate.status} if run.gate else {}
    return facts | {f"spec/{name}": digest for name, digest in run.spec_digests.items()}


def _counts(run: Run, suite: ET.Element) -> dict[str, str]:
    def count(tag: str) -> str:
        return str(len(suite.findall(f"testcase/{tag}")))

    return {
        "tests": str(len(suite.findall("testcase"))),
        "failures": count("failure"),
        "errors": count("error"),
        "skipped": count("skipped"),
        "time": f"{sum(r.seconds for r in run.requirements):.3f}",
    }


def _case(result: Result, known: KnownFailure | None) -> ET.Element:
    """Return the test case of a requirement; its name is the id alone, so that CI keeps its history.

    Args:
        result: of the requirement.
        known: what excuses it, if anything does.
    """
    case = ET.Element("testcase", classname=result.profile, name=result.id, time=f"{result.seconds:.3f}")
    if result.outcome is not Outcome.PASSED:
        tag, message = _tag_and_message(result)
        if known:
            tag, message = "skipped", f"{describe_excuse(known, result.id)} {message}"
        mark = ET.SubElement(case, tag, type=result.cause or Cause.SUITE, message=one_line(message))
        mark.text = visible("\n".join(clip(line, TEXT_LIMIT) for line in _details(result)))
    return case


def _tag_and_message(result: Result) -> tuple[str, str]:
    if result.outcome is Outcome.FAILED:
        message = "; ".join(f"expected {f.expected}; got {f.got}" for f in result.findings[:1])
        tag, word = ("failure", "failed") if result.level is Level.MUST else ("skipped", f"{result.level} not met")
    else:
        message = " ".join(filter(None, [result.reason, result.next_step]))
        tag, word = "error" if is_undecided(result) else "skipped", str(result.outcome)
    return tag, f"{word}: {message} [{result.statement}]"


def _statement(result: Result) -> str:
    return " ".join(filter(None, [f"{result.id} ({result.level}): {result.statement}", rate(result)]))


def _details(result: Result) -> list[str]:
    requirement = result.requirement
    lines = [f"{result.id} ({result.level}, {result.profile}): {result.statement}"]
    for finding in result.findings:
        lines += [f"expected: {finding.expected}", f"got: {finding.got}"]
        lines += [f"exchange: {finding.exchange}"] if finding.exchange is not None else []
        lines += [f"reproduce: {finding.curl}"] if finding.curl else []
        lines += [f"script: {file_name(result)}"] if finding.script else []
        lines += [f"passed in: exchange {finding.passing_exchange}"] if finding.passing_exchange is not None else []
    if result.outcome is Outcome.FAILED:
        lines += [*filter(None, [rate(result)]), f"remedy: {requirement.remedy}"]
    else:
        lines += [f"{result.outcome}: {result.reason}"]
        lines += [f"next step: {result.next_step}"] if result.next_step else []
    source = " ".join(filter(None, [requirement.source.title, requirement.source.url]))
    return [*lines, f"cause: {result.cause}", f"source: {source}", f"> {requirement.quote}"]
