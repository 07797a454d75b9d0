"""The flags of the commands; those that a file can set as well come from the table of options."""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.catalogue.model import Profile
from purge_conformance.config import loader
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE, PATIENCE, TIMEOUT, Settings
from purge_conformance.config.value_types import BOOLEAN, TOKEN_SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.config.loader import Options

    Command = Callable[..., object]
    Decorator = Callable[[Command], Command]

FOLDER = click.Path(file_okay=False, path_type=Path)
RUN_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
TRANSPORT_KEYS = ("ca_bundle", "client_cert", "client_key", "insecure", "proxy")
CONNECTION_KEYS = ("tokens", "cf", "timeout", *TRANSPORT_KEYS)  # of every command that sends requests
APP_KEYS = ("apps.mode", "apps.space", "apps.droplet", "apps.droplet_file", "apps.docker_image")
RUN_KEYS = (  # of `run`, and of `doctor` and `plan`, which check them before a run
    "target",
    *CONNECTION_KEYS,
    *APP_KEYS,
    "out",
    "format",
    "baseline",
    "profile",
    "select",
    "examples",
    "seed",
    "repeat",
    "patience",
    "max_purges",
    "max_requests",
    "max_events",
    "max_time",
    "max_memory",
    "hook",
    "hook_env",
    "before_purge",
    "fingerprint",
    "alongside",
    "known_failures",
)
REPORTED_KEYS = {"target", "profile", "select", "examples", "seed", "repeat"}  # which `reproduce` takes from a report
REPRODUCE_KEYS = tuple(name for name in RUN_KEYS if name not in REPORTED_KEYS | {"baseline", "known_failures"})
SOURCES_HELP = """

\b
SOURCES of a token; all except env: are asked again before the token expires:
  env:NAME        an environment variable
  file:PATH       a file
  command:LINE    the output of a command, for example cf oauth-token
  cf              the login of the cf CLI
  uaa:password[@ORIGIN]:USER:SECRET     a login at the UAA that the target's
  uaa:client_credentials:CLIENT:SECRET  root document names; SECRET is env:,
  uaa:refresh_token:SECRET              file: or command:
"""
DEFAULT_INTERVAL_S = 60
KEYS_BY_NAME = {key.name: key for key in KEYS}
DEFAULTS = {"timeout": TIMEOUT, "patience": PATIENCE} | {field.name: field.default for field in fields(Settings)}
select_option = click.option("--select", multiple=True, metavar="ID-GLOB", help=KEYS_BY_NAME["select"].help)
allow_purge_option = click.option(
    "--allow-purge",
    multiple=True,
    metavar="HOST",
    help="Host whose app usage events the run may destroy; repeatable. Not needed on this machine; `plan` names it.",
)
allow_incomplete_archive_option = click.option(
    ALLOW_INCOMPLETE_ARCHIVE,
    is_flag=True,
    help="Purge although not all events could be archived; the report says so.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
force_option = click.option(
    "--force",
    is_flag=True,
    help="Replace the evidence and the reports of a run that --out holds. Its archive gets another name there.",
)
WATCH_OPTIONS = (  # the last one first
    click.option(
        "--interval",
        type=click.IntRange(1, 86_400),
        metavar="SECONDS",
        help=f"With --watch: least seconds between the starts of two runs; default: {DEFAULT_INTERVAL_S}.",
    ),
    click.option(
        "--watch-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="With --watch: run again whenever this file changes, too.",
    ),
    click.option(
        "--watch",
        is_flag=True,
        help="Run again whenever the target's version changes (root document, /v3/info), until interrupted. Asks for "
        "no consent: give --allow-purge. Each run has its own folder, in that of --out.",
    ),
)
VERBOSITY_OPTIONS = (  # the last one first, as decorators are applied
    click.option("--verbose", "verbosity", flag_value=2, type=int, help="Print every request."),
    click.option("--quiet", "verbosity", flag_value=0, type=int, help="Print only the result and warnings."),
)
config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Configuration file; default: {loader.FILE_NAME} if it exists.",
)


def profile_option(default: str) -> Decorator:
    """Return the option `--profile` of a command, with its default in words."""
    return click.option(
        "--profile",
        "profiles",
        multiple=True,
        type=click.Choice([str(profile) for profile in Profile]),
        help=f"Profile; repeatable; default: {default}.",
    )


def flag_callback(key: Key) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return a callback for click that parses a flag; the values of a repeated flag become one list."""

    def read(_: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401 -- any value of a flag
        if value == ():
            return None
        if not isinstance(value, str | tuple) or key.value_type is TOKEN_SOURCES:
            return value
        try:
            return key.parse_flag(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", param=parameter) from None

    return read


def with_flags(*names: str) -> Decorator:
    """Give a command these flags and call it with `values`: option name -> value, None if the flag is absent."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**values: Any) -> object:  # noqa: ANN401 -- the options of a command
            flags = {name: values.pop(_parameter(name)) for name in names}
            return command(values=flags, **values)

        result: Command = call
        for name in reversed(names):
            result = _option(KEYS_BY_NAME[name])(result)
        return result

    return decorate


def with_configuration(*names: str) -> Decorator:
    """Give a command these flags and `--config`, and call it with `values`: flags, environment and file, merged."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*, values: Options, config: Path | None, **more: Any) -> object:  # noqa: ANN401 -- as above
            return command(values=loader.merge(values, config), **more)

        if "tokens" in names:
            call.__doc__ = f"{cleandoc(command.__doc__ or '')}{SOURCES_HELP}"
        return with_flags(*names)(config_option(call))

    return decorate


def with_purge_flags(*names: str) -> Decorator:
    """Give a command that purges these flags, and call it with `values`, `allow_purge` and `verbosity`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*, values: Options, allow_incomplete_archive: bool, **more: Any) -> object:  # noqa: ANN401 -- as above
            return command(values=values | {"allow_incomplete_archive": allow_incomplete_archive}, **more)

        result: Command = call
        for option in (*VERBOSITY_OPTIONS, allow_incomplete_archive_option, allow_purge_option):
            result = option(result)
        return with_configuration(*names)(result)

    return decorate


def with_run_flags(command: Command) -> Command:
    """Give a command every flag of `run`, as `with_purge_flags` does.

    `doctor` and `plan` have them too: a user checks a run by replacing the name of the command.
    """

    @wraps(command)
    def call(
        *,
        values: Options,
        force: bool,
        watch: bool,
        watch_file: Path | None,
        interval: int | None,
        **more: Any,  # noqa: ANN401 -- as above
    ) -> object:
        own = {"force": force, "watch": watch, "watch_file": watch_file, "interval": interval or DEFAULT_INTERVAL_S}
        _require_watchable(values | own, is_detailed=interval is not None or watch_file is not None)
        return command(values=values | own, **more)

    result: Command = call
    for option in (*WATCH_OPTIONS, force_option):
        result = option(result)
    return with_purge_flags(*RUN_KEYS)(result)


def _require_watchable(values: Options, *, is_detailed: bool) -> None:
    """Require that the flags of --watch fit together.

    Raises:
        click.UsageError: they do not.
    """
    if is_detailed and not values["watch"]:
        raise click.UsageError("Got --watch-file or --interval, but not --watch. Give --watch as well.")
    if values["watch"] and "target" not in values:
        raise click.UsageError("Got --watch, but no target. Give the target's URL as well.")
    if values["watch"] and values["force"]:
        raise click.UsageError("Got --watch and --force: each run of --watch has a new folder. Omit --force.")


def _option(key: Key) -> Decorator:
    if key.name == "target":
        return click.argument("target", required=False, metavar=f"[{key.metavar}]", callback=flag_callback(key))
    default = DEFAULTS.get(key.name)
    text = f"{key.help}  [default: {default:g}]" if isinstance(default, int | float) and default else key.help
    if key.value_type is BOOLEAN:
        return click.option(key.option, _parameter(key.name), is_flag=True, default=None, help=key.help)
    return click.option(
        key.option,
        _parameter(key.name),
        metavar=key.metavar,
        multiple=key.value_type.is_repeatable,
        callback=flag_callback(key),
        help=text,
    )


def _parameter(name: str) -> str:
    return name.replace(".", "_")
