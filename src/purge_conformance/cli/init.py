"""`init`: writes a configuration file that contains and explains every option."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from purge_conformance.cli.options import DEFAULTS, with_flags
from purge_conformance.cli.output import ask, write_line
from purge_conformance.config import loader
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.roles import ROLES
from purge_conformance.config.settings import parse_target
from purge_conformance.config.value_types import BOOLEAN
from purge_conformance.errors import BadSetting
from purge_conformance.evidence import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.config.loader import Options

SOURCE_PATTERN = re.compile("cf|(env|file|command|uaa):.+")
HOME_VARIABLES = ("CF_HOME", "HOME")  # `cf: true` needs them to find the login of the cf CLI
UNUSABLE_SOURCE = (  # does not quote it: it may be the token
    "The source of a token is not usable. Give env:NAME, file:PATH, command:LINE, cf or uaa:GRANT, never the token "
    "itself."
)
FILE_HEADER = """\
# Settings of purge-conformance. Flags override environment variables (PURGE_CONFORMANCE_KEY), which override this file.
# Write no secret here: name the source of each token. Consent can be given only as a flag: --allow-purge HOST.
"""


@click.command(epilog="Exit codes: 0 written, 2 not written.")
@with_flags(*(key.name for key in KEYS))
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(loader.FILE_NAME),
    show_default=True,
    help="File to write.",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
def init(*, values: Options, path: Path, force: bool) -> None:
    """Write a commented configuration file.

    It contains the values of the flags and, commented out, every other option. On a terminal, target and tokens are
    prompted for. An existing file is overwritten only with --force.
    """
    if path.exists() and not force:
        raise _already_exists(path)
    sources = _parse_sources(values.pop("tokens") or ())
    if sys.stdin.isatty():
        values["target"] = values["target"] or _prompt_target()
        sources |= _prompt_sources({role: text for role, text in ROLES.items() if role not in sources})
    if values["target"]:
        parse_target(values["target"])
    _write(path, config_text(values | {"tokens": sources}), force=force)
    config_flag = "" if path == Path(loader.FILE_NAME) else f" --config {shlex.quote(str(path))}"
    write_line(f"Wrote {path}. To check it: purge-conformance doctor{config_flag}")


def config_text(values: Options) -> str:
    """Return a file that contains every option: with its value, or else commented out."""
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
    default = None if key.value_type is BOOLEAN else DEFAULTS.get(key.name)
    return [f"#{name}: {default:g}" if isinstance(default, int | float) else f"#{name}: {key.metavar or 'true'}"]


def _token_lines(sources: Mapping[str, str]) -> list[str]:
    examples = {role: f"env:{role.upper()}_TOKEN" for role in ROLES if role not in sources}
    source_lines = yaml.safe_dump(dict(sources), width=1000).splitlines() if sources else []
    return ["tokens:", *(f"  {line}" for line in source_lines), *(f"  #{role}: {examples[role]}" for role in examples)]


def _parse_sources(flags: Iterable[str]) -> dict[str, str]:
    pairs = (flag.partition("=") for flag in flags)
    return {role: _validate_source(role, source) for role, _, source in pairs}


def _prompt_sources(missing_roles: Mapping[str, str]) -> dict[str, str]:
    """Ask for the source of each role's token; an empty answer leaves a role out."""
    write_line("Source of each token: env:NAME, file:PATH or command:LINE, never the token itself. Enter skips a role.")
    answers = {role: _prompt_source(role, f"{role}: {text}") for role, text in missing_roles.items()}
    return {role: source for role, source in answers.items() if source}


def _prompt_target() -> str:
    """Ask until the answer is the URL of a target."""
    while True:
        url = ask("Target, http(s)://HOST[:PORT][/PREFIX]")
        try:
            parse_target(url)
        except BadSetting as reason:
            write_line(str(reason))
        else:
            return url


def _prompt_source(role: str, prompt: str) -> str:
    """Ask until the answer is empty or a source that a run can use; say if there is nothing there yet."""
    while source := ask(prompt, ""):
        try:
            _validate_source(role, source)
        except BadSetting as reason:
            write_line(str(reason))
        else:
            if missing := _describe_missing(source):
                write_line(f"Kept. Note: {missing}")
            return source
    return ""


def _describe_missing(source: str) -> str:
    """Return that a variable or a file does not exist yet; empty if it does, or if the source is another one."""
    kind, _, name = source.partition(":")
    if kind == "env" and not os.environ.get(name):
        return "that environment variable is not set now. Set it before the run."
    if kind == "file" and not Path(name).is_file():
        return "there is no such file now. Write it before the run."
    return ""


def _validate_source(role: str, source: str) -> str:
    """Return the source of a role's token, if a run can use it.

    Raises:
        BadSetting: it cannot.
    """
    from purge_conformance.client.auth.sources import check_source

    if not SOURCE_PATTERN.fullmatch(source):
        raise BadSetting(UNUSABLE_SOURCE)
    check_source(role, source)
    return source


def _write(path: Path, content: str, *, force: bool) -> None:
    """Write the whole file or nothing, after checking that it can be loaded."""
    try:
        with files.writing(path, replace=force) as file:
            file.write(content.encode())
            file.flush()
            environ = {name: os.environ[name] for name in HOME_VARIABLES if name in os.environ}
            loader.merge({}, Path(file.name), environ)
    except FileExistsError:
        raise _already_exists(path) from None
    except OSError as error:
        raise BadSetting(f"{path} cannot be written: {error.strerror}. Give another path with --config FILE.") from None


def _already_exists(path: Path) -> BadSetting:
    return BadSetting(f"{path} exists already. Give another path with --config FILE, or overwrite it with --force.")
