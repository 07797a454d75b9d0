"""fleet.yaml, the file of `run --targets`: the targets of a fleet, and the options of the run of each.

`spec/fleet.schema.json` describes it for editors. The options are those of a configuration file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.config import yaml_lines
from purge_conformance.config.formats import FORMATS, parse_format
from purge_conformance.config.loader import APPS_PREFIX, FLAGS_ONLY
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.roles import require_known
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.config.value_types import COMMAND, PROXY
from purge_conformance.errors import BadSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from purge_conformance.config.loader import Options
    from purge_conformance.config.yaml_lines import LinedDocument, Place

FLAG = "--targets"
SCHEMA = "fleet.schema.json"
DEFAULTS, TARGETS = "defaults", "targets"
NAME, URL, CONSENT = "name", "url", "allow_purge"
APPS = APPS_PREFIX.rstrip(".")
FOLDER_NAME = re.compile(r"(?!fleet\.)[a-z0-9][a-z0-9._-]{0,39}")  # of each target: no file of the fleet has it
IDENTITY = (NAME, URL, CONSENT)  # keys of a target that are no options
ONE_TARGET = ("fingerprint", "hook")  # options that no two targets share
NOT_HERE = {  # options that a target cannot have -> what to do instead
    "target": f"Write the URL of a target as `{URL}`.",
    "out": "Remove it: the folder of a target is its name, in the folder of --out.",
    "cf": "The cf CLI has one login. Write tokens: below each target, for example `admin: env:ADMIN_TOKEN`.",
}
OPTIONS = {key.name: key for key in KEYS if key.name not in NOT_HERE}


@dataclass(frozen=True, slots=True)
class FleetTarget:
    """One target of a fleet.

    Attributes:
        name: of the target, and of its folder.
        url: its base URL.
        allowed_hosts: hosts whose app usage events its run may destroy, as its entry names them.
        options: option name -> value, of the entry and of the defaults; tokens merge by role.
        place: file and line, for messages.
    """

    name: str
    url: str
    allowed_hosts: tuple[str, ...]
    options: Options
    place: str

    @property
    def config(self) -> dict[str, Any]:
        """The options as the content of a configuration file."""
        apps = {name.removeprefix(APPS_PREFIX): v for name, v in self.options.items() if name.startswith(APPS_PREFIX)}
        plain = {name: value for name, value in self.options.items() if not name.startswith(APPS_PREFIX)}
        return plain | ({APPS: apps} if apps else {})

    def error(self, problem: object) -> BadSetting:
        """Return an error about this entry."""
        return BadSetting(f"{self.place} ({self.name}): {problem}")


def load(path: Path) -> tuple[FleetTarget, ...]:
    """Return the targets of a file, in its order.

    Raises:
        BadSetting: it cannot be read, has an unknown key or a wrong value, or names a target twice; the message names
            the line.
    """
    document = yaml_lines.load(path, FLAG)
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), f"a mapping with the key {TARGETS} is expected. docs/fleet.md has an example.")
    for name in data:
        _require_known_key(document, (name,), name, (DEFAULTS, TARGETS))
    if not isinstance(data.get(TARGETS), list) or not data[TARGETS]:
        raise document.error((TARGETS,), f"{TARGETS} is missing or empty. Write one entry per target: `- {NAME}: ...`.")
    defaults = _read_options(document, (DEFAULTS,), data.get(DEFAULTS) or {})
    targets = tuple(_read_target(document, (TARGETS, n), row, defaults) for n, row in enumerate(data[TARGETS]))
    _require_different(document, targets)
    return targets


def _read_target(document: LinedDocument, place: Place, row: object, defaults: Options) -> FleetTarget:
    if not isinstance(row, dict):
        raise document.error(place, f"a target is a mapping. Write `- {NAME}: ...`, and `{URL}: ...` below it.")
    for key in (NAME, URL):
        if not isinstance(row.get(key), str) or not row[key]:
            raise document.error((*place, key), f"{key} is missing. Write `{key}: ...` below the target.")
    if not FOLDER_NAME.fullmatch(row[NAME]):
        raise document.error(
            (*place, NAME),
            f"{NAME}: {row[NAME]!r} cannot be the name of a folder of the fleet. Give at most 40 characters of a-z, "
            "0-9, `.`, `_` and `-`, the first one a letter or a digit.",
        )
    options = _read_options(document, place, {name: value for name, value in row.items() if name not in IDENTITY})
    tokens = defaults.get("tokens", {}) | options.get("tokens", {})
    try:
        require_known(tokens)
        url = parse_target(row[URL]).url
    except BadSetting as error:
        raise document.error((*place, URL), str(error)) from None
    hosts = _read_hosts(document, (*place, CONSENT), row.get(CONSENT, []))
    return FleetTarget(
        row[NAME], url, hosts, defaults | options | {"tokens": tokens}, f"{document.name}, line {document.line(place)}"
    )


def _read_hosts(document: LinedDocument, place: Place, value: object) -> tuple[str, ...]:
    hosts = [value] if isinstance(value, str) else value
    if not isinstance(hosts, list) or not all(isinstance(host, str) and host for host in hosts):
        raise document.error(place, f"{CONSENT}: a host is expected, or a list of hosts. Write `{CONSENT}: HOST`.")
    return tuple(hosts)


def _read_options(document: LinedDocument, place: Place, row: object) -> Options:
    """Return option name -> value of a target or of the defaults."""
    if not isinstance(row, dict):
        raise document.error(
            place, f"a mapping of options is expected. Write `key: value` below {place[-1]}, indented."
        )
    return {name: _read_value(document, where, name, value) for where, name, value in _flatten(document, place, row)}


def _flatten(document: LinedDocument, place: Place, row: Mapping[str, object]) -> Iterator[tuple[Place, str, object]]:
    """Yield the place, the option name and the value of each key; those of the section `apps` become `apps.KEY`."""
    for name, value in row.items():
        if name != APPS:
            yield (*place, name), name, value
        elif isinstance(value, dict):
            yield from (((*place, APPS, key), APPS_PREFIX + key, inner) for key, inner in value.items())
        else:
            raise document.error((*place, APPS), f"{APPS} is a section. Write its keys below it, indented.")


def _read_value(document: LinedDocument, place: Place, name: str, value: object) -> object:
    is_default = place[0] == DEFAULTS
    if is_default and name in (*IDENTITY, *ONE_TARGET):
        raise document.error(place, f"{name} belongs to one target. Write it below that target.")
    known = [each for each in OPTIONS if not (is_default and each in ONE_TARGET)]
    _require_known_key(document, place, name, known if is_default else (*IDENTITY, *known))
    try:
        return _typed(OPTIONS[name], value)
    except ValueError as error:
        raise document.error(place, f"{name}: {error}. Fix it there.") from None


def _require_known_key(document: LinedDocument, place: Place, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    if name in FLAGS_ONLY:
        reason = "A fleet has no flag for it. Remove it, or judge this target alone with that flag."
    else:
        reason = NOT_HERE.get(name) or f"Known: {', '.join(known)}."
    raise document.error(place, f"{name} is no key here.{did_you_mean(name, known, 1)} {reason}")


def _typed(key: Key, value: object) -> object:
    """Return the value that a text, list or mapping of the file stands for.

    Raises:
        ValueError: the option cannot have it; the text says what was got and what is expected.
    """
    kind = key.value_type
    if kind is PROXY and "@" in str(value):
        raise ValueError("its URL contains a password. Remove it, and set HTTPS_PROXY to the URL instead")
    if kind is FORMATS and any(parse_format(str(each))[1] for each in (value if isinstance(value, list) else [value])):
        raise ValueError("NAME=FILE names a file. Give NAME alone, which is a file in the folder of each target")
    if isinstance(value, str) and kind.parse and kind.is_repeatable:
        return key.validate([value])
    return key.parse(value) if isinstance(value, str) and kind.parse and kind is not COMMAND else key.validate(value)


def _require_different(document: LinedDocument, targets: Sequence[FleetTarget]) -> None:
    """Require that no two targets have the same name, address or pinned fingerprint.

    Raises:
        BadSetting: two have; their runs would write the same files, or destroy each other's events.
    """
    kinds: dict[str, list[str | None]] = {
        NAME: [target.name for target in targets],
        URL: [_address(target.url) for target in targets],
        "fingerprint": [target.options.get("fingerprint") for target in targets],
    }
    for key, values in kinds.items():
        for number, value in enumerate(values):
            first = values.index(value)
            if value is not None and first != number:
                raise document.error(
                    (TARGETS, number, key),
                    f"{targets[number].name} has the same {key} as {targets[first].name} ({targets[first].place}). "
                    f"{_consequence(key)} Remove one of them.",
                )


def _consequence(key: str) -> str:
    return "Each name is a folder." if key == NAME else "Two runs on one foundation destroy each other's events."


def _address(url: str) -> str:
    """Return the host, the port and the prefix of a URL."""
    return f"{Target(url).address}{urlsplit(url).path}"
