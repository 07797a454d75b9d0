"""scripts/ID.sh: a shell script for each failed requirement, which shows its failure again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.evidence import files
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Result, Run

FOLDER = "scripts"
NAME = re.compile(r"[A-Z0-9-]+\.sh")


def script_of(result: Result) -> str | None:
    """Return the script of a requirement that failed; None if there is none."""
    return next((finding.script for finding in result.findings if finding.script), None)


def file_name(result: Result) -> str:
    """Return the name of the script's file, in the folder of the reports."""
    return f"{FOLDER}/{result.id}.sh"


def write(run: Run, folder: Path) -> None:
    """Write the scripts of a run below the folder of its reports, and delete those of an earlier judgment.

    Raises:
        OSError: they cannot be written.
    """
    scripts = {file_name(r): script_of(r) for r in run.requirements if r.outcome is Outcome.FAILED}
    for old in (folder / FOLDER).glob("*.sh"):
        if NAME.fullmatch(old.name) and f"{FOLDER}/{old.name}" not in scripts:
            old.unlink()
    for name, script in scripts.items():
        if script:
            files.create_folder(folder / FOLDER)
            files.write_text(folder / name, script)
