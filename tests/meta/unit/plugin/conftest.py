"""Plain pytest with the plugin, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.paths import CONFORMANCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The function that runs pytest on some judgments, with a token in the environment."""
    monkeypatch.setenv("T", "opaque")
    options = ("-c", str(CONFORMANCE / "pytest.ini"), f"--rootdir={CONFORMANCE}", str(CONFORMANCE / "test_get.py"))

    def run(*arguments: str | Path) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*options, *map(str, arguments))

    return run
