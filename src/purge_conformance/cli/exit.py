"""How a command ends: exit codes, and what is said last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run

USAGE_ERROR, INCONCLUSIVE = 2, 3
EPILOG = "Exit codes: 0 conformant, 1 non-conformant, 2 usage, configuration or consent, 3 inconclusive."


def exit_with_error(text: str, code: int) -> NoReturn:
    """End with one plain sentence."""
    click.echo(f"Error: {text}", err=True)
    sys.exit(code)


def exit_with_verdict(run: Run, folder: Path) -> NoReturn:
    """End with what the run amounts to, and the exit code of its verdict."""
    from rich.console import Console

    from purge_conformance.report import terminal as as_terminal
    from purge_conformance.report.model import EXIT_CODES

    as_terminal.show(run, folder, Console())
    sys.exit(EXIT_CODES[run.verdict])
