"""Judgments that the engine runs by itself, to learn whether a requirement that another one rests on is violated."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from purge_conformance.analysis.outcomes import RequirementViolated, Undecided

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.analysis.view import JudgmentView

# The engine imports the judgments by name: they are all modules of `tests/conformance`, which is this package only in
# an installation, and most runs need none of them here. import-linter sees only import statements, so it knows nothing
# of this dependency; the judgments must import nothing from the engine.
PACKAGE = "purge_conformance.conformance"
MARKER = "requirement"


def judge(requirement_id: str, view: JudgmentView) -> BaseException | None:
    """Return how the suite's judgment of this requirement ends, before anything that could excuse it; None: it passes.

    It passes too if the suite has no judgment of it. `view` then has what it read and counted.
    """
    judgment = _judgments().get(requirement_id)
    if judgment is None:
        return None
    try:
        judgment(view)
    except Exception as error:  # noqa: BLE001 -- a crash, too, is an end that the caller must know
        return error
    return None


def has_crashed(end: BaseException | None) -> bool:
    """Whether a judgment ended by a defect of the suite, so that it is unknown whether the requirement holds."""
    return not isinstance(end, RequirementViolated | Undecided | None)


@cache
def _judgments() -> dict[str, Callable[[JudgmentView], None]]:
    """Return requirement id -> judgment."""
    modules = (import_module(f"{PACKAGE}.{each.name}") for each in iter_modules(import_module(PACKAGE).__path__))
    functions = [value for module in modules for value in vars(module).values()]
    marks = [(mark, function) for function in functions for mark in getattr(function, "pytestmark", ())]
    return {mark.args[0]: function for mark, function in marks if mark.name == MARKER}
