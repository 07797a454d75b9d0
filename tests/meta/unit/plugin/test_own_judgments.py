"""Judgments of a user, as the documentation shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meta.support.paths import ROOT
from purge_conformance.engine import rehearsal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = ROOT / "docs" / "pytest-and-python.md"
# Loaded a second time in this process, the plugin of Hypothesis would warn in later tests.
NO_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:schemathesis")
OTHER_TEST = "def test_other():\n    raise AssertionError\n"


def documented_judgment() -> str:
    """Return the first block of Python on the page."""
    found = re.search(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_documented_judgment_works(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The judgment of the page is judged in place of the suite's own; other tests are counted as deselected."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    rehearsal.write_small_run(folder)
    pytester.makepyfile(test_mine=documented_judgment(), test_other=OTHER_TEST)
    options = (*NO_PLUGINS, f"--evidence={folder}", "--conformance-out=again")
    done = pytester.runpytest_inprocess(*options)
    lines = done.stdout.str()
    assert re.search(r"^1 requirement: 1 (passed|inconclusive)$", lines, re.MULTILINE), lines
    assert re.search(r"\b1 deselected", lines)
    assert (pytester.path / "again" / "report.json").exists()
