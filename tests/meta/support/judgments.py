"""The judgments of the core profile, and their outcomes on evidence that a test writes."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView

    Row = dict[str, Any]


PURGE = Place(Step.PURGE)
ROOM = "purge_conformance.conformance"
FILES = (
    "afterwards",
    "authentication",
    "bypass",
    "concurrent_authorization",
    "errors",
    "get",
    "leaks",
    "list_filters",
    "list_pages",
    "list_queries",
    "parallel",
    "purge",
    "race",
    "refused",
    "requests",
    "seed",
)


def judgments() -> dict[str, Callable[[JudgmentView], None]]:
    """Return the judgments of the core profile by the requirement that they assert."""
    modules = [importlib.import_module(f"{ROOM}.test_{name}") for name in FILES]
    functions = [f for module in modules for _, f in inspect.getmembers(module, inspect.isfunction)]
    return {mark.args[0]: f for f in functions for mark in getattr(f, "pytestmark", [])}


JUDGMENTS = judgments()


def outcome_of(builder: EvidenceBuilder, name: str) -> str:
    """Return the outcome of a judgment on this evidence."""
    try:
        JUDGMENTS[name](builder.judgment_view)
    except RequirementViolated:
        return "failed"
    except Inconclusive:
        return "inconclusive"
    except NotExercised:
        return "not exercised"
    return "passed"


def add_purge(
    builder: EvidenceBuilder, after: list[Row], *, before: list[Row] | None = None, late: list[Row] | None = None
) -> None:
    """Add a purge of a foundation with a started app `a`, whose process is `p`, and a stopped one, `b`.

    Args:
        builder: the evidence.
        after: events after the purge.
        before: events before the purge; by default `old`, of the app `a`.
        late: further apps, which exist only after the purge.
    """
    apps, processes = (
        [builder.app("a"), builder.app("b", "STOPPED")],
        [builder.process("p", "a"), builder.process("b", "b")],
    )
    events = [builder.event("old", "a")] if before is None else before
    builder.add_snapshot(Scenario.PURGE, PURGE.at(Phase.BEFORE), events, apps, processes)
    builder.add_purge(Scenario.PURGE, sent_at=1_782_907_200.0)
    builder.add_snapshot(Scenario.PURGE, PURGE.at(Phase.AFTER), after, [*apps, *(late or [])], processes)
