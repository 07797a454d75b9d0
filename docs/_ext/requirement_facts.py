"""What `spec/` and `tests/conformance/` say of each requirement, gathered for its page.

Everything is read from the checkout, as data. Fields that a requirement may lack are read with a default.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
JUDGMENTS = ROOT / "tests" / "conformance"
MARKER = "requirement"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judgment:
    """The test that judges a requirement.

    Attributes:
        file: below the root of the checkout.
        test: name of the function.
        claim: first line of its docstring.
    """

    file: str
    test: str
    claim: str


@cache
def document(name: str) -> Row:
    """Return a YAML file of `spec/`, parsed."""
    with (SPEC / name).open(encoding="utf-8") as file:
        data: Row = yaml.safe_load(file)
    return data


def requirements() -> list[Row]:
    """Return the requirements in the order of the file."""
    rows: list[Row] = document("requirements.yaml")["requirements"]
    return rows


def source_of(requirement: Row) -> tuple[str, str | None]:
    """Return the title of a requirement's source and, if it has a public page, its URL."""
    source = document("requirements.yaml")["sources"][requirement["source"]]
    return (source["title"], source.get("url")) if isinstance(source, dict) else (source, None)


def faults_of(name: str) -> list[Row]:
    """Return the faults of the reference server that break a requirement."""
    return [fault for fault in document("faults.yaml")["faults"] if name in fault["requirements"]]


def variants() -> list[Row]:
    """Return the legal variants of the reference server."""
    rows: list[Row] = document("variants.yaml")["variants"]
    return rows


def allowed_by_quote(requirement: Row) -> list[Row]:
    """Return the variants that the words of this requirement allow: they quote the same sentence."""
    quote = requirement["quote"].rstrip(".")
    return [row for row in variants() if quote in row["allowed_by"]]


def variants_naming(name: str, *fields: str) -> list[Row]:
    """Return the variants that name a requirement in one of these fields."""
    return [row for row in variants() if any(name in row.get(field, ()) for field in fields)]


def resting_on(name: str) -> list[str]:
    """Return the ids of the requirements that are inconclusive if this one fails."""
    return [row["id"] for row in requirements() if name in row.get("rests_on", ())]


@cache
def judgments() -> dict[str, Judgment]:
    """Return the id of a requirement -> the test that judges it, read from the source of the tests."""
    found: dict[str, Judgment] = {}
    for path in sorted(JUDGMENTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                claim = (ast.get_docstring(node) or "").partition("\n")[0]
                judgment = Judgment(path.relative_to(ROOT).as_posix(), node.name, claim)
                found |= dict.fromkeys(_marked(node), judgment)
    return found


def _marked(node: ast.FunctionDef) -> list[str]:
    """Return the ids in the markers of a test."""
    calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
    marks = [each for each in calls if isinstance(each.func, ast.Attribute) and each.func.attr == MARKER]
    return [str(arg.value) for mark in marks for arg in mark.args if isinstance(arg, ast.Constant)]
