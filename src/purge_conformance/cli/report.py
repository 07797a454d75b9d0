"""`report`: writes the reports of an earlier run again."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import RUN_FOLDER, with_flags
from purge_conformance.cli.output import write_line, write_safe_line

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.config.loader import Options


@click.command(epilog="Exit codes: 0 written, 2 usage, or FOLDER holds no run, 3 not written.")
@click.argument("folder", type=RUN_FOLDER)
@with_flags("format")
def report(*, folder: Path, values: Options) -> None:
    """Write the reports of the run in FOLDER again, and those of --format.

    They follow from its report.json and its evidence; nothing is judged again.
    """
    from purge_conformance.errors import BadData
    from purge_conformance.evidence.ending import describe_kill
    from purge_conformance.evidence.jsonl import read
    from purge_conformance.report import formats, write_all
    from purge_conformance.report import json as as_json

    outputs = formats.outputs(values["format"] or (), os.environ)
    formats.require_writable(outputs)
    evidence = read(folder)
    if not (folder / as_json.FILE_NAME).exists():
        raise BadData(
            f"{describe_kill(evidence) or 'The run has no report.json.'} It was not judged. Judge it: "
            f"{shlex.join(['purge-conformance', 'judge', str(folder), '--out'])} NEW"
        )
    run = as_json.load(folder)
    for path in (*write_all(run, evidence, folder), *formats.write(outputs, run, folder, lambda: evidence)):
        write_line(str(path))
    for line in formats.printed_lines(outputs, run):
        write_safe_line(line)
