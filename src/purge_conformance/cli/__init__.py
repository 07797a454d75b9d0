"""The command `purge-conformance`, one file per subcommand.

`main` handles signals and broken streams before it imports anything else.
"""

from __future__ import annotations

from purge_conformance.engine.signals import exit_on_signal
from purge_conformance.engine.streams import tolerate_broken_streams


def main() -> None:
    """Run the command with the arguments of this process, and exit."""
    exit_on_signal()
    tolerate_broken_streams()
    from purge_conformance.cli.group import main as run_command

    run_command()
