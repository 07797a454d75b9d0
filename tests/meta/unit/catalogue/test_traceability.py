"""Requirements, judgments and contract agree: nothing is judged that is not required, and nothing forgotten."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import purge_conformance
from meta.support.paths import CONFORMANCE
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Fault, Level

REQUIREMENTS = {requirement.id: requirement for requirement in catalogue.requirements()}
ID = re.compile(rf"\b({'|'.join(map(re.escape, REQUIREMENTS))})\b")
SOURCE = Path(purge_conformance.__file__).parent
OPERATIONS = {
    operation["operationId"]: operation
    for item in catalogue.document(catalogue.OPENAPI)["paths"].values()
    for method, operation in item.items()
    if method in {"get", "post"}
}


def _marked(function: ast.FunctionDef) -> list[str]:
    """Return the ids that a test function is marked with."""
    calls = [mark for mark in function.decorator_list if isinstance(mark, ast.Call)]
    return [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "pytest.mark.requirement"]


TESTS = [
    node
    for path in sorted(CONFORMANCE.glob("test_*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
JUDGMENTS = [(name, function) for function in TESTS for name in _marked(function)]


def test_requirements_are_judged_once() -> None:
    """Every requirement has exactly one judgment, or none and the reason why."""
    counts = Counter(name for name, _ in JUDGMENTS)
    assert {name: counts[name] for name, r in REQUIREMENTS.items() if counts[name] != (0 if r.not_judged else 1)} == {}


@pytest.mark.parametrize("function", TESTS, ids=lambda f: f.name)
def test_judgment_names_one_requirement(function: ast.FunctionDef) -> None:
    """Every test of the room is marked with exactly one requirement, which exists."""
    (name,) = _marked(function)
    assert name in REQUIREMENTS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_names_requirements(operation: str) -> None:
    """Each operation of openapi.yaml names requirements that exist, each once, all of its own among them."""
    named = OPERATIONS[operation]["x-requirements"]
    assert [name for name, times in Counter(named).items() if times > 1 or name not in REQUIREMENTS] == []
    assert {name for name, r in REQUIREMENTS.items() if r.operation == operation} <= set(named)


def test_every_requirement_has_operation() -> None:
    """Together the operations of openapi.yaml name every requirement."""
    assert {name for operation in OPERATIONS.values() for name in operation["x-requirements"]} == set(REQUIREMENTS)


def test_every_source_is_used() -> None:
    """Every source that requirements.yaml lists is quoted."""
    data = catalogue.document("requirements.yaml")
    assert {row["source"] for row in data["requirements"]} == set(data["sources"])


@pytest.mark.parametrize("fault", catalogue.faults(), ids=lambda f: f.id)
def test_fault_names_judged_requirements(fault: Fault) -> None:
    """Every requirement that a fault breaks exists and is judged."""
    assert [name for name in fault.requirements if name not in REQUIREMENTS or REQUIREMENTS[name].not_judged] == []


def test_every_requirement_is_broken() -> None:
    """Every requirement that is judged is broken by a fault."""
    broken = {name for fault in catalogue.faults() for name in fault.requirements}
    assert {name for name, r in REQUIREMENTS.items() if not r.not_judged} - broken == set()


def test_every_must_kills_alone() -> None:
    """Every MUST that is judged catches a fault that no other requirement catches, or has `not_alone`."""
    alone = {fault.requirements[0] for fault in catalogue.faults() if len(fault.requirements) == 1}
    musts = {name for name, r in REQUIREMENTS.items() if r.level is Level.MUST and not r.not_judged}
    assert musts - alone == {name for name, r in REQUIREMENTS.items() if r.not_alone}


def test_judgments_import_no_client() -> None:
    """No judgment imports the reference server, the client or a scenario: it sends nothing."""
    forbidden = re.compile(r"purge_conformance\.(reference|client|engine|scenarios|target)")
    found = [path.name for path in CONFORMANCE.glob("*.py") if forbidden.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_ids_are_only_markers() -> None:
    """In the judgments and in what they use, ids of requirements are only in markers, not in text that users read."""
    folders = (CONFORMANCE, SOURCE / "analysis", SOURCE / "engine", SOURCE / "report")
    found = {f"{path.name}: {text}" for each in folders for path in each.rglob("*.py") for text in _ids_in(path)}
    assert found == set()


def _ids_in(path: Path) -> set[str]:
    """Return the texts of a module that name a requirement, except docstrings and markers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    marks = {id(arg) for node in nodes if isinstance(node, ast.Call) and _is_marker(node) for arg in node.args}
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in marks | docstrings]
    return {node.value for node in texts if isinstance(node.value, str) and ID.search(node.value)}


def _is_marker(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "pytest.mark.requirement"
