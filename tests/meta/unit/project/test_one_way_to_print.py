"""Commands print in one way, which makes whatever a line quotes safe."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from meta.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "src" / "purge_conformance"
SEAMS = {  # they print text that is safe already, or the suite's own, or speak with another process
    "cli/output.py",
    "engine/signals.py",
    "engine/streams.py",
    "scenarios/generated/child.py",
}
PRINTING = {
    "echo",
    "secho",
    "style",
    "prompt",
    "confirm",
    "print",
    "print_json",
    "print_exception",
    "write_line",
    "line",
}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}


def printing_calls(path: Path) -> Iterator[int]:
    """Yield the number of each line that calls a function of click, rich or Python that prints."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        owner = called.value if isinstance(called, ast.Attribute) else None
        is_method = isinstance(called, ast.Attribute) and called.attr in PRINTING
        writes = isinstance(owner, ast.Attribute) and owner.attr in STREAMS and getattr(called, "attr", "") == "write"
        if is_method or writes or (isinstance(called, ast.Name) and called.id in {"print", "echo", "secho"}):
            yield node.lineno


@pytest.mark.parametrize("room", ["cli", "engine", "report", "selfcheck", "target", "client", "scenarios", "analysis"])
def test_nothing_else_prints(room: str) -> None:
    """No module prints by itself, but the one of the command's output."""
    files = [path for path in (PACKAGE / room).rglob("*.py") if path.relative_to(PACKAGE).as_posix() not in SEAMS]
    found = [f"{path.relative_to(PACKAGE)}:{line}" for path in files for line in printing_calls(path)]
    assert files
    assert found == []


def test_rule_finds_prints(tmp_path: Path) -> None:
    """The rule finds each way to print."""
    lines = ("click.echo(1)", "print(1)", "console.print(1)", "sys.stdout.write(1)", "click.prompt(1)", "x.line(1)")
    (tmp_path / "module.py").write_text("\n".join(lines), encoding="utf-8")
    assert list(printing_calls(tmp_path / "module.py")) == [1, 2, 3, 4, 5, 6]
