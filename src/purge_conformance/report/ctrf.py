"""ctrf-report.json: the run in the Common Test Report Format, one test per requirement.

It is as red as junit.xml: a MUST that failed or keeps the verdict open has failed, and its raw status says which.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence.safe_text import clip, one_line, visible
from purge_conformance.report import junit
from purge_conformance.report.gate_text import excuse_of
from purge_conformance.report.headline import headline
from purge_conformance.report.junit import SUITE
from purge_conformance.report.model import Outcome, is_red
from purge_conformance.report.text import failure_sentence

if TYPE_CHECKING:
    from purge_conformance.report.model import Result, Run

    Json = dict[str, Any]

FILE_NAME = "ctrf-report.json"
SPEC_VERSION = "0.0.0"
STATUSES = ("passed", "failed", "skipped", "pending", "other")
TEXT_CHARS = 20_000


def render(run: Run) -> str:
    """Return the run as CTRF, in ASCII."""
    tests = [_test(result, excuse_of(run, result.id)) for result in run.requirements]
    for name, text in junit.errors_of_run(run, run.requirements).items():
        tests.append(_named(name, "failed", str(run.verdict), one_line(text)))
    counts = Counter(test["status"] for test in tests)
    start, stop = (round(1000 * datetime.fromisoformat(t).timestamp()) for t in (run.started_at, run.finished_at))
    summary = {"tests": len(tests), **{name: counts[name] for name in STATUSES}, "start": start, "stop": stop}
    facts = {"verdict": str(run.verdict), "headline": one_line(headline(run)), "spec": run.spec_version}
    results = {
        "tool": {"name": SUITE, "version": run.suite_version},
        "summary": summary,
        "tests": tests,
        "environment": {"appName": one_line(run.target), "extra": facts},
    }
    document = {"reportFormat": "CTRF", "specVersion": SPEC_VERSION, "generatedBy": SUITE, "results": results}
    return json.dumps(document, indent=2) + "\n"


def _test(result: Result, excuse: str) -> Json:
    requirement = result.requirement
    status = "skipped" if excuse else _status(result)
    test = _named(result.id, status, str(result.outcome), one_line(f"{excuse} {_message(result)}")) | {
        "duration": round(1000 * result.seconds),
        "suite": [str(result.profile), requirement.group],
        "tags": [str(result.level)],
        "flaky": False,  # in CTRF a flaky test is one that passed in the end
        "extra": {"statement": visible(result.statement), "exchanges": list(result.exchanges)},
    }
    if result.outcome is Outcome.FAILED:
        lines = [line for f in result.findings for line in (f"expected: {f.expected}", f"got: {f.got}", *f.apps)]
        test["trace"] = visible("\n".join(clip(line, TEXT_CHARS) for line in [*lines, f"remedy: {requirement.remedy}"]))
    return test


def _named(name: str, status: str, raw: str, message: str) -> Json:
    test = {"name": name, "status": status, "rawStatus": raw, "duration": 0}
    return test | ({"message": message} if message else {})


def _status(result: Result) -> str:
    if result.outcome is Outcome.PASSED:
        return "passed"
    return "failed" if is_red(result) else "skipped"


def _message(result: Result) -> str:
    text = failure_sentence(result) or " ".join(filter(None, [result.reason, result.next_step]))
    return f"{text} [{result.statement}]" if text else ""
