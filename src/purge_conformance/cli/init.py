"""`init`: a configuration file with every key in it, explained."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import click
import yaml

from purge_conformance.cli.options import DEFAULTS, with_flags
from purge_conformance.config import loader as configuration
from purge_conformance.config.options import KEYS, ROLES, Key
from purge_conformance.config.settings import parse_target
from purge_conformance.errors import BadSetting

SOURCE_PATTERN = re.compile("cf|(env|file|command|uaa):.+")
HOME_VARIABLES = ("CF_HOME", "HOME")  # where the login of the cf CLI is, which `cf: true` needs
FILE_HEADER = """\
# Settings of purge-conformance. An environment variable PURGE_CONFORMANCE_KEY stands over this file, a flag over both.
# No secret belongs here: a token is named by where it stands. Consent to destroy, --allow-purge, is given at each run.
"""


@click.command(epilog="Exit codes: 0 written, 2 not.")
@with_flags(*(key.name for key in KEYS))
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(configuration.FILE_NAME),
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(*, given: dict[str, Any], path: Path, force: bool) -> None:
    """Write a commented configuration file, from the flags; on a terminal, target and tokens are asked for.

    The file is written whole or not at all, and never over another one unless --force is given.
    """
    if path.exists() and not force:
        raise BadSetting(f"{path} is there already. Give another name with --config FILE, or --force.")
    sources = _parse_sources(given.pop("tokens") or ())
    if sys.stdin.isatty():
        given["target"] = given["target"] or click.prompt("Target, http(s)://HOST[:PORT][/PREFIX]")
        sources |= _prompt_sources({role: words for role, words in ROLES.items() if role not in sources})
    if given["target"]:
        parse_target(given["target"])
    _write(path, config_text(given | {"tokens": sources}), force=force)
    click.echo(f"{path} is written. To check what it says: purge-conformance doctor")


def config_text(values: dict[str, Any]) -> str:
    """Return a file in which each key is what was given, or stands commented out."""
    lines, section = [FILE_HEADER], ""
    for key in KEYS:
        head, dot, name = key.name.rpartition(".")
        if dot and head != section:
            lines.append(f"{head}:")
        section, indent = head, "  " if dot else ""
        value = values.get(key.name)
        value_lines = _token_lines(value or {}) if key.name == "tokens" else _value_lines(key, name, value)
        lines += [f"{indent}{line}" for line in [f"# {key.help}", *value_lines]]
    return "\n".join(lines) + "\n"


def _value_lines(key: Key, name: str, value: object) -> list[str]:
    if value is not None:
        return yaml.safe_dump({name: value}, width=1000).splitlines()
    default = DEFAULTS.get(key.name)
    return [f"#{name}: {default:g}" if isinstance(default, int | float) else f"#{name}: {key.metavar or 'true'}"]


def _token_lines(sources: dict[str, str]) -> list[str]:
    examples = {role: f"env:{role.upper()}_TOKEN" for role in ROLES if role not in sources}
    source_lines = yaml.safe_dump(sources, width=1000).splitlines() if sources else []
    return ["tokens:", *(f"  {line}" for line in source_lines), *(f"  #{role}: {examples[role]}" for role in examples)]


def _parse_sources(options: tuple[str, ...]) -> dict[str, str]:
    pairs = (option.partition("=") for option in options)
    return {role: _validate_source(source) for role, _, source in pairs}


def _prompt_sources(missing_roles: dict[str, str]) -> dict[str, str]:
    """Return the sources of tokens that a user at the terminal names; an empty line leaves a role out."""
    click.echo("Where each token stands: env:NAME, file:PATH or command:LINE; never the token itself.")
    answers = {role: click.prompt(f"{role}, {words}", "", show_default=False) for role, words in missing_roles.items()}
    return {role: _validate_source(source) for role, source in answers.items() if source}


def _validate_source(source: str) -> str:
    if not SOURCE_PATTERN.fullmatch(source):  # never shown: it may be the token
        raise BadSetting("A token is named by where it stands: env:NAME, file:PATH or command:LINE. Give one of these.")
    return source


def _write(path: Path, content: str, *, force: bool) -> None:
    """Write the file whole, or not at all, once it was read back and understood."""
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
            configuration.merge(
                {}, Path(temporary.name), {name: os.environ[name] for name in HOME_VARIABLES if name in os.environ}
            )
            if force:
                path.unlink(missing_ok=True)
            path.hardlink_to(temporary.name)
    except FileExistsError:
        raise BadSetting(f"{path} is there already. Give another name with --config FILE, or --force.") from None
    except OSError as error:
        raise BadSetting(f"{path} cannot be written: {error.strerror}. Name another with --config FILE.") from None
