"""`report`: writes the reports of an earlier run again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import RUN_FOLDER
from purge_conformance.cli.output import write_line

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Exit codes: 0 written, 2 usage, or FOLDER holds no run, 3 not written.")
@click.argument("folder", type=RUN_FOLDER)
def report(folder: Path) -> None:
    """Write the reports of the run in FOLDER again.

    They follow from its report.json and its evidence; nothing is judged again.
    """
    from purge_conformance.errors import BadData
    from purge_conformance.evidence.ending import describe_kill
    from purge_conformance.evidence.jsonl import read
    from purge_conformance.report import json as as_json
    from purge_conformance.report import write_all

    evidence = read(folder)
    if not (folder / as_json.FILE_NAME).exists():
        raise BadData(
            f"{describe_kill(evidence) or 'The run has no report.json.'} It was not judged. Judge it: "
            f"{shlex.join(['purge-conformance', 'judge', str(folder), '--out'])} NEW"
        )
    for path in write_all(as_json.load(folder), evidence, folder):
        write_line(str(path))
