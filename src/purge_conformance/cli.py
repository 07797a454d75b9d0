"""Parse, call, exit code."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from traceback import format_exc
from typing import TYPE_CHECKING, NoReturn

import click

from purge_conformance import __version__, catalogue
from purge_conformance.errors import Misuse, SuiteError
from purge_conformance.model import Profile
from purge_conformance.settings import Limits, Settings, Target, announcement, bounds, parse_target, read_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.results import Run

MISUSE, INCONCLUSIVE = 2, 3
FOLDER = click.Path(file_okay=False, path_type=Path)
OLD_RUN = click.Path(exists=True, file_okay=False, path_type=Path)
SELFCHECK_EPILOG = "Exit codes: 0 all is as it must be, 1 it is not, 2 usage, 3 the check came to no end."
EPILOG = "Exit codes: 0 conformant, 1 non-conformant, 2 usage, configuration or consent, 3 inconclusive."
profile_option = click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Choice([str(p) for p in Profile]),
    help="Repeatable; default core.",
)
select_option = click.option(
    "--select", multiple=True, metavar="ID-GLOB", help="Judge these requirements only; repeatable."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Of all generated cases."
)

token_option = click.option(
    "--token", "tokens", multiple=True, metavar="ROLE=SOURCE", help="env:NAME or file:PATH; admin is required."
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(0.1, 600), default=30.0, show_default=True, help="Seconds an answer may take."
)
ca_bundle_option = click.option(
    "--ca-bundle", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust, PEM."
)


class Command(click.Group):
    """The command, with the suite's own exit codes."""

    def invoke(self, context: click.Context) -> object:
        """Run a subcommand; what goes wrong with the suite ends in one plain sentence."""
        try:
            return super().invoke(context)
        except Misuse as error:
            _stop(str(error), MISUSE)
        except SuiteError as error:
            _stop(str(error), INCONCLUSIVE)
        except KeyboardInterrupt:
            _stop("Interrupted. What was collected is kept, and `purge-conformance judge DIR` judges it.", INCONCLUSIVE)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception:  # noqa: BLE001 -- Python's own exit code for it, 1, would accuse the target
            _stop(
                f"The suite failed. This says nothing about the target; please report it.\n{format_exc()}", INCONCLUSIVE
            )


def _stop(text: str, code: int) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(code)


@click.group(cls=Command, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Judge how a server purges and reseeds app usage events, by Cloud Foundry's documentation."""


@main.command(epilog=EPILOG)
@click.argument("target", required=False, metavar="[URL]")
@token_option
@click.option("--allow-purge", multiple=True, metavar="HOST", help="A host whose app usage events may be destroyed.")
@click.option("--out", type=FOLDER, help="Where evidence and reports go; default: a new folder.")
@profile_option
@select_option
@click.option(
    "--examples", type=click.IntRange(1, 1000), default=10, show_default=True, help="Random cases an operation."
)
@seed_option
@timeout_option
@click.option(
    "--repeat", type=click.IntRange(1, 1000), default=1, show_default=True, help="Tries of what destroys; for rates."
)
@click.option(
    "--max-purges", type=click.IntRange(0, 10_000), help="As an admin, at most; default: 40, and 1 a repetition."
)
@click.option(
    "--max-requests", type=click.IntRange(50, 100_000), help="In all, at most; default: 1200, and 40 a repetition."
)
@ca_bundle_option
@click.option("--quiet", "loudness", flag_value=0, type=int, help="Show the end only.")
@click.option("--verbose", "loudness", flag_value=2, type=int, help="Show every request.")
def run(  # noqa: PLR0913 -- the options of a command
    *,
    target: str | None,
    tokens: tuple[str, ...],
    allow_purge: tuple[str, ...],
    out: Path | None,
    profiles: tuple[str, ...],
    select: tuple[str, ...],
    examples: int,
    seed: int,
    timeout: float,
    repeat: int,
    max_purges: int | None,
    max_requests: int | None,
    ca_bundle: str | None,
    loudness: int | None,
) -> None:
    """Collect evidence from a target and judge it; without a URL, the embedded reference server's.

    A run destroys all app usage events of the target and seeds new ones. A target on this machine needs no consent.
    """
    from purge_conformance import embedded, guard  # noqa: PLC0415 -- `list` and `--help` need neither

    catalogue.selected(catalogue.profiles(profiles or ("core",)), select)
    limits = bounds(repeat, max_purges=max_purges, max_requests=max_requests, timeout=timeout)

    def settings(target: Target, secrets: Mapping[str, str]) -> Settings:
        return Settings(
            target=target,
            tokens=secrets,
            profiles=catalogue.profiles(profiles or ("core",)),
            select=select,
            examples=examples,
            seed=seed,
            ca_bundle=ca_bundle,
            repeat=repeat,
            limits=limits,
        )

    folder = out or _new_folder()
    level = 1 if loudness is None else loudness
    if target:
        asked = settings(parse_target(target), read_tokens(tokens))
        guard.require_consent(asked.target, allow_purge)
        _run(asked, folder, level)
    elif tokens or allow_purge:
        raise click.UsageError("--token and --allow-purge are for a target. Give its URL.")
    else:
        with embedded.server() as (url, secrets):
            _run(settings(parse_target(url), secrets), folder, level)


def _new_folder() -> Path:
    return Path("purge-conformance-report") / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def _run(settings: Settings, folder: Path, level: int) -> NoReturn:
    from rich.console import Console  # noqa: PLC0415 -- as in run

    from purge_conformance.collect import collect  # noqa: PLC0415
    from purge_conformance.judge import judge  # noqa: PLC0415
    from purge_conformance.progress import Loudness, Reporter  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # CI's cancel: take down what was put up
    reporter = Reporter(Console(), Loudness(level))
    reporter.say(announcement(settings, folder))
    with reporter.live():
        collect(settings, folder, reporter.sent)
        reporter.now("judging")
        judged = judge(folder, folder)
    _finish(judged, folder)


def _finish(judged: Run, folder: Path) -> NoReturn:
    from rich.console import Console  # noqa: PLC0415 -- as in run

    from purge_conformance.results import EXIT_CODES  # noqa: PLC0415
    from purge_conformance.writers import as_terminal  # noqa: PLC0415

    as_terminal.show(judged, folder, Console())
    sys.exit(EXIT_CODES[judged.verdict])


@main.command("archive", epilog="Exit codes: 0 archived, 2 usage or configuration, 3 not archived.")
@click.argument("target", metavar="URL")
@token_option
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A new file, .jsonl.gz by habit."
)
@click.option(
    "--max-events", type=click.IntRange(1, 100_000_000), default=1_000_000, show_default=True, help="Read at most."
)
@timeout_option
@ca_bundle_option
def archive_events(  # noqa: PLR0913 -- the options of a command
    *, target: str, tokens: tuple[str, ...], out: Path, max_events: int, timeout: float, ca_bundle: str | None
) -> None:
    """Write all app usage events of a target to a file, and verify it; nothing is changed on the target.

    The file holds one event a line, compressed; FILE.json beside it how many, their SHA-256 and which was the last.
    """
    from purge_conformance import archive  # noqa: PLC0415 -- as in run
    from purge_conformance.archiving import archived  # noqa: PLC0415
    from purge_conformance.writers.words import visible  # noqa: PLC0415

    asked = Settings(parse_target(target), read_tokens(tokens), ca_bundle=ca_bundle, limits=Limits(timeout=timeout))
    made = archived(asked, out, max_events)
    click.echo(f"{made.events} events are in {out}, read back and compared; SHA-256 of the lines {made.sha256}")
    if made.last:
        click.echo(visible(f"The last of them: {made.last['guid']} of {made.last['created_at']}"))
    for line in archive.warning(made.age):
        click.echo(line)


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="All that requirements.yaml says, as JSON.")
@profile_option
@select_option
def list_requirements(*, as_json: bool, profiles: tuple[str, ...], select: tuple[str, ...]) -> None:
    """List the requirements: id, level, profile, statement."""
    from dataclasses import asdict  # noqa: PLC0415 -- as in run

    found = catalogue.selected(catalogue.profiles(profiles or tuple(Profile)), select)
    if as_json:
        click.echo(json.dumps([asdict(requirement) for requirement in found], indent=2))
        return
    for requirement in found:
        click.echo(f"{requirement.id:12} {requirement.level:6} {requirement.profile:8} {requirement.statement}")


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--database", metavar="URL", help="SQLAlchemy's; default: SQLite in memory, gone with the server.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Of spec/faults.yaml; repeatable.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Of spec/variants.yaml; repeatable.")
@click.option(
    "--mount", "mounts", multiple=True, metavar="NAME", help="Serve that fault or variant at /NAME as well; repeatable."
)
@click.option("--announce", is_flag=True, help="Print URL and tokens as a line of JSON; end with the standard input.")
def serve(  # noqa: PLR0913 -- the options of a command
    *,
    port: int,
    database: str | None,
    faults: tuple[str, ...],
    variants: tuple[str, ...],
    mounts: tuple[str, ...],
    announce: bool,
) -> None:
    """Serve the reference server on loopback, for trying things by hand."""
    try:
        from purge_conformance import reference  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise SuiteError(f"{error}. The reference server needs: pip install 'purge-conformance[reference]'.") from None

    def ready(url: str, tokens: Mapping[str, str]) -> None:
        if announce:
            click.echo(json.dumps({"url": url, "tokens": dict(tokens)}))
            Thread(target=_end_with_input, daemon=True).start()
        else:
            click.echo(f"Serving {url}. Tokens, good for this server alone:")
            for role, token in tokens.items():
                click.echo(f"export {role.upper()}_TOKEN={token}")
        sys.stdout.flush()

    places = {name: (name,) for name in mounts}
    reference.serve("127.0.0.1", port, database, faults, ready, variants=variants, mounts=places)


def _end_with_input() -> None:
    """End the server when whoever started it is gone, and with it the other end of our standard input."""
    sys.stdin.read()
    signal.raise_signal(signal.SIGTERM)


@main.command(epilog=EPILOG)
@click.argument("folder", type=OLD_RUN)
@click.option("--out", type=FOLDER, required=True, help="Where the new reports go.")
@profile_option
@select_option
def judge(folder: Path, out: Path, profiles: tuple[str, ...], select: tuple[str, ...]) -> None:
    """Judge again, offline, what an old run recorded in FOLDER."""
    from purge_conformance import evidence, judging  # noqa: PLC0415 -- as in run
    from purge_conformance import judge as pytest  # noqa: PLC0415

    judging.wanted(evidence.read(folder), profiles, select)  # what cannot be judged is said before pytest starts
    _finish(pytest.judge(folder, out, profiles, select), out)


@main.command()
@click.argument("folder", type=OLD_RUN)
def report(folder: Path) -> None:
    """Write the reports of the run in FOLDER again, from its report.json and its evidence."""
    from purge_conformance import evidence  # noqa: PLC0415 -- as in run
    from purge_conformance.writers import as_json, write_all  # noqa: PLC0415

    for path in write_all(as_json.load(folder), evidence.read(folder), folder):
        click.echo(path)


@main.command(epilog=SELFCHECK_EPILOG)
@click.option("--only", multiple=True, metavar="NAME-GLOB", help="Of faults and variants; repeatable. Default: all.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Targets at once; default: three a core.")
@click.option("--out", type=FOLDER, help="Where the matrix goes, and the runs that went wrong; default: a new folder.")
@seed_option
def selfcheck(*, only: tuple[str, ...], jobs: int | None, out: Path | None, seed: int) -> None:
    """Check the suite: judge the faultless reference server, every variant and every fault, and print the kill matrix.

    Every fault must fail exactly the requirements that spec/faults.yaml names for it, and no variant may fail any.
    """
    from rich.console import Console  # noqa: PLC0415 -- as in run

    from purge_conformance.selfcheck import checking, shown  # noqa: PLC0415
    from purge_conformance.selfcheck.tally import Tally  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in _run
    console = Console()
    folder = out or _new_folder()
    try:
        with Tally(console) as tally:
            matrix = checking.check(folder, only=only, seed=seed, jobs=jobs, on_row=tally.add)
    except KeyboardInterrupt:
        _stop("Interrupted. No matrix was written.", INCONCLUSIVE)
    for line in shown.lines(matrix):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(
        f"Matrix: {folder / checking.MARKDOWN}, and beside it {checking.JSON}", soft_wrap=True, highlight=False
    )
    sys.exit(1 if matrix.problems() else 0)
