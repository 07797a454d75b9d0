"""How a command ends: exit codes, and what is said last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.results import Run

MISUSE, INCONCLUSIVE = 2, 3
EPILOG = "Exit codes: 0 conformant, 1 non-conformant, 2 usage, configuration or consent, 3 inconclusive."


def stop(text: str, code: int) -> NoReturn:
    """End with one plain sentence."""
    click.echo(f"Error: {text}", err=True)
    sys.exit(code)


def finish(judged: Run, folder: Path) -> NoReturn:
    """End with what the run amounts to, and the exit code of its verdict."""
    from rich.console import Console  # noqa: PLC0415 -- `list` and `--help` need none of it

    from purge_conformance.results import EXIT_CODES  # noqa: PLC0415
    from purge_conformance.writers import as_terminal  # noqa: PLC0415

    as_terminal.show(judged, folder, Console())
    sys.exit(EXIT_CODES[judged.verdict])
