"""`selfcheck`: runs the suite against its own faults and variants."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.exit import INCONCLUSIVE, exit_with_error
from purge_conformance.cli.options import FOLDER, KEYS_BY_NAME, flag_callback, json_option
from purge_conformance.cli.output import write_json, write_line

if TYPE_CHECKING:
    from pathlib import Path

EPILOG = "Exit codes: 0 every fault killed and no false alarm, 1 otherwise, 2 usage, 3 the check did not finish."


@click.command(epilog=EPILOG)
@click.option(
    "--only", multiple=True, metavar="NAME-GLOB", help="Faults and variants to try; repeatable. Default: all."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", help="Servers tried at the same time; default: three per core."
)
@click.option(
    "--out",
    type=FOLDER,
    metavar="FOLDER",
    help="Folder for the matrix and the runs that went wrong; default: a new folder.",
)
@click.option(
    "--seed",
    type=str,
    metavar="N",
    default="1",
    show_default=True,
    callback=flag_callback(KEYS_BY_NAME["seed"]),
    help=KEYS_BY_NAME["seed"].help,
)
@json_option
def selfcheck(*, only: tuple[str, ...], jobs: int | None, out: Path | None, seed: int, as_json: bool) -> None:
    """Test the suite: every fault is caught, no variant is accused.

    Judges the reference server without a fault, with every variant and with every fault, and prints the kill matrix.
    Every fault must fail exactly the requirements that spec/faults.yaml names for it; no variant may fail any.
    """
    from rich.console import Console

    from purge_conformance.engine.run_folder import create_default_folder, own_folder
    from purge_conformance.selfcheck import matrix_report
    from purge_conformance.selfcheck import run as checking
    from purge_conformance.selfcheck.matrix import to_dict
    from purge_conformance.selfcheck.progress import ProgressDisplay

    console = Console(stderr=as_json)
    try:
        with (
            own_folder(str(out) if out else None, create_default_folder) as taken,
            ProgressDisplay(console, partial(write_line, console=console)) as tally,
        ):
            matrix = checking.check(taken.path, only=only, seed=seed, jobs=jobs, on_row=tally.update)
    except KeyboardInterrupt:
        exit_with_error("Interrupted. No matrix was written.", INCONCLUSIVE)
    if as_json:
        write_json(to_dict(matrix), indent=2)
        sys.exit(1 if matrix.problems() else 0)
    for line in matrix_report.terminal_lines(matrix):
        write_line(line)
    write_line(f"Matrix: {taken.path / checking.MARKDOWN} and {taken.path / checking.JSON}")
    if out is None:
        write_line(f"{taken.path} is a new folder and stays; --out FOLDER chooses another place.")
    sys.exit(1 if matrix.problems() else 0)
