"""The flags of the plugin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.config.options import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_every_option_is_a_flag(run_pytest: Callable[..., pytest.RunResult]) -> None:
    """Plain pytest has a flag for each option of the table, and for each flag of `run` that way."""
    shown = run_pytest("--help").stdout.str()
    assert [key.name for key in KEYS if not re.search(rf"^  {key.pytest_option}\b", shown, re.MULTILINE)] == []
