"""`run --targets`: a run for each target of a file, side by side, and one report of all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from purge_conformance.cli.exit import INCONCLUSIVE
from purge_conformance.cli.output import write_error, write_line
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.config.fleet import FleetTarget
    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.fleet.processes import Ended
    from purge_conformance.engine.fleet.target_run import Runner
    from purge_conformance.report.fleet import Fleet

    Command = Callable[..., object]

QUIET, VERBOSE = 0, 2  # verbosity
OWN_FLAGS = {"targets", "jobs", "workers", "out", "allow_purge", "verbosity"}
MAX_JOBS = 256
WRITING = "Interrupted. Writing the reports of the fleet. Interrupt again to exit at once."
ABORTED = "Error: Interrupted again, exiting at once. What each run says is in run.log of its folder."


@dataclass(frozen=True, slots=True)
class Places:
    """Where runs take place.

    Attributes:
        jobs: most runs at the same time on this machine, without workers.
        workers: as the user specified them.
    """

    jobs: int
    workers: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return them in words."""
        from purge_conformance.evidence.words import pluralize

        return f"on {', '.join(self.workers)}" if self.workers else f"at most {pluralize(self.jobs, 'run')} at a time"


def with_fleet_flags(command: Command) -> Command:
    """Give `run` the flags --targets and --jobs; with the first, it judges a fleet in place of one target."""

    @wraps(command)
    def call(*, targets: Path | None, jobs: int | None, workers: tuple[str, ...], **more: Any) -> object:  # noqa: ANN401 -- the options of `run`
        if targets is None and jobs is None and not workers:
            return command(**more)
        if targets is None:
            raise click.UsageError("Got --jobs or --worker, but not --targets. Give --targets FILE as well.")
        if jobs and workers:
            raise click.UsageError("Got --jobs and --worker. Each worker runs one target at a time: give it as N*SPEC.")
        _require_only_own_flags(click.get_current_context())
        hosts, out = more["allow_purge"], more["out"]
        return click.get_current_context().exit(
            run_fleet(targets, Places(jobs or os.cpu_count() or 1, workers), hosts, out, more["verbosity"])
        )

    result: Command = call
    for option in (
        click.option(
            "--worker",
            "workers",
            multiple=True,
            metavar="SPEC",
            help="With --targets: judge one target at a time there, and not in processes of this command; repeatable. "
            "SPEC is execnet's, for example ssh=USER@HOST//python=PATH; N*SPEC stands for N workers.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1, MAX_JOBS),
            metavar="N",
            help="With --targets: most runs at the same time; default: one per core.",
        ),
        click.option(
            "--targets",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Judge each target of this YAML file, with the options that it has there. Each run has its own "
            "folder, in that of --out, beside fleet.json and fleet.html.",
        ),
    ):
        result = option(result)
    return result


def _require_only_own_flags(context: click.Context) -> None:
    """Require that the command line has no flag of a single run.

    Raises:
        click.UsageError: it has one.
    """
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in OWN_FLAGS and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            what = "a URL" if isinstance(parameter, click.Argument) else parameter.opts[0]
            raise click.UsageError(
                f"Got --targets and {what}. Write the options of the targets into that file; beside --targets only "
                "--jobs, --worker, --out, --allow-purge, --quiet and --verbose can be given."
            )


def run_fleet(file: Path, places: Places, hosts: Sequence[str], out: str | None, verbosity: int | None) -> int:
    """Run all targets of a file, print a table, and return the exit code of the worst.

    Args:
        file: of the targets.
        places: where runs take place.
        hosts: of --allow-purge.
        out: the folder of the fleet; None: a new one.
        verbosity: 0 prints only the table; 2 lets each run print its requests into its run.log.

    Raises:
        SuiteError: the file, an option, the consent or the folder is not usable; nothing was started.
    """
    from purge_conformance.config import fleet as config
    from purge_conformance.engine.fleet import checks, run
    from purge_conformance.engine.run_folder import PARENT, create_default_folder
    from purge_conformance.engine.signals import finish_on_signal
    from purge_conformance.evidence import files
    from purge_conformance.evidence.words import pluralize

    targets = config.load(file)
    checks.require_no_variables(targets)
    settings = checks.settings_of(targets)
    checks.require_consents(targets, settings, hosts)
    if out is not None:
        run.require_unused(Path(out), targets)
    with _runner(places, targets, settings) as runner:
        checks.require_different_foundations(targets, settings)
        folder = create_default_folder(PARENT) if out is None else Path(out)
        files.create_folder(folder)
        progress = Progress(len(targets), is_quiet=verbosity == QUIET)
        progress.say(f"{pluralize(len(targets), 'target')}, {places}: {folder}")
        flags = [f"--allow-purge={host}" for host in hosts] + (["--verbose"] if verbosity == VERBOSE else [])
        plan = run.FleetPlan(targets, settings, folder, flags)
        fleet = run.run_all(plan, runner, run.FleetFrontEnd(progress.on_start, progress.on_end, _abort))
    with finish_on_signal(WRITING):
        return _show(fleet, folder)


@contextmanager
def _runner(places: Places, targets: Sequence[FleetTarget], settings: Sequence[Settings]) -> Iterator[Runner]:
    """Give what runs the targets.

    Raises:
        BadSetting: a worker cannot be used, or a loopback target would be another machine on it.
    """
    from purge_conformance.engine.fleet import checks
    from purge_conformance.engine.fleet.target_run import LocalRunner

    if not places.workers:
        yield LocalRunner(min(places.jobs, len(targets)))
        return
    try:
        from purge_conformance.engine.fleet import workers
    except ImportError:
        raise BadSetting("--worker needs execnet. Install it: pip install 'purge-conformance[fleet]'") from None
    specs = workers.parse_specs(places.workers)
    if not all(map(workers.is_local, specs)):
        checks.require_no_loopback(targets, settings)
    with workers.WorkerRunner.connect(specs) as runner:
        yield runner


class Progress:
    """Prints a line when a run starts and when it has ended."""

    def __init__(self, total: int, *, is_quiet: bool) -> None:
        """Print nothing yet; `total` is the number of targets."""
        self._total, self._is_quiet = total, is_quiet
        self._ended = 0

    def say(self, line: str) -> None:
        """Print a line, unless quiet."""
        if not self._is_quiet:
            write_line(line)

    def on_start(self, name: str) -> None:
        """Print that a run has started."""
        self.say(f"{name}: started")

    def on_end(self, name: str, ended: Ended) -> None:
        """Print how a run ended, and how many have."""
        self._ended += 1
        if ended.code is not None:
            how = f"ended with exit code {ended.code}" if ended.code >= 0 else "was killed"
            self.say(f"{name}: {how} after {ended.seconds:,.0f} s ({self._ended} of {self._total})")


def _show(fleet: Fleet, folder: Path) -> int:
    """Write the reports, print the table, and return the exit code; 3 if fleet.json could not be written."""
    from purge_conformance.engine.fleet.target_run import LOG
    from purge_conformance.evidence import files
    from purge_conformance.report import fleet as as_fleet
    from purge_conformance.report import fleet_html
    from purge_conformance.report.formats import reason_of

    code = fleet.exit_code
    for line in as_fleet.table(fleet):
        write_line(line)
    for name, text in (
        (as_fleet.FILE_NAME, as_fleet.dump(fleet)),
        (fleet_html.FILE_NAME, fleet_html.render(fleet, LOG)),
    ):
        try:
            files.write_text(folder / name, text)
        except OSError as error:
            write_error(f"Error: {folder / name} was not written: {reason_of(error)}")
            code = INCONCLUSIVE
    write_line(f"Fleet: {as_fleet.headline(fleet)}. Exit code {code}.")
    write_line(f"Reports: {folder / fleet_html.FILE_NAME}, {as_fleet.FILE_NAME}")
    return code


def _abort() -> NoReturn:
    from purge_conformance.engine.signals import write_stderr

    write_stderr(f"\n{ABORTED}")
    os._exit(INCONCLUSIVE)
