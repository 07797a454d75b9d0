"""A run with few purges judges what a complete run judges, with fewer trials of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.api import is_purge
from purge_conformance.catalogue.model import Level
from purge_conformance.config.roles import ADMIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun

MUSTS = {each.id for each in catalogue.requirements() if each.level is Level.MUST}


@pytest.mark.parametrize("purges", [12, 20])
def test_every_must_is_judged(
    purges: int, command: Callable[..., CommandResult], full_run: FullRun, tmp_path: Path
) -> None:
    """Each MUST that passes in a complete run passes with few purges as well."""
    few = command(
        "run", "--profile=upstream", f"--max-purges={purges}", "--out", tmp_path / "out", folder=tmp_path / "out"
    )
    passed, complete = (
        {name for name, outcome in run.outcomes.items() if outcome == "passed"} & MUSTS for run in (few, full_run)
    )
    assert complete - passed == set()
    assert few.code == 0
    assert len([x for x in few.evidence.exchanges if x.role == ADMIN and is_purge(x.method, x.path)]) <= purges
