"""`run`: collects evidence from a target and judges it."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from purge_conformance.cli.exit import EPILOG, INCONCLUSIVE, judge, show_verdict
from purge_conformance.cli.fleet import with_fleet_flags
from purge_conformance.cli.options import KEYS_BY_NAME, TRANSPORT_KEYS, with_run_flags
from purge_conformance.cli.output import ask
from purge_conformance.cli.watch import watch_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from purge_conformance.cli.progress import Reporter
    from purge_conformance.config.loader import Options
    from purge_conformance.engine.session import FrontEnd
    from purge_conformance.engine.watch import Ended

NORMAL = 1  # verbosity
SIGNAL_WHILE_JUDGING = "Interrupted. Judging the evidence, then writing the reports. Interrupt again to exit at once."
TARGET_ONLY_KEYS = ("hook", "hook_env", "before_purge", *TRANSPORT_KEYS)  # of no use to the embedded reference server


@click.command(epilog=EPILOG)
@with_fleet_flags
@with_run_flags
def run(*, values: Options, allow_purge: tuple[str, ...], verbosity: int | None) -> None:
    """Collect evidence from a target and judge it.

    A run destroys all app usage events of the target and seeds new ones. Without a URL it starts a reference server on
    this machine and judges that.
    """
    from rich.console import Console

    from purge_conformance.cli.progress import Reporter, Verbosity
    from purge_conformance.engine import reference_process

    def new_reporter() -> Reporter:
        return Reporter(Console(), Verbosity(NORMAL if verbosity is None else verbosity))

    if values["watch"]:
        sys.exit(watch_target(values, allow_purge, new_reporter, run_once))
    reporter = new_reporter()
    if "target" in values:
        sys.exit(run_once(values, allow_purge, reporter).code)
    _require_no_target_flags(values, allow_purge)
    with reference_process.server() as (url, tokens):
        own_values = {"target": url, "hook": reference_process.hook_url(url), "owns_target": True}
        sys.exit(run_once(values | own_values, (), reporter, tokens=tokens).code)


def _require_no_target_flags(values: Options, allowed_hosts: Iterable[str]) -> None:
    """Require that no option describes a target, as the run has none but the embedded reference server.

    Raises:
        click.UsageError: one does; the message names the flag.
    """
    names = [name for name in ("tokens", *TARGET_ONLY_KEYS) if values.get(name)]
    flags = [*(KEYS_BY_NAME[name].option for name in names), *(["--allow-purge"] if allowed_hosts else [])]
    if flags:
        raise click.UsageError(f"Got {', '.join(flags)}, but no target. Give the target's URL as well.")


def run_once(
    values: Options,
    allowed_hosts: Iterable[str],
    reporter: Reporter,
    adapt: Callable[[FrontEnd], FrontEnd] = lambda front_end: front_end,
    tokens: Mapping[str, str] | None = None,
) -> Ended:
    """Collect evidence from a target, judge it, print the verdict, and return how the run ended.

    Args:
        values: option name -> value.
        allowed_hosts: the hosts of `--allow-purge`.
        reporter: prints the progress of this run.
        adapt: changes how the run communicates with its user.
        tokens: role -> token, where they are already known.

    Raises:
        SuiteError: the run was refused, or could not begin.
    """
    from purge_conformance.engine.promises import read_promises
    from purge_conformance.engine.scope import expected_in
    from purge_conformance.engine.session import collect_evidence, prepare_run
    from purge_conformance.engine.signals import finish_on_signal
    from purge_conformance.engine.watch import Ended
    from purge_conformance.evidence import notes
    from purge_conformance.report import formats

    front_end = adapt(front_end_of(reporter))
    outputs = formats.outputs(values.get("format", ()), os.environ)
    formats.require_writable(outputs)
    promises = read_promises(values, expected_in(values))
    settings, own_folder = prepare_run(values, allowed_hosts, front_end, tokens)
    folder = own_folder.path
    with reporter.live():
        is_interrupted = bool(collect_evidence(settings, own_folder, front_end).noted(notes.INTERRUPTED))
    gc.collect()  # the exchanges are in cycles, and the process of the judgments needs the memory
    with finish_on_signal(SIGNAL_WHILE_JUDGING) as signals:
        with reporter.live():
            reporter.show_status("judging")
            judged_run, problem = judge(folder, folder, promises)
        code = show_verdict(judged_run, folder, problem, tuple(signals), outputs)
    return Ended(code, is_interrupted=is_interrupted or bool(signals))


def front_end_of(reporter: Reporter) -> FrontEnd:
    """Return how a command that purges communicates with its user: by this reporter, and by questions on a terminal."""
    from purge_conformance.engine.session import FrontEnd

    ask = _prompt if sys.stdin.isatty() and sys.stderr.isatty() else None
    return FrontEnd(reporter.print_line, reporter.warn, _abort, ask, reporter.on_exchange)


def _prompt(question: str) -> str:
    return ask(question, "", to_stderr=True)


def _abort(url: str, folder: Path) -> NoReturn:
    """Exit at once and say how to judge the evidence and how to find apps that are left."""
    from purge_conformance.engine.signals import write_stderr

    write_stderr(
        f"\nError: Interrupted again, exiting at once. To judge the evidence collected so far: "
        f"`purge-conformance judge {shlex.quote(str(folder))} --out NEW`. To list apps that this run may have left: "
        f"`purge-conformance cleanup {shlex.quote(url)} --dry-run`."
    )
    os._exit(INCONCLUSIVE)
