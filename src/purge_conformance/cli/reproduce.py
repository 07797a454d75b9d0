"""`reproduce`: runs only what shows one failure of a report, several times."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.exit import INCONCLUSIVE
from purge_conformance.cli.options import REPRODUCE_KEYS, RUN_FOLDER, with_purge_flags
from purge_conformance.cli.output import write_line
from purge_conformance.cli.run import NORMAL, front_end_of
from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from purge_conformance.config.loader import Options
    from purge_conformance.engine.reproduce import Attempt
    from purge_conformance.engine.session import FrontEnd

EPILOG = (
    "Exit codes: 0 never failed again, 1 failed again, 2 usage, configuration, consent or archive, 3 it could not be "
    "tried."
)
DEFAULT_TIMES, MAX_TIMES = 3, 20
FAILED_AGAIN = 1


@click.command(epilog=EPILOG)
@click.argument("report", type=RUN_FOLDER)
@click.argument("requirement")
@click.option(
    "--times",
    type=click.IntRange(1, MAX_TIMES),
    default=DEFAULT_TIMES,
    show_default=True,
    metavar="N",
    help=f"How often to try, at most {MAX_TIMES} times.",
)
@click.option("--target", metavar="URL", help="Server to purge, if it is not the one of the report.")
@with_purge_flags(*REPRODUCE_KEYS)
def reproduce(  # noqa: PLR0913 -- the flags of the command
    *,
    report: Path,
    requirement: str,
    times: int,
    target: str | None,
    values: Options,
    allow_purge: tuple[str, ...],
    verbosity: int | None,
) -> None:
    """Say how often a failure of a report occurs again.

    REPORT is the folder of a run, and REQUIREMENT the id of one that failed there. Runs only the scenarios that show
    the failure, with the seed and the apps of that run. Each try purges and archives, and needs consent and tokens as
    `run` does.
    """
    from rich.console import Console

    from purge_conformance.cli.progress import Reporter, Verbosity
    from purge_conformance.engine.reproduce import Ending, attempts, find_failure, options_of
    from purge_conformance.engine.run_folder import create_default_folder, own_folder

    failure = find_failure(report, requirement)
    options = options_of(failure, values, target)
    reporter = Reporter(Console(), Verbosity(NORMAL if verbosity is None else verbosity))
    tried: list[Attempt] = []
    with own_folder(values.get("out"), create_default_folder) as folder, reporter.live():
        for attempt in attempts(failure, options, folder.path, allow_purge, _quiet(front_end_of(reporter), verbosity)):
            tried.append(attempt)
            reporter.print_line(f"Try {len(tried)} of {times} {_describe(attempt)}")
            if len(tried) == times or attempt.ending is Ending.INTERRUPTED:
                break
    write_line(_summary(requirement, tried))
    sys.exit(_exit_code(tried))


def _quiet(front_end: FrontEnd, verbosity: int | None) -> FrontEnd:
    """Return a front end that shows the stages of a try only on a terminal, or with --verbose."""
    from purge_conformance.cli.progress import Verbosity

    if sys.stdout.isatty() or verbosity == Verbosity.VERBOSE:
        return front_end
    return replace(front_end, on_exchange=lambda _client, _exchange: None)


def _describe(attempt: Attempt) -> str:
    finding = attempt.finding
    if finding is None:
        return f"{attempt.ending}. {attempt.reason}".rstrip()
    return f"{attempt.ending}: expected {one_line(finding.expected)}; got {one_line(finding.got)}"


def _summary(requirement: str, tried: Sequence[Attempt]) -> str:
    from purge_conformance.engine.reproduce import Ending

    again = sum(each.ending is Ending.FAILED_AGAIN for each in tried)
    judged = again + sum(each.ending is Ending.DID_NOT_FAIL for each in tried)
    rest = f"; {len(tried) - judged} more could not be judged" if len(tried) > judged else ""
    noun = "try" if judged == 1 else "tries"
    return f"{requirement} failed again in {again} of {judged} {noun}{rest}. Reports: {tried[-1].folder.parent}"


def _exit_code(tried: Sequence[Attempt]) -> int:
    """Return the exit code: a signal counts most, then a failure, then a try that says nothing."""
    from purge_conformance.engine.reproduce import Ending

    endings = {each.ending for each in tried}
    if Ending.INTERRUPTED in endings:
        return INCONCLUSIVE
    if Ending.FAILED_AGAIN in endings:
        return FAILED_AGAIN
    return INCONCLUSIVE if Ending.NOT_TRIED in endings else 0
