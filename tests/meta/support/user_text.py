"""Extracts the texts that users read from the files of the repository, each with the file and the line."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from meta.support.paths import CONFORMANCE, ROOT, SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "src" / "purge_conformance"
RESPONSE_BODIES = {PACKAGE / "reference" / name for name in ("api", "store", "faults", "variants")}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
QUOTES = {"quote", "allowed_by", "words"}  # keys of spec/ whose values repeat the documentation
GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
MARKUP = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and where it begins."""

    path: Path
    line: int
    words: str

    @property
    def place(self) -> str:
        """File and line, as editors open them."""
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line}"


def code_texts() -> Iterator[Text]:
    """Yield the sentences in the code of src/: strings that contain a space and are no docstrings."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not RESPONSE_BODIES.intersection(path.parents):
            yield from _sentences(path, ast.parse(path.read_text(encoding="utf-8")))


def help_texts() -> Iterator[Text]:
    """Yield the docstrings of the commands, which `--help` prints."""
    for path in sorted((PACKAGE / "cli").glob("*.py")):
        yield from (text for text, node in _function_docstrings(path) if _is_command(node))


def docstrings() -> Iterator[Text]:
    """Yield the docstrings of src/."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds) and (docstring := ast.get_docstring(node)):
                yield Text(path, node.body[0].lineno, docstring)


def claims() -> Iterator[Text]:
    """Yield the docstrings of the judgments, which a failure prints."""
    for path in sorted(CONFORMANCE.glob("test_*.py")):
        yield from (text for text, _ in _function_docstrings(path))


def judgment_texts() -> Iterator[Text]:
    """Yield the sentences in the code of the judgments."""
    for path in sorted(CONFORMANCE.glob("*.py")):
        yield from _sentences(path, ast.parse(path.read_text(encoding="utf-8")))


def page_texts() -> Iterator[Text]:
    """Yield the lines of the documentation, except the output of commands in README.md."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").rglob("*.md"), *SPEC.glob("*.md")]
    pages.append(ROOT / "reports" / "README.md")
    forms = (ROOT / ".github").rglob("*.yml")
    for path in sorted([*pages, *forms]):
        text = GENERATED.sub(lambda found: "\n" * found[0].count("\n"), path.read_text(encoding="utf-8"))
        yield from _paragraphs(path, text)


def spec_texts() -> Iterator[Text]:
    """Yield the texts of spec/, except the words that repeat the documentation."""
    for path in sorted(SPEC.glob("*.yaml")):
        yield from _yaml_texts(path, yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER))
    for path in sorted(SPEC.glob("*.json")):
        yield from (Text(path, 1, words) for words in _descriptions(json.loads(path.read_text(encoding="utf-8"))))


def report_texts() -> Iterator[Text]:
    """Yield the paragraphs of the template of report.html, without markup."""
    for path in sorted((PACKAGE / "report").glob("*.html.j2")):
        text = path.read_text(encoding="utf-8")
        yield from _paragraphs(path, MARKUP.sub(lambda found: " " + "\n" * found[0].count("\n"), text))


def _sentences(path: Path, tree: ast.AST) -> Iterator[Text]:
    """Yield each string with a space; the parts of an f-string form one text, with {} for a value."""
    skipped: set[ast.AST] = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
        words = _words(node)
        if " " in words.strip() and node not in skipped:
            assert isinstance(node, ast.expr)
            yield Text(path, node.lineno, words)


def _words(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) or "{}" for part in node.values)
    return ""


def _function_docstrings(path: Path) -> Iterator[tuple[Text, ast.FunctionDef]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and (docstring := ast.get_docstring(node)):
            yield Text(path, node.lineno, docstring), node


def _is_command(node: ast.FunctionDef) -> bool:
    names = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(re.match(r"\w+\.(command|group)\b", name) for name in names)


def _paragraphs(path: Path, text: str) -> Iterator[Text]:
    line = 1
    for paragraph in text.split("\n\n"):
        yield Text(path, line + len(paragraph) - len(paragraph.lstrip("\n")), paragraph)
        line += paragraph.count("\n") + 2


def _yaml_texts(path: Path, node: yaml.Node | None) -> Iterator[Text]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value not in QUOTES:
                yield from _yaml_texts(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _yaml_texts(path, value)
    elif isinstance(node, yaml.ScalarNode):
        yield Text(path, node.start_mark.line + 1, node.value)


def _descriptions(schema: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON of any shape
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"description", "title"} and isinstance(value, str):
                yield value
            else:
                yield from _descriptions(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _descriptions(value)
