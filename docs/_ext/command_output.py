"""The directive `command-output`: what a command of the suite prints, run while the documentation is built.

So that no page shows output that the command no longer prints. Only commands that send nothing belong here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

COMMAND = "purge-conformance"
COLUMNS = "100"
TIMEOUT = 60.0  # seconds


class CommandOutput(SphinxDirective):
    """Show a command and what it prints; the one argument is the command line, without a prompt."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the block of text.

        Raises:
            ExtensionError: it is another command, or it fails; the build then fails as well.
        """
        line = self.arguments[0]
        text = f"$ {line}\n{output_of(line)}"
        return [nodes.literal_block(text, text, language="text")]


def output_of(line: str) -> str:
    """Return what `purge-conformance ...` prints.

    Raises:
        ValueError: it is another command.
        CalledProcessError: it fails.
    """
    name, *arguments = shlex.split(line)
    if name != COMMAND:
        raise ValueError(f"{line!r} is not a command of this project. Begin with {COMMAND}.")
    done = subprocess.run(  # noqa: S603 -- this Python, our command, arguments from our own pages
        [sys.executable, "-m", "purge_conformance", *arguments],
        env=os.environ | {"COLUMNS": COLUMNS, "TERMINAL_WIDTH": COLUMNS},
        capture_output=True,
        check=True,
        text=True,
        timeout=TIMEOUT,
    )
    return done.stdout.rstrip()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("command-output", CommandOutput)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
