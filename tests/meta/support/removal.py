"""Evidence from which something was removed, as if it had never been recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.view import JudgmentView
from purge_conformance.engine import prerequisites
from purge_conformance.engine.verdicts import RunBuilder

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Evidence, Span
    from purge_conformance.evidence.steps import Scenario
    from purge_conformance.report.model import Result


def judge(requirement: Requirement, evidence: Evidence) -> tuple[Result, JudgmentView]:
    """Return the result of a requirement on this evidence, and what its judgment counted."""
    view = JudgmentView(evidence)
    error = prerequisites.judge(requirement.id, view)
    return RunBuilder(evidence, {requirement.id: requirement}).record(requirement.id, error, view, 0.0), view


def without_exchanges(evidence: Evidence, numbers: Collection[int]) -> Evidence:
    """Return the evidence without these exchanges; the lists that they belong to did not end."""
    removed = set(numbers)
    keys = {x.key for x in evidence.exchanges if x.n in removed}
    return replace(
        evidence,
        exchanges=tuple(x for x in evidence.exchanges if x.n not in removed),
        list_ends=tuple(e for e in evidence.list_ends if (e.scenario, e.round, e.place) not in keys),
        all_spans=tuple(_without(span, removed) for span in evidence.all_spans if set(span.requests) - removed),
    )


def without_scenario(evidence: Evidence, scenario: Scenario) -> Evidence:
    """Return the evidence without all that a scenario recorded."""
    return replace(
        evidence,
        exchanges=tuple(x for x in evidence.exchanges if x.scenario is not scenario),
        notes=tuple(note for note in evidence.notes if note.scenario is not scenario),
        list_ends=tuple(end for end in evidence.list_ends if end.scenario is not scenario),
        all_spans=tuple(span for span in evidence.all_spans if span.scenario is not scenario),
    )


def _without(span: Span, removed: set[int]) -> Span:
    before, requests, after = (
        tuple(n for n in numbers if n not in removed) for numbers in (span.before, span.requests, span.after)
    )
    return replace(span, before=before, requests=requests, after=after)
