"""`bug-report`: prints a defect of a run as Markdown for an issue tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import RUN_FOLDER
from purge_conformance.cli.output import write_error, write_line

if TYPE_CHECKING:
    from pathlib import Path


@click.command("bug-report", epilog="Exit codes: 0 printed, 2 usage, or the requirement did not fail.")
@click.argument("folder", type=RUN_FOLDER)
@click.argument("requirement")
@click.option(
    "--defect",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of the defect in the reports, if the requirement fails because of several; default: the first.",
)
def report_bug(*, folder: Path, requirement: str, number: int | None) -> None:
    """Print a defect as Markdown, to paste into an issue tracker.

    FOLDER is that of a run; REQUIREMENT failed in it. The report has title, environment, steps, what is expected with
    the words of the documentation, what the target did, and the other requirements that the same defect fails.
    """
    from purge_conformance.catalogue.lookup import find_requirement
    from purge_conformance.errors import BadSetting
    from purge_conformance.evidence.jsonl import read
    from purge_conformance.report import bug_report
    from purge_conformance.report import json as as_json

    name, run = find_requirement(requirement).id, as_json.load(folder)
    views = {view.number: view for view in bug_report.defects_with(run, name)}
    if number not in {None, *views}:
        raise BadSetting(f"{name} does not fail because of defect {number}. Give one of: {', '.join(map(str, views))}.")
    chosen = number or next(iter(views))
    for line in bug_report.render(run, read(folder), views[chosen], name).rstrip("\n").split("\n"):
        write_line(line)
    if others := [each for each in views if each != chosen and number is None]:
        write_error(
            f"{name} also fails because of other defects. To report them: --defect {' or '.join(map(str, others))}"
        )
