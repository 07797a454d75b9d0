"""`doctor`: checks a configuration before a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.checks import EPILOG, checks_as_json, exchange_printer, exit_code_of, write_checks
from purge_conformance.cli.options import json_option, with_run_flags
from purge_conformance.cli.output import write_json

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options

QUIET = 0


@click.command(epilog=EPILOG)
@with_run_flags
@json_option
def doctor(*, values: Options, allow_purge: tuple[str, ...], verbosity: int | None, as_json: bool) -> None:
    """Check every option of a run against its target; only reads.

    Takes each flag of `run`. Sends about six reads, one more for each token, and three that look for another run;
    and asks the hook, if there is one, whether it answers.

    Each line is ok, a warning or a problem. A warning or a problem comes with the next step.
    """
    from purge_conformance.engine.readiness import examine

    checks = examine(values, allow_purge, exchange_printer(None if as_json else verbosity)).checks
    shown = [check for check in checks if verbosity != QUIET or check.status != "ok"]
    if as_json:
        write_json({"checks": checks_as_json(shown), "exit_code": exit_code_of(checks)}, indent=2)
    else:
        write_checks(shown)
    sys.exit(exit_code_of(checks))
