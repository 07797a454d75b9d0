"""Requirements, judgments and contract agree: nothing is judged that is not required, and nothing forgotten."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from meta.support.paths import CONFORMANCE
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Fault, Level, Requirement

REQUIREMENTS = {requirement.id: requirement for requirement in catalogue.requirements()}
OPERATIONS = {
    operation["operationId"]: operation
    for item in catalogue.document(catalogue.OPENAPI)["paths"].values()
    for method, operation in item.items()
    if method in {"get", "post"}
}


# MUSTs that no fault can break alone, and why.
NEVER_ALONE = {
    "UP-ERROR-01": "ERROR-10 says the same of the same answers, as a SHOULD, for those who do not ask for upstream",
    "UP-PAGE-02": "page 0 is invalid in every reading, so LIST-13 refuses it too; page 1 is asked for by every walk",
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


@pytest.mark.parametrize("requirement", REQUIREMENTS.values(), ids=lambda r: r.id)
def test_requirement_is_judged_once(requirement: Requirement) -> None:
    """Every requirement has exactly one judgment, or none and the reason why."""
    judgments = [function.name for name, function in JUDGMENTS if name == requirement.id]
    assert len(judgments) == (0 if requirement.not_judged else 1), judgments


@pytest.mark.parametrize("function", TESTS, ids=lambda f: f.name)
def test_judgment_names_one_requirement(function: ast.FunctionDef) -> None:
    """Every test of the room is marked with exactly one requirement, which exists."""
    (name,) = _marked(function)
    assert name in REQUIREMENTS


@pytest.mark.parametrize("requirement", REQUIREMENTS.values(), ids=lambda r: r.id)
def test_requirement_is_complete(requirement: Requirement) -> None:
    """Every requirement has an id AREA-NN, a statement that is a sentence, its source's words, and a remedy."""
    assert re.fullmatch(r"[A-Z]+(-[A-Z]+)*-\d\d", requirement.id)
    for sentence in (requirement.statement, requirement.shown_by, requirement.remedy):
        assert re.fullmatch(r"[A-Z`].*\.", sentence), sentence
    assert all((requirement.quote, requirement.source, requirement.group))
    assert requirement.operation in {*OPERATIONS, "any"}
    assert not (requirement.conditional and requirement.not_judged)


def test_ids_are_unique() -> None:
    """No id stands twice, in the file as it is written."""
    ids = re.findall(r"^  - id: (\S+)$", catalogue.read_text("requirements.yaml"), re.MULTILINE)
    assert [name for name, times in Counter(ids).items() if times > 1] == []
    assert ids == list(REQUIREMENTS)


def test_upstream_ids_have_prefix() -> None:
    """An id tells the profile: those of upstream, and only those, begin with UP-."""
    assert [r.id for r in REQUIREMENTS.values() if r.id.startswith("UP-") != (r.profile == "upstream")] == []


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
    """Every MUST that is judged catches a fault that no other requirement catches, or it is told why none can."""
    alone = {fault.requirements[0] for fault in catalogue.faults() if len(fault.requirements) == 1}
    musts = {name for name, r in REQUIREMENTS.items() if r.level is Level.MUST and not r.not_judged}
    assert musts - alone == set(NEVER_ALONE)


def test_judgments_import_no_client() -> None:
    """No judgment imports the reference server, the client or an experiment: it sends nothing."""
    forbidden = re.compile(r"purge_conformance\.(reference|client|experiments|embedded|collect)")
    found = [path.name for path in CONFORMANCE.glob("*.py") if forbidden.search(path.read_text(encoding="utf-8"))]
    assert found == []
