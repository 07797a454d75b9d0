"""Every reason why the code leaves a requirement undecided, with its cause and its next step, read from the code."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from meta.support.paths import CONFORMANCE, ROOT
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


class Reason(NamedTuple):
    """A reason as a template, its cause, and its next step; code in place of a text stands in braces."""

    reason: str
    cause: str
    next_step: str


def find_reasons() -> Iterator[Reason]:
    """Yield the reason of each `Inconclusive`, `NotExercised`, `PrerequisiteFailed` and `if_none` in the code."""
    paths = [*SOURCE.rglob("*.py"), *CONFORMANCE.glob("*.py")]
    for path in sorted(paths):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _reasons_of(node, path)


def _reasons_of(call: ast.Call, path: Path) -> Iterator[Reason]:
    name = getattr(call.func, "id", "")
    for keyword in call.keywords:
        is_text = keyword.arg == IF_NONE and isinstance(keyword.value, ast.Constant | ast.JoinedStr)
        if is_text and (text := _text(keyword.value, path)):
            yield Reason(text, "as the evidence shows", default_next_step(Outcome.NOT_EXERCISED, Cause.TARGET))
    if name not in DEFAULT_CAUSES or not call.args or ast.unparse(call.args[0]) in FORWARDED:
        return
    reason, *rest = call.args
    if name == PREREQUISITE:
        yield Reason(_text(reason, path), Cause.TARGET, after_fixing(["ID"]))
        return
    cause = _text(rest[0], path) if rest else str(DEFAULT_CAUSES[name])
    yield Reason(_text(reason, path), cause, _text(rest[1], path) if rest[1:] else _default(name, cause))


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
