"""Every reason why the code leaves a requirement undecided, with its cause and its next step, read from the code."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from meta.support.paths import CONFORMANCE, ROOT
from purge_conformance.analysis.next_steps import NO_INTERRUPT, RAISE_BUDGET, split_advice
from purge_conformance.engine.next_steps import after_fixing, default_next_step
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = ROOT / "src"
INCONCLUSIVE, NOT_EXERCISED, PREREQUISITE = "Inconclusive", "NotExercised", "PrerequisiteFailed"
IF_NONE = "if_none"  # the argument that is the reason if nothing was sent
DEFAULT_CAUSES = {INCONCLUSIVE: None, NOT_EXERCISED: Cause.TARGET, PREREQUISITE: Cause.TARGET}
FORWARDED = {IF_NONE, "reason", "error.reason"}  # the reason of a caller, which is a site of its own
# Function with a reason as its second argument -> the cause and the next step that it adds.
WITH_REASON = {
    "no_suitable_app": (Cause.CONFIGURATION, "{get_apps(view)}"),
    "no_event": (Cause.CONFIGURATION, "{get_apps(view)}"),
    "explain_missing_token": (Cause.CONFIGURATION, "{give_token(*roles)}"),
}
# Error whose text a run records as the reason -> the cause, and the next step of a text that ends without advice.
RECORDED = {
    "ArchiveFailed": (Cause.CONFIGURATION, RAISE_BUDGET),
    "BudgetExhausted": (Cause.CONFIGURATION, RAISE_BUDGET),
    "PurgeBlocked": (Cause.CONFIGURATION, RAISE_BUDGET),
    "RequestBlocked": (Cause.CONFIGURATION, RAISE_BUDGET),
    "UnusableGuid": (Cause.CONFIGURATION, RAISE_BUDGET),
    "Interrupted": (Cause.CONFIGURATION, NO_INTERRUPT),
    "TokenExpired": (Cause.AUTHENTICATION, ""),
    "TargetUnusable": (Cause.AUTHENTICATION, ""),
    "TargetUnreachable": (Cause.NETWORK, ""),
    "DropletUnavailable": (Cause.CONFIGURATION, "{get_apps(view)}"),
    "HookFailed": (Cause.CONFIGURATION, "{get_apps(view)}"),
    "StateUnsupported": (Cause.CONFIGURATION, "{get_apps(view)}"),
}
OTHER_COMMANDS = {"cleanup.py", "write.py"}  # what these raise ends a command that judges nothing


class Reason(NamedTuple):
    """A reason as a template, its cause, and its next step; code in place of a text stands in braces."""

    reason: str
    cause: str
    next_step: str


def find_reasons() -> Iterator[Reason]:
    """Yield each reason in the code.

    These are the ones of `Inconclusive`, `NotExercised`, `PrerequisiteFailed` and `if_none`, those that go through a
    function of `WITH_REASON`, and the texts of the errors of `RECORDED`.
    """
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _reasons_of(node, path)


def find_forwarding_functions() -> Iterator[str]:
    """Yield the name of each function of the judgments with a parameter `reason`."""
    for path in _modules():
        if path.is_relative_to(CONFORMANCE) or path.parent.name == "analysis":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and "reason" in [argument.arg for argument in node.args.args]:
                    yield node.name


def _modules() -> list[Path]:
    return sorted([*SOURCE.rglob("*.py"), *CONFORMANCE.glob("*.py")])


def _reasons_of(call: ast.Call, path: Path) -> Iterator[Reason]:
    name = getattr(call.func, "id", "")
    for keyword in call.keywords:
        is_text = keyword.arg == IF_NONE and isinstance(keyword.value, ast.Constant | ast.JoinedStr)
        if is_text and (text := _text(keyword.value, path)):
            yield Reason(text, "as the evidence shows", default_next_step(Outcome.NOT_EXERCISED, Cause.TARGET))
    if name in RECORDED and call.args and path.name not in OTHER_COMMANDS:
        cause, next_step = RECORDED[name]
        reason, advice = split_advice(_text(call.args[0], path))
        yield Reason(reason, cause, advice or next_step or default_next_step(Outcome.INCONCLUSIVE, cause))
    if name in WITH_REASON and call.args[1:] and ast.unparse(call.args[1]) not in FORWARDED:
        yield Reason(_text(call.args[1], path), *WITH_REASON[name])
    if name in DEFAULT_CAUSES and call.args and ast.unparse(call.args[0]) not in FORWARDED:
        yield _reason_of_outcome(name, call.args, path)


def _reason_of_outcome(name: str, arguments: list[ast.expr], path: Path) -> Reason:
    reason, *rest = arguments
    if name == PREREQUISITE:
        return Reason(_text(reason, path), Cause.TARGET, after_fixing(["ID"]))
    cause = _text(rest[0], path) if rest else str(DEFAULT_CAUSES[name])
    return Reason(_text(reason, path), cause, _text(rest[1], path) if rest[1:] else _default(name, cause))


def _default(name: str, cause: str) -> str:
    outcome = Outcome.NOT_EXERCISED if name == NOT_EXERCISED else Outcome.INCONCLUSIVE
    return default_next_step(outcome, Cause(cause)) if cause in {*Cause} else "the default of the cause"


def _text(node: ast.expr, path: Path) -> str:
    """Return the text of an expression: a constant of its module by its value, anything else as code in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else f"{{{_code(v)}}}" for v in node.values)
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Cause":
        return str(Cause[node.attr])
    if isinstance(node, ast.Name) and node.id.isupper():
        return str(getattr(import_module(_module(path)), node.id))
    return f"{{{ast.unparse(node)}}}"


def _code(node: ast.expr) -> str:
    return ast.unparse(node.value) if isinstance(node, ast.FormattedValue) else ast.unparse(node)


def _module(path: Path) -> str:
    if path.is_relative_to(CONFORMANCE):
        return f"purge_conformance.conformance.{path.stem}"
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)
