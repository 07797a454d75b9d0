"""What the user asked for, merged once: the file, over it the environment, over it the flags."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.config.cf_home import config_path, target_of
from purge_conformance.config.options import KEYS, MOST_SHOWN, PREFIX, Key
from purge_conformance.config.roles import ADMIN
from purge_conformance.config.token_flags import CF, of_flags
from purge_conformance.config.value_types import PROXY, SOURCES
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Given = dict[str, Any]  # by the name of its key; what nobody gave is absent

FILE_NAME = "purge-conformance.yaml"
FILE_BYTES = 64 * 1024
CONFIG = f"{PREFIX}CONFIG"
CONSENT = "allow_purge"
APPS = "apps."  # how the keys of their section begin


def merged(flags: Mapping[str, Any], file: Path | None = None, environ: Mapping[str, str] | None = None) -> Given:
    """Return all that was given: a flag stands over the environment, that over the file; tokens do so role by role.

    Args:
        flags: by the name of its key; None is not given.
        file: that was named; None: the one in the working directory, if there is one.
        environ: variables, instead of the process's own.

    Raises:
        BadSetting: the file or a variable is not what it should be.
    """
    environment = os.environ if environ is None else environ
    given = _of_file(file, environment)
    given |= _of_environment(environment)
    tokens = given.pop("tokens", {}) | of_flags(flags.get("tokens") or ())
    given |= {name: value for name, value in flags.items() if value is not None}
    if given.get("cf"):
        tokens[ADMIN] = CF
        given.setdefault("target", target_of(config_path(environment)).url)
    return given | {"tokens": tokens}


def _of_file(file: Path | None, environ: Mapping[str, str]) -> Given:
    path = file or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    if path is None and not Path(FILE_NAME).exists():
        return {}
    path = path or Path(FILE_NAME)
    found = dict(_flat(_document(path), path))
    known = {key.name: key for key in KEYS}
    return {name: _checked(known, name, value, path) for name, value in found.items() if value is not None}


def _document(path: Path) -> dict[Any, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(FILE_BYTES)
        document = yaml.load(text, _Strict)  # noqa: S506 -- a safe loader
    except yaml.YAMLError as error:  # its text quotes the file, and may quote a secret
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        what = "names a key twice" if isinstance(error, _Twice) else "is no YAML"
        raise BadSetting(f"{path} {what}{place}. Mend it, or write one anew: purge-conformance init.") from None
    except (OSError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text that can be read"
        raise BadSetting(f"{path} cannot be read: {reason}. Name a readable file with --config.") from None
    if len(text) == FILE_BYTES:
        raise BadSetting(f"{path} has {FILE_BYTES} bytes or more. Name the right file with --config.")
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadSetting(f"{path} holds no mapping. Write one `key: value` a line, as purge-conformance init does.")
    return document


def _flat(document: dict[Any, Any], path: Path) -> Iterable[tuple[str, Any]]:
    """Yield each key by its name, those of a section as `section.key`."""
    sections = {key.name.partition(".")[0] for key in KEYS if "." in key.name}
    for name, value in document.items():
        if name not in sections:
            yield str(name), value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        elif value is not None:
            raise BadSetting(f"{path}: {name} is a section. Write its keys below it, indented.")


def _checked(known: Mapping[str, Key], name: str, value: object, path: Path) -> object:
    if name == CONSENT:
        raise BadSetting(f"{path}: consent to destroy is given at each run, not by a file. Give --allow-purge HOST.")
    key = known.get(name)
    if key and key.kind is PROXY and "@" in str(value):
        raise BadSetting(f"{path}: {name}: a password does not belong into a file. Put the URL into {key.variable}.")
    if key is None:
        raise BadSetting(
            f"{path}: there is no key {_short(name)}.{_meant(name, known)} Known keys: {', '.join(known)}."
        )
    if key.kind.many and isinstance(value, str) and key.kind.of_text:
        value = [value]
    try:
        return key.checked(value)
    except ValueError as error:
        raise BadSetting(f"{path}: {name}: {error}. Mend it there.") from None


def _of_environment(environ: Mapping[str, str]) -> Given:
    known = {key.variable: key for key in KEYS}
    if f"{PREFIX}{CONSENT.upper()}" in environ:
        raise BadSetting(f"{PREFIX}{CONSENT.upper()} is no consent: it is given at each run. Give --allow-purge HOST.")
    for variable in environ:
        rest = variable.removeprefix(PREFIX)
        meant = _meant(rest, [name.removeprefix(PREFIX) for name in known])
        if rest != variable and variable not in {*known, CONFIG} and meant:
            raise BadSetting(f"The environment variable {PREFIX}{_short(rest)} means nothing.{meant}")
    return {key.name: _read(key, environ[name]) for name, key in known.items() if environ.get(name)}


def _read(key: Key, text: str) -> object:
    if key.kind is SOURCES:
        raise BadSetting(f"{key.variable} cannot name tokens. Give {key.option} ROLE=SOURCE, or `tokens:` in a file.")
    try:
        return key.read(text)
    except ValueError as error:
        raise BadSetting(f"The environment variable {key.variable}: {error}. Mend or unset it.") from None


def _meant(name: str, known: Iterable[str]) -> str:
    """Return a question for what was probably meant; empty where nothing is close."""
    close = get_close_matches(name, list(known), 1, 0.8)
    return f" Did you mean {close[0]}?" if close else ""


def _short(name: str) -> str:
    return name if len(name) <= MOST_SHOWN else "of such a length"


class _Twice(yaml.MarkedYAMLError):
    """A key that stands in one mapping twice."""


class _Strict(yaml.SafeLoader):
    """Reads plain values only, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as yaml has it
        seen: set[str] = set()
        for name in (name for name, _ in node.value if isinstance(name, yaml.ScalarNode)):
            if name.value in seen:
                raise _Twice(problem_mark=name.start_mark)
            seen.add(name.value)
        return super().construct_mapping(node, deep)
