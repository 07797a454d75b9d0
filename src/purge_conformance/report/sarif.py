"""report.sarif: the failures in SARIF 2.1.0, which code scanning and IDEs read.

Each requirement is a rule, whose help says how it is judged and where the sentence stands; each failed requirement is a
result. What keeps the verdict open, and a broken promise, are notifications of the invocation: neither is a
result about the target.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence import jsonl
from purge_conformance.evidence.safe_text import one_line, visible
from purge_conformance.report.fingerprint import fingerprint_of_failure, fingerprint_of_requirement
from purge_conformance.report.gate_text import excuse_of
from purge_conformance.report.grouping import by_reason, compact_ids
from purge_conformance.report.headline import headline
from purge_conformance.report.junit import errors_of_run
from purge_conformance.report.markdown import escape
from purge_conformance.report.model import Outcome, Verdict, is_undecided
from purge_conformance.report.text import failure_sentence, results_not_judged

if TYPE_CHECKING:
    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.report.model import Result, Run

    Json = dict[str, Any]

FILE_NAME = "report.sarif"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}
MESSAGE_CHARS = 2_000


def render(run: Run) -> str:
    """Return the run as SARIF, in ASCII."""
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(run)]}, indent=2) + "\n"


def _run(run: Run) -> Json:
    index = {result.id: n for n, result in enumerate(run.requirements)}
    facts = {"verdict": str(run.verdict), "headline": one_line(headline(run)), "target": one_line(run.target)}
    driver = {
        "name": "purge-conformance",
        "version": run.suite_version,
        "properties": {"spec": run.spec_version},
        "rules": [_rule(result.requirement) for result in run.requirements],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"purge-conformance/{'+'.join(run.scope.profiles)}/"},
        "invocations": [_invocation(run)],
        "results": [
            _result(r, index[r.id]) | _suppression(excuse_of(run, r.id))
            for r in run.requirements
            if r.outcome is Outcome.FAILED
        ],
        "properties": facts,
    }


def _rule(requirement: Requirement) -> Json:
    source = requirement.source
    where = " ".join(filter(None, [source.title, source.url]))
    parts = (requirement.shown_by, f"If it fails: {requirement.remedy}", f"Source: {requirement.quote}", where)
    linked = f"[{escape(source.title)}]({source.url})" if source.url else escape(source.title)
    markdown = (
        f"{escape(requirement.shown_by)}\n\n**If it fails:** {escape(requirement.remedy)}\n\n"
        f"> {escape(requirement.quote)}\n\n{linked}"
    )
    return {
        "id": requirement.id,
        "shortDescription": {"text": visible(requirement.statement)},
        "fullDescription": {"text": visible(requirement.statement)},
        "help": {"text": visible("\n\n".join(parts)), "markdown": markdown},
        **({"helpUri": source.url} if source.url else {}),
        "defaultConfiguration": {"level": LEVELS[requirement.level]},
        "properties": {
            "tags": [str(requirement.profile), requirement.group],
            "level": str(requirement.level),
            "since": requirement.since,
        },
    }


def _result(result: Result, index: int) -> Json:
    """Return the result of a failed requirement. GitHub requires a place in a file: it is that of the evidence."""
    place = {"artifactLocation": {"uri": jsonl.FILE_NAME}, "region": {"startLine": 1}}
    operation = {"name": result.requirement.operation, "kind": "function"}
    return {
        "ruleId": result.id,
        "ruleIndex": index,
        "level": LEVELS[result.level],
        "kind": "fail",
        "message": {"text": one_line(f"{result.statement} {failure_sentence(result)}", MESSAGE_CHARS)},
        "locations": [{"physicalLocation": place, "logicalLocations": [operation]}],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{fingerprint_of_requirement(result)}:1",
            "requirement/v1": fingerprint_of_requirement(result),
            "failure/v1": fingerprint_of_failure(result),
        },
        "properties": {"exchanges": list(result.exchanges), "remedy": result.requirement.remedy},
    }


def _suppression(excuse: str) -> Json:
    """Return what marks a result that a known failure excuses."""
    mark = {"kind": "external", "status": "accepted", "justification": one_line(excuse)}
    return {"suppressions": [mark] if excuse else []}


def _invocation(run: Run) -> Json:
    open_ones = [r for r in results_not_judged(run) if is_undecided(r) and r.id not in run.excused]
    whole = [_message(text) for text in errors_of_run(run, run.requirements).values()]
    return {
        "executionSuccessful": run.verdict is not Verdict.INCONCLUSIVE,
        "exitCode": run.exit_code,
        "startTimeUtc": _utc(run.started_at),
        "endTimeUtc": _utc(run.finished_at),
        "toolExecutionNotifications": [*whole, *map(_notification, by_reason(open_ones))],
    }


def _notification(group: list[Result]) -> Json:
    first = group[0]
    text = f"Not judged: {compact_ids(group)}. {first.reason} {first.next_step}"
    return _message(text) | {"associatedRule": {"id": first.id}}


def _message(text: str) -> Json:
    return {"level": "error", "message": {"text": one_line(text, MESSAGE_CHARS)}}


def _utc(moment: str) -> str:
    return moment.replace("+00:00", "Z")
