"""gl-code-quality-report.json: the failures as GitLab's code quality report, which a merge request shows.

GitLab compares it with that of the target branch by fingerprint, so that a fingerprint is that of the requirement.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report import html
from purge_conformance.report.fingerprint import fingerprint_of_requirement
from purge_conformance.report.gate_text import excuse_of
from purge_conformance.report.text import failed_results, failure_sentence

if TYPE_CHECKING:
    from purge_conformance.report.model import Result, Run

FILE_NAME = "gl-code-quality-report.json"
SEVERITIES = {Level.MUST: "critical", Level.SHOULD: "minor", Level.MAY: "info"}
EXCUSED = "info"


def render(run: Run) -> str:
    """Return the failed requirements, one issue each, as JSON in ASCII."""
    return json.dumps([_issue(result, excuse_of(run, result.id)) for result in failed_results(run)], indent=2) + "\n"


def _issue(result: Result, excuse: str) -> dict[str, Any]:
    """Return the issue of a failed requirement; one that is excused by a known failure is for information."""
    text = f"{result.id} ({result.level}): {excuse} {result.statement} {failure_sentence(result)}"
    return {
        "description": one_line(text),
        "check_name": result.id,
        "fingerprint": fingerprint_of_requirement(result),
        "severity": EXCUSED if excuse else SEVERITIES[result.level],
        "location": {"path": html.FILE_NAME, "lines": {"begin": 1}},  # a failure is in no file of the repository
    }
