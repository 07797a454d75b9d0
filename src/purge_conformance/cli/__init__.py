"""Parse, call, exit code."""

from __future__ import annotations

import click

from purge_conformance import __version__
from purge_conformance.cli.archive import archive_events
from purge_conformance.cli.cleanup import clean_up
from purge_conformance.cli.doctor import doctor
from purge_conformance.cli.exit import EPILOG, INCONCLUSIVE, USAGE_ERROR, exit_with_error
from purge_conformance.cli.init import init
from purge_conformance.cli.list import list_requirements
from purge_conformance.cli.plan import plan
from purge_conformance.cli.rejudge import judge, report
from purge_conformance.cli.run import run
from purge_conformance.cli.selfcheck import selfcheck
from purge_conformance.cli.serve import serve
from purge_conformance.errors import SuiteError, UsageError, crash_message


class Group(click.Group):
    """The command, with the suite's own exit codes."""

    def invoke(self, context: click.Context) -> object:
        """Run a subcommand; what goes wrong with the suite ends in one plain sentence."""
        try:
            return super().invoke(context)
        except UsageError as error:
            exit_with_error(str(error), USAGE_ERROR)
        except SuiteError as error:
            exit_with_error(str(error), INCONCLUSIVE)
        except KeyboardInterrupt:
            exit_with_error(
                "Interrupted. What was collected is kept, and `purge-conformance judge DIR` judges it.", INCONCLUSIVE
            )
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this item alone
            exit_with_error(crash_message(error), INCONCLUSIVE)


@click.group(cls=Group, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Judge how a server purges and reseeds app usage events, by Cloud Foundry's documentation."""


for subcommand in (
    init,
    doctor,
    plan,
    run,
    archive_events,
    clean_up,
    judge,
    report,
    list_requirements,
    serve,
    selfcheck,
):
    main.add_command(subcommand)
