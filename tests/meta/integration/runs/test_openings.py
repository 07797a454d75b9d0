"""What `doctor` says before a run that it leaves open is what the run leaves open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Need
from purge_conformance.engine import reference_process
from purge_conformance.report.text import NOTHING_TO_DO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult

TOKENS = {Need.OTHER_ROLE, Need.READING_ROLE, Need.RESTRICTED_ROLE, Need.EXPIRED_TOKEN}
APPS = {Need.OWN_APPS, Need.TIMED_APPS}


@pytest.mark.parametrize(
    ("flags", "missing"),
    [([], {*TOKENS, Need.HOOK}), (["--apps=observe"], {*TOKENS, *APPS, Need.HOOK})],
    ids=["drive", "observe"],
)
def test_doctor_names_what_stays_open(
    flags: list[str], missing: set[Need], command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """With only the token of an admin, `doctor` names each requirement that the run then leaves open."""
    with reference_process.server(["--variant", "many-apps"]) as (url, tokens):
        arguments = (url, "--token=admin=env:T", "--profile=upstream", "--out", tmp_path / "out", *flags)
        environment = os.environ | {"T": tokens["admin"], "COLUMNS": "5000"}
        doctor, run = (
            command(name, *arguments, folder=tmp_path / "out", env=environment) for name in ("doctor", "run")
        )
    open_ones = {
        row["id"]
        for row in run.report["requirements"]
        if row["outcome"] != "passed" and not row["next_step"].startswith(NOTHING_TO_DO)
    }
    named = {each.id for each in catalogue.requirements() if each.requires in missing}
    lines = [line for line in doctor.stdout.splitlines() if " without --" in line]
    assert named == {name for line in lines for name in line.rpartition(": ")[2].split(", ")}
    assert named <= open_ones
    assert flags or named == open_ones
