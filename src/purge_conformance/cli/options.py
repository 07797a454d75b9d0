"""The options of the commands: those that can be configured come from the table of keys."""

from __future__ import annotations

import time
from dataclasses import fields
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.catalogue.model import Profile
from purge_conformance.config import loader as configuration
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.settings import TIMEOUT, Settings
from purge_conformance.config.value_types import BOOLEAN, TOKEN_SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., object]
    Decorator = Callable[[Command], Command]

FOLDER = click.Path(file_okay=False, path_type=Path)
RUN_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
TRANSPORT_KEYS = ("ca_bundle", "client_cert", "client_key", "insecure", "proxy")
CONNECTION_KEYS = ("tokens", "cf", "timeout", *TRANSPORT_KEYS)  # what every command takes that reaches a target
APP_KEYS = ("apps.mode", "apps.space", "apps.droplet", "apps.droplet_file", "apps.docker_image")
SOURCES_HELP = """

\b
SOURCES of a token, each read or asked again before its end:
  env:NAME        an environment variable; it cannot be renewed
  file:PATH       a file
  command:LINE    what a command prints, for example cf oauth-token
  cf              the login of the cf CLI, which renews it: cf oauth-token
  uaa:password[@ORIGIN]:USER:SECRET     logins at the target's UAA, which its
  uaa:client_credentials:CLIENT:SECRET  root document names; SECRET is env:,
  uaa:refresh_token:SECRET              file: or command: in turn
"""
KEYS_BY_NAME = {key.name: key for key in KEYS}
DEFAULTS = {"timeout": TIMEOUT} | {field.name: field.default for field in fields(Settings)}
profile_option = click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Choice([str(p) for p in Profile]),
    help="Repeatable; default core. observe-only: what reads alone can show.",
)
select_option = click.option(
    "--select", multiple=True, metavar="ID-GLOB", help="Judge these requirements only; repeatable."
)
config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"What to read settings from; default: {configuration.FILE_NAME}, where it exists.",
)


def flag_callback(key: Key) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return click's callback that reads a flag as its key does; the values of a repeated one become one list."""

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
    """Give a command the flags of these keys, and call it with `given`: what they said, None where they are absent."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**values: Any) -> object:  # noqa: ANN401 -- the options of a command
            return command(given={name: values.pop(_parameter(name)) for name in names}, **values)

        result: Command = call
        for name in reversed(names):
            result = _option(KEYS_BY_NAME[name])(result)
        return result

    return decorate


def with_configuration(*names: str) -> Decorator:
    """Give a command the flags of these keys and `--config`, and call it with `given`: all that was given, merged."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*, given: dict[str, Any], config: Path | None, **values: Any) -> object:  # noqa: ANN401 -- as above
            return command(given=configuration.merge(given, config), **values)

        if "tokens" in names:
            call.__doc__ = f"{cleandoc(command.__doc__ or '')}{SOURCES_HELP}"
        return with_flags(*names)(config_option(call))

    return decorate


def new_run_folder() -> Path:
    """Return a folder for a run that was given none."""
    return Path("purge-conformance-report") / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


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
