"""The group of all commands: parses, calls the engine, exits."""

from __future__ import annotations

from typing import IO, Any

import click

from purge_conformance import __version__
from purge_conformance.cli.archive import archive_events
from purge_conformance.cli.bug_report import report_bug
from purge_conformance.cli.cleanup import clean_up
from purge_conformance.cli.compare import compare
from purge_conformance.cli.doctor import doctor
from purge_conformance.cli.exit import EPILOG, INCONCLUSIVE, USAGE_ERROR, exit_with_error
from purge_conformance.cli.explain import explain
from purge_conformance.cli.init import init
from purge_conformance.cli.judge import judge
from purge_conformance.cli.known_failures import known_failures
from purge_conformance.cli.list import list_requirements
from purge_conformance.cli.output import write_error
from purge_conformance.cli.plan import plan
from purge_conformance.cli.report import report
from purge_conformance.cli.reproduce import reproduce
from purge_conformance.cli.run import run
from purge_conformance.cli.selfcheck import selfcheck
from purge_conformance.cli.serve import serve
from purge_conformance.cli.show import show
from purge_conformance.cli.trend import trend
from purge_conformance.engine.signals import INTERRUPTED, interrupt_on_signal
from purge_conformance.errors import SuiteError, UsageError, crash_message


class PrintableError(click.UsageError):
    """An error of click, which quotes arguments: printed as click does, but as all text of others is."""

    def __init__(self, error: click.ClickException) -> None:
        """Wrap the error."""
        super().__init__(error.format_message(), getattr(error, "ctx", None))

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 -- as click has it
        """Print the usage of the command, and the error."""
        if self.ctx:
            for line in self.ctx.get_usage().splitlines():
                write_error(line)
            write_error(f"Try '{self.ctx.command_path} --help' for help.")
            write_error("")
        write_error(f"Error: {self.message}")


class Group(click.Group):
    """The command, with the suite's own exit codes."""

    def invoke(self, context: click.Context) -> object:
        """Run a subcommand; an error of the suite ends it with one sentence and an exit code that is never 0 or 1."""
        try:
            with interrupt_on_signal():
                return super().invoke(context)
        except UsageError as error:
            exit_with_error(str(error), USAGE_ERROR)
        except SuiteError as error:
            exit_with_error(str(error), INCONCLUSIVE)
        except (KeyboardInterrupt, click.Abort):
            exit_with_error(INTERRUPTED, INCONCLUSIVE)
        except click.ClickException as error:
            raise PrintableError(error) from None
        except click.exceptions.Exit:
            raise
        except Exception as error:  # noqa: BLE001 -- a defect is never a verdict
            exit_with_error(crash_message(error), INCONCLUSIVE)


@click.group(cls=Group, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Check that a server purges and reseeds app usage events as Cloud Foundry documents it."""


for subcommand in (
    init,
    doctor,
    plan,
    run,
    archive_events,
    clean_up,
    judge,
    report,
    compare,
    reproduce,
    trend,
    list_requirements,
    known_failures,
    explain,
    show,
    report_bug,
    serve,
    selfcheck,
):
    main.add_command(subcommand)
