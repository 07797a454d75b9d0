"""The one way in which commands print and ask; `engine.streams` makes the two streams tolerant of errors.

Whatever a line quotes, a target's text or a file name, it stays one line and controls neither the terminal nor the CI
system that logs it. Colours are the suite's own: they are added to text that is safe already.
"""

from __future__ import annotations

import json
import sys
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import TYPE_CHECKING

import click

from purge_conformance.evidence.safe_text import printable, printable_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def write_line(line: str | Text = "", console: Console | None = None) -> None:
    """Print a line to standard output.

    Args:
        line: without a line feed; a `Text` keeps its colours unless something in it has to be escaped.
        console: where a live display may be, above which the line is printed; None: there is none.
    """
    if isinstance(line, str) and console is None:
        click.echo(printable(line))
        return
    from rich.console import Console
    from rich.text import Text

    text = Text(line) if isinstance(line, str) else line
    safe = printable(text.plain)
    (console or Console()).print(text if safe == text.plain else Text(safe), soft_wrap=True, highlight=False)


def write_wrapped(line: str, indent: int = 4) -> None:
    """Print a line to standard output, wrapped if that is a terminal; further lines are indented by so many spaces."""
    width = get_terminal_size().columns
    if not sys.stdout.isatty() or len(line) <= width:
        write_line(line)
        return
    text = printable(line)
    first = text[: len(text) - len(text.lstrip())]  # by which a wrapper would not indent a word that is too long
    more = " " * indent
    wrapper = TextWrapper(width, initial_indent=first, subsequent_indent=more, break_long_words=False)
    wrapper.break_on_hyphens = False
    for part in wrapper.wrap(text.lstrip()):
        write_line(part)


def write_safe_line(line: str) -> None:
    """Print a command for the CI system that reads standard output; its writer has made all text in it safe."""
    click.echo(line)


def write_error(text: str) -> None:
    """Print a text to standard error, each further line of it with a mark."""
    for line in printable_lines(text):
        click.echo(line, err=True)


def write_json(value: object, indent: int | None = None) -> None:
    """Print a value as JSON to standard output, in ASCII."""
    click.echo(json_text(value, indent))


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON in ASCII, which no CI system that logs it takes for a command."""
    return json.dumps(value, indent=indent).replace("##", r"\u0023#")


def ask(question: str, default: str | None = None, *, to_stderr: bool = False) -> str:
    """Ask on the terminal and return the answer; without a default, until there is one."""
    answer: str = click.prompt(printable(question), default, show_default=False, err=to_stderr)
    return answer
