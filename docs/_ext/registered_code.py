"""The directive `registered-code`: the source of a fault or a variant of the reference server, wherever it stands.

`{registered-code} fault purge-answers-202` shows the function that is decorated with `@fault("purge-answers-202")`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "src" / "purge_conformance" / "reference"


class RegisteredCode(SphinxDirective):
    """Show the function that is registered under an id; the arguments are the decorator and the id."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Return where the function stands, and its source."""
        path, text = registered(*self.arguments)
        place = f"# {path.relative_to(ROOT).as_posix()}\n"
        return [nodes.literal_block(text, place + text, language="python")]


def registered(decorator: str, name: str) -> tuple[Path, str]:
    """Return the file and the source of the function that is registered so.

    Raises:
        ValueError: there is none.
    """
    for path in sorted(REFERENCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in _functions(ast.parse(text)):
            if any(_is_call(each, decorator, name) for each in node.decorator_list):
                first = min(each.lineno for each in node.decorator_list)
                return path, "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise ValueError(f'No function below {REFERENCE} has the decorator @{decorator}("{name}").')


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef))


def _is_call(node: ast.expr, decorator: str, name: str) -> bool:
    """Whether a decorator is `@decorator("name")`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == decorator):
        return False
    return [arg.value for arg in node.args if isinstance(arg, ast.Constant)] == [name]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("registered-code", RegisteredCode)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
