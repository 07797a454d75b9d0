"""The Python program that a script contains: only the parts that its looks need."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import TYPE_CHECKING

from purge_conformance.analysis.script import answers, effects, lists, look
from purge_conformance.analysis.script.plan import Look

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

MODULES = {
    Look.PURGED: (effects,),
    Look.KEPT: (effects, answers),
    Look.FAILED: (effects, answers),
    Look.RECORDED: (effects,),
    Look.SAME: (answers,),
    Look.LISTED: (answers, lists),
}
CALL = """\
result = globals()[sys.argv[1]](*sys.argv[2:])
if isinstance(result, int):
    sys.exit(result)
if result:
    print(result if isinstance(result, str) else "\\n".join(result))"""


@cache
def program(looks: tuple[Look, ...]) -> str:
    """Return the text of the program; its first argument is the name of a function, the others are that function's."""
    modules = dict.fromkeys([look, *(module for each in looks for module in MODULES[each])])
    nodes = [node for module in modules for node in _own_nodes(module)]
    imports = sorted({ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)})
    rest = [ast.unparse(node) for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(["from __future__ import annotations", *imports, "import sys", *rest, CALL])


def _own_nodes(module: ModuleType) -> Iterable[ast.stmt]:
    """Return the statements of a module but its docstring and what it imports from this package."""
    for node in ast.parse(inspect.getsource(module)).body:
        is_own = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {
            "purge_conformance",
            "__future__",
        }
        if not is_own and not isinstance(node, ast.Expr):
            yield node
