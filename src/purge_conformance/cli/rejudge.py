"""`judge` and `report`: what an old run left, judged or written once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from purge_conformance.cli.exit import EPILOG, exit_with_verdict
from purge_conformance.cli.options import FOLDER, RUN_FOLDER, profile_option, select_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog=EPILOG)
@click.argument("folder", type=RUN_FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Where the new reports go.")
@profile_option
@select_option
def judge(folder: Path, out: Path, profiles: tuple[str, ...], select: tuple[str, ...]) -> None:
    """Judge again, offline, what an old run recorded in FOLDER."""
    from purge_conformance.engine import pytest_process as pytest
    from purge_conformance.engine import verdicts as judging
    from purge_conformance.evidence import jsonl as evidence

    judging.requirements_to_judge(
        evidence.read(folder), profiles, select
    )  # what cannot be judged is said before pytest starts
    exit_with_verdict(pytest.judge(folder, out, profiles, select), out)


@click.command()
@click.argument("folder", type=RUN_FOLDER)
def report(folder: Path) -> None:
    """Write the reports of the run in FOLDER again, from its report.json and its evidence."""
    from purge_conformance.evidence import jsonl as evidence
    from purge_conformance.report import json as as_json
    from purge_conformance.report import write_all

    for path in write_all(as_json.load(folder), evidence.read(folder), folder):
        click.echo(path)
