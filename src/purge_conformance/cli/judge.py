"""`judge`: judges the evidence of an earlier run again."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from purge_conformance.cli import exit as exiting
from purge_conformance.cli.exit import EPILOG
from purge_conformance.cli.options import FOLDER, RUN_FOLDER, profile_option, select_option, with_flags

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.config.loader import Options


@click.command(epilog=EPILOG)
@click.argument("folder", type=RUN_FOLDER)
@click.option("--out", type=FOLDER, metavar="FOLDER", required=True, help="Folder for the new reports.")
@profile_option("those of the run")
@select_option
@with_flags("format", "baseline", "known_failures")
def judge(*, folder: Path, out: Path, profiles: tuple[str, ...], select: tuple[str, ...], values: Options) -> None:
    """Judge the evidence in FOLDER again, offline."""
    from purge_conformance.engine.promises import read_promises
    from purge_conformance.engine.run_folder import keep_evidence
    from purge_conformance.engine.scope import requirements_in, scope_to_judge
    from purge_conformance.evidence.jsonl import read
    from purge_conformance.report import formats

    outputs = formats.outputs(values["format"] or (), os.environ)
    formats.require_writable(outputs)
    expected = requirements_in(scope_to_judge(read(folder), profiles, select))  # a usage error, before pytest starts
    promises = read_promises(values, expected)
    keep_evidence(folder, out)
    run, problem = exiting.judge(folder, out, promises, profiles, select)
    sys.exit(exiting.show_verdict(run, out, problem, outputs=outputs))
