"""The one way in which commands print lines; `engine.streams` makes the two streams tolerant of errors."""

from __future__ import annotations

import click


def write_line(text: str = "") -> None:
    """Print a line to standard output."""
    click.echo(text)


def write_error(text: str) -> None:
    """Print a line to standard error."""
    click.echo(text, err=True)
