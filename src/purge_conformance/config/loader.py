"""Merges the options from flags, environment variables and the configuration file; the first of these wins."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.config.cf_home import config_path, read_target
from purge_conformance.config.options import KEYS, MAX_QUOTED_CHARS, PREFIX, Key
from purge_conformance.config.roles import ADMIN, require_known
from purge_conformance.config.token_flags import CF_SOURCE, parse_flags
from purge_conformance.config.trusted_file import find_distrust, require_no_command
from purge_conformance.config.value_types import PROXY, TOKEN_SOURCES
from purge_conformance.errors import BadSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Options = dict[str, Any]  # option name -> value; an option that was not given is absent

FILE_NAME = "purge-conformance.yaml"
MAX_FILE_BYTES = 64 * 1024
CONFIG = f"{PREFIX}CONFIG"
FLAGS_ONLY = {  # what only a flag can give -> the message for a file or a variable that tries
    "allow_purge": "consent can be given only as a flag. {remove} Give --allow-purge HOST.",
    "allow_incomplete_archive": "it can be given only as a flag. {remove} Give --allow-incomplete-archive.",
    "force": "it can be given only as a flag. {remove} Give --force.",
}
ENV_SOURCE = re.compile(r"(?:^|:)env:([^:]+)$")  # the end of a source such as uaa:refresh_token:env:NAME
MISSPELT = 0.8  # a variable that holds a token is not similar to an option
APPS_PREFIX = "apps."  # of the names of the options in the section `apps`


def merge(flags: Mapping[str, Any], file: Path | None = None, environ: Mapping[str, str] | None = None) -> Options:
    """Return all options that were given. A flag overrides a variable, which overrides the file; tokens merge by role.

    Args:
        flags: option name -> value; None if the flag is absent.
        file: the configuration file; None: the variable names it, or else the one in the working directory is read if
            it exists.
        environ: environment variables; None: those of this process.

    Raises:
        BadSetting: the file or a variable is not usable, or a role is not known.
    """
    environment = os.environ if environ is None else environ
    named = file or (Path(environment[CONFIG]) if environment.get(CONFIG) else None)
    path = named or Path(FILE_NAME)
    file_values, distrust = _load_file(path) if named or path.exists() else ({}, "")
    values = file_values | _load_environment(environment)
    tokens = values.pop("tokens", {}) | parse_flags(flags.get("tokens") or ())
    values |= {name: value for name, value in flags.items() if value is not None}
    if values.get("cf"):
        tokens[ADMIN] = CF_SOURCE
        values.setdefault("target", read_target(config_path(environment)).url)
    require_known(tokens)
    _require_known_variables(environment, tokens)
    values["tokens"] = tokens
    if distrust and not named:
        require_no_command(path, file_values, values, distrust)
    return values


def _load_file(path: Path) -> tuple[Options, str]:
    """Return the values of a file, and why others may have written it; empty if only its user can."""
    document, distrust = _parse_yaml(path)
    values = dict(_flatten(document, path))
    keys_by_name = {key.name: key for key in KEYS}
    valid = {name: _validate(keys_by_name, name, value, path) for name, value in values.items() if value is not None}
    return valid, distrust


def _parse_yaml(path: Path) -> tuple[dict[Any, Any], str]:
    try:
        with path.open(encoding="utf-8") as file:
            distrust = find_distrust(file, path)
            text = file.read(MAX_FILE_BYTES)
        document = yaml.load(text, _StrictLoader)  # noqa: S506 -- a safe loader
    except yaml.YAMLError as error:  # its text quotes the file, and may quote a secret
        mark = getattr(error, "problem_mark", None)
        position = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        what = "contains a key twice" if isinstance(error, _DuplicateKey) else "is not valid YAML"
        raise BadSetting(
            f"{path} {what}{position}. Fix it there, or write a new file: purge-conformance init --force"
        ) from None
    except (OSError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise BadSetting(f"{path} cannot be read: {reason}. Give a readable file with --config FILE.") from None
    if len(text) == MAX_FILE_BYTES:
        raise BadSetting(f"{path} has {MAX_FILE_BYTES:,} bytes or more. Give a configuration file with --config FILE.")
    if document is None:
        return {}, ""
    if not isinstance(document, dict):
        raise BadSetting(f"{path} is not a mapping. Write one `key: value` per line, as purge-conformance init does.")
    return document, distrust


def _flatten(document: dict[Any, Any], path: Path) -> Iterable[tuple[str, Any]]:
    """Yield option name -> value; the keys of a section become `section.key`."""
    sections = {key.name.partition(".")[0] for key in KEYS if "." in key.name}
    for name, value in document.items():
        if name not in sections:
            yield str(name), value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        elif value is not None:
            raise BadSetting(f"{path}: {name} got a value, but it is a section. Write its keys below it, indented.")


def _validate(keys_by_name: Mapping[str, Key], name: str, value: object, path: Path) -> object:
    if name in FLAGS_ONLY:
        raise BadSetting(f"{path}: {name}: {FLAGS_ONLY[name].format(remove='Remove it there.')}")
    key = keys_by_name.get(name)
    if key and key.value_type is PROXY and "@" in str(value):
        raise BadSetting(
            f"{path}: {name}: its URL contains a password. Remove it, and set {key.variable} to the URL instead."
        )
    if key is None:
        raise BadSetting(
            f"{path}: {_short_name(name)} is not a known setting.{did_you_mean(name, keys_by_name, 1, MISSPELT)} "
            f"Known settings: {', '.join(keys_by_name)}."
        )
    if key.value_type.is_repeatable and isinstance(value, str) and key.value_type.parse:
        value = [value]
    try:
        return key.validate(value)
    except ValueError as error:
        raise BadSetting(f"{path}: {name}: {error}. Fix it there.") from None


def _load_environment(environ: Mapping[str, str]) -> Options:
    keys_by_variable = {key.variable: key for key in KEYS}
    for variable, message in ((f"{PREFIX}{name.upper()}", message) for name, message in FLAGS_ONLY.items()):
        if variable in environ:
            raise BadSetting(f"{variable}: {message.format(remove='Unset it.')}")
    return {
        key.name: _parse_variable(key, environ[name]) for name, key in keys_by_variable.items() if environ.get(name)
    }


def _require_known_variables(environ: Mapping[str, str], tokens: Mapping[str, object]) -> None:
    """Require that each variable with the prefix sets an option, or is the source of a secret."""
    known = {CONFIG, *(key.variable for key in KEYS)}
    definitions = [*tokens.values()]
    lines = [*definitions, *(line for each in definitions if isinstance(each, dict) for line in each.values())]
    known |= {match[1] for line in lines if isinstance(line, str) and (match := ENV_SOURCE.search(line))}
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name not in known):
        rest = variable.removeprefix(PREFIX)
        suggestion = did_you_mean(rest, [key.variable.removeprefix(PREFIX) for key in KEYS], 1, MISSPELT)
        suggestion = suggestion.replace("mean ", f"mean {PREFIX}")
        raise BadSetting(
            f"The environment variable {PREFIX}{_short_name(rest)} is not a known setting.{suggestion} Unset it, or "
            "rename it if it holds a token."
        )


def _parse_variable(key: Key, text: str) -> object:
    if key.value_type is TOKEN_SOURCES:
        raise BadSetting(
            f"{key.variable} cannot set tokens. Give {key.option} ROLE=SOURCE, or write `tokens:` into {FILE_NAME}."
        )
    try:
        return key.parse(text)
    except ValueError as error:
        raise BadSetting(f"The environment variable {key.variable}: {error}. Fix or unset it.") from None


def _short_name(name: str) -> str:
    return name if len(name) <= MAX_QUOTED_CHARS else f"a name of {len(name)} characters"


class _DuplicateKey(yaml.MarkedYAMLError):
    """A mapping contains a key twice."""


class _StrictLoader(yaml.SafeLoader):
    """Loads plain values only, and rejects a mapping that contains a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as yaml has it
        names: set[str] = set()
        for name in (name for name, _ in node.value if isinstance(name, yaml.ScalarNode)):
            if name.value in names:
                raise _DuplicateKey(problem_mark=name.start_mark)
            names.add(name.value)
        return super().construct_mapping(node, deep)
