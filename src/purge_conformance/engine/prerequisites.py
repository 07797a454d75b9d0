"""Judgments that the engine runs by itself, to learn whether a requirement that another one rests on is violated."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.analysis.view import JudgmentView

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.evidence.records import Evidence

PACKAGE = "purge_conformance.conformance"
MARKER = "requirement"


def is_violated(requirement_id: str, evidence: Evidence) -> bool:
    """Whether the suite's judgment of this requirement fails, before anything that could excuse it."""
    judgment = _judgments().get(requirement_id)
    if judgment is None:
        return False
    try:
        judgment(JudgmentView(evidence))
    except RequirementViolated:
        return True
    except Exception:  # noqa: BLE001 -- it could not be judged, or it crashed: it is no violation, and is not reported here
        return False
    return False


@cache
def _judgments() -> dict[str, Callable[[JudgmentView], None]]:
    """Return requirement id -> judgment."""
    modules = (import_module(f"{PACKAGE}.{each.name}") for each in iter_modules(import_module(PACKAGE).__path__))
    functions = [value for module in modules for value in vars(module).values()]
    marks = [(mark, function) for function in functions for mark in getattr(function, "pytestmark", ())]
    return {mark.args[0]: function for mark, function in marks if mark.name == MARKER}
