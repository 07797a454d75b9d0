"""The repository keeps its structure: small files and functions, few loose modules, one reader of `spec/`."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "src" / "purge_conformance"
CODE = sorted(path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py"))
LINES_PER_FILE = 350
LINES_PER_FUNCTION = 50
LOOSE_MODULES = 5
LINES_OF_README = 150
REQUIREMENT_ID = re.compile(r"\b(UP-)?[A-Z]{3,}-\d\d\b")
SPEC_READERS = re.compile(r"""(files|import_module|open_text|read_text)\(\s*["']purge_conformance\.spec""")


@cache
def tree(path: Path) -> ast.Module:
    """Return a parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, line: int = 1) -> str:
    """Return file and line, as editors open them."""
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function below src/ and tests/ with its file."""
    for path in CODE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def string_constants(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and value of the strings of a file that are no docstrings."""
    docstrings = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.lineno, node.value


def test_files_are_short() -> None:
    """No Python file has more than 350 lines."""
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_PER_FILE} == {}


def test_functions_are_short() -> None:
    """No function has more than 50 lines, docstring included; the decorators of a command declare its options."""
    lengths = {place(path, node.lineno): 1 + (node.end_lineno or 0) - node.lineno for path, node in functions()}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_PER_FUNCTION} == {}


def test_functions_have_names() -> None:
    """No function is called `_`: a traceback and a profile show what each does."""
    assert [place(path, node.lineno) for path, node in functions() if node.name == "_"] == []


def test_few_modules_are_loose() -> None:
    """At most 5 modules are in no room."""
    loose = [path.name for path in PACKAGE.glob("*.py") if path.name not in {"__init__.py", "__main__.py"}]
    assert len(loose) <= LOOSE_MODULES, loose


@pytest.mark.parametrize("folder", ["src", "tests/conformance", "tests/meta"])
def test_packages_have_docstrings(folder: str) -> None:
    """Every package says what it is for."""
    packages = sorted((ROOT / folder).rglob("__init__.py"))
    assert packages
    assert [place(path) for path in packages if not ast.get_docstring(tree(path))] == []


def test_only_the_catalogue_reads_spec() -> None:
    """Only `catalogue` opens the files of `spec/`."""
    readers = {path for path in PACKAGE.rglob("*.py") if SPEC_READERS.search(path.read_text(encoding="utf-8"))}
    assert readers
    assert {path.relative_to(PACKAGE).parts[0] for path in readers} == {"catalogue"}


def test_readme_is_short() -> None:
    """README.md has at most 150 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LINES_OF_README


def test_no_requirement_ids_in_code() -> None:
    """No string in src/ holds the id of a requirement: only `spec/requirements.yaml` knows requirements."""
    found = [
        f"{place(path, line)}: {text!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in string_constants(path)
        if REQUIREMENT_ID.search(text)
    ]
    assert found == []
