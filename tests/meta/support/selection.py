"""What a run of a selection would have recorded, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

from purge_conformance import catalogue
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.model import Profile
from purge_conformance.engine import verdicts
from purge_conformance.engine.prerequisites import judge
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.scenarios.definitions import SCENARIOS, needed_scenarios

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.evidence.steps import Scenario
    from purge_conformance.report.model import Result

REQUIREMENTS = {each.id: each for each in catalogue.requirements()}
EVERY = [name for name, each in REQUIREMENTS.items() if not each.not_judged]
BASE = {each.name for each in SCENARIOS if each.is_base}


def judge_all(evidence: Evidence, names: Iterable[str]) -> dict[str, Result]:
    """Return the results of these judgments on a copy of the evidence without cached queries.

    No purge counts as another client's: those of the scenarios that are left out would.
    """
    builder = RunBuilder(replace(evidence), REQUIREMENTS)
    with patch.object(verdicts, "find_foreign_purge", return_value=None):
        for name in names:
            view = JudgmentView(builder.evidence)
            builder.record(name, judge(name, view), view, 0.0)
    return builder.results


def only(evidence: Evidence, scenarios: Collection[Scenario]) -> Evidence:
    """Return what these scenarios recorded."""
    return replace(
        evidence,
        exchanges=tuple(x for x in evidence.exchanges if x.scenario in scenarios),
        notes=tuple(note for note in evidence.notes if note.scenario in scenarios),
        list_ends=tuple(end for end in evidence.list_ends if end.scenario in scenarios),
        all_spans=tuple(span for span in evidence.all_spans if span.scenario in scenarios),
    )


def differences(evidence: Evidence) -> dict[str, tuple[object, object]]:
    """Return the requirements whose outcome differs if their own scenarios are all that was recorded."""
    whole = judge_all(evidence, EVERY)
    groups: dict[frozenset[Scenario], list[str]] = {}
    for name in EVERY:
        groups.setdefault(needed_scenarios((Profile.UPSTREAM,), (name,)), []).append(name)
    parts = {
        name: result
        for needed, names in groups.items()
        for name, result in judge_all(only(evidence, needed | BASE), names).items()
    }
    outcomes = {
        name: ((each.outcome, each.cause), (parts[name].outcome, parts[name].cause)) for name, each in whole.items()
    }
    return {name: pair for name, pair in outcomes.items() if pair[0] != pair[1]}
