"""What is checked of a whole fleet before a run of it starts: options, consent, and that no two are one foundation."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.sources import check_sources
from purge_conformance.config.build import build_settings
from purge_conformance.config.loader import CONFIG
from purge_conformance.config.options import KEYS, PREFIX
from purge_conformance.config.transport import is_loopback
from purge_conformance.errors import BadSetting, ConsentMissing, SuiteError
from purge_conformance.target.command_environment import named_variables
from purge_conformance.target.consent import needed_consent
from purge_conformance.target.fingerprint import fingerprint_of
from purge_conformance.target.root_document import read_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from purge_conformance.config.fleet import FleetTarget
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

ROOT_TIME_S = 10.0  # to read the root document of one target
MAX_READERS = 32  # root documents that are read at the same time


def settings_of(targets: Iterable[FleetTarget]) -> tuple[Settings, ...]:
    """Return the settings of the run of each target; sends nothing.

    Raises:
        BadSetting: options of a target contradict each other, or the source of a token is not valid; the message has
            the line of the target.
    """
    return tuple(map(_settings, targets))


def _settings(target: FleetTarget) -> Settings:
    try:
        settings = build_settings(target.options | {"target": target.url})
        check_sources(settings)
    except BadSetting as error:
        raise target.error(error) from None
    return settings


def require_no_variables(targets: Iterable[FleetTarget], environ: Mapping[str, str] | None = None) -> None:
    """Require that no environment variable sets an option: the file of the fleet is the only place for them.

    Raises:
        BadSetting: one does.
    """
    environment = os.environ if environ is None else environ
    names = {key.variable: key.name for key in KEYS} | {CONFIG: "defaults"}
    sources = {name for target in targets for name in named_variables(target.options["tokens"])}
    if wrong := sorted(name for name in environment if name.startswith(PREFIX) and name not in sources):
        raise BadSetting(
            f"{wrong[0]} is set, but with --targets every option is in its file. Unset it"
            + (f", and write `{names[wrong[0]]}:` there instead." if wrong[0] in names else ".")
        )


def require_consents(
    targets: Sequence[FleetTarget], settings: Sequence[Settings], allowed_hosts: Iterable[str]
) -> None:
    """Require that the user named the host of each target that is not on this machine, in the file or by a flag.

    Raises:
        ConsentMissing: some are not named; the message has all of them.
    """
    by_flag = {host.lower() for host in allowed_hosts}
    missing: list[str] = []
    for target, each in zip(targets, settings, strict=True):
        consent = needed_consent(each, None)
        if consent and not (by_flag | {host.lower() for host in target.allowed_hosts}) & consent.names:
            missing.append(f"{target.name} needs `allow_purge: {consent.host}` ({target.place})")
    if missing:
        raise ConsentMissing(
            f"A run destroys all app usage events (billing data) of its target. Not allowed yet: {'; '.join(missing)}. "
            "Write that below the target, or give --allow-purge HOST."
        )


def require_no_loopback(targets: Sequence[FleetTarget], settings: Sequence[Settings]) -> None:
    """Require that no target is on loopback, which is another machine on a worker elsewhere.

    Raises:
        BadSetting: one is.
    """
    for target, each in zip(targets, settings, strict=True):
        if is_loopback(each.target.host):
            raise target.error(
                f"{target.url} is on loopback, which is another machine on each worker. Give the name of its host."
            )


def require_different_foundations(
    targets: Sequence[FleetTarget],
    settings: Sequence[Settings],
    read: Callable[[Settings], Exchange] = read_root,
) -> None:
    """Require that no two targets have the same fingerprint; sends each a request for its root document, no token.

    A target without links in its root document, or that does not answer in time, is not compared.

    Raises:
        BadSetting: two are one foundation.
    """

    def fingerprint(of: Settings) -> str | None:
        limits = replace(of.limits, timeout=min(of.limits.timeout, ROOT_TIME_S), patience=0, max_time=ROOT_TIME_S)
        try:
            return fingerprint_of(read(replace(of, limits=limits, begin=time.monotonic())))
        except SuiteError:
            return None  # its own run says why

    with ThreadPoolExecutor(MAX_READERS) as readers:
        found = list(readers.map(fingerprint, settings))
    for number, value in enumerate(found):
        first = found.index(value)
        if value and first != number:
            raise targets[number].error(
                f"it is the same foundation as {targets[first].name} ({targets[first].place}): both have the "
                f"fingerprint {value}. Two runs on one foundation destroy each other's events. Remove one of them."
            )
