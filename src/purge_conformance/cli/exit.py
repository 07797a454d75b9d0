"""How a command ends: its last lines and its exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from purge_conformance.cli.output import write_error, write_line

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run

USAGE_ERROR, INCONCLUSIVE = 2, 3
EPILOG = "Exit codes: 0 conformant, 1 non-conformant, 2 usage, configuration, consent or archive, 3 inconclusive."


def exit_with_error(text: str, code: int) -> NoReturn:
    """Print one sentence to standard error and exit."""
    write_error(f"Error: {text}")
    sys.exit(code)


def exit_with_verdict(run: Run, folder: Path) -> NoReturn:
    """Print the verdict and where the reports are, and exit with the code of the verdict."""
    from rich.console import Console

    from purge_conformance.report import terminal
    from purge_conformance.report.model import EXIT_CODES

    terminal.show(run, folder, Console(), write_line)
    sys.exit(EXIT_CODES[run.verdict])
