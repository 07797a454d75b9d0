"""Examines what the user asked a run for, without running it: the checks of `doctor` and `plan`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.client.auth.sources import log_in
from purge_conformance.config.build import build_settings
from purge_conformance.engine import run_folder
from purge_conformance.engine.promises import read_promises
from purge_conformance.engine.scope import expected_in
from purge_conformance.engine.watch import require_visible
from purge_conformance.errors import BadSetting, TargetUnreachable, UsageError
from purge_conformance.report import formats
from purge_conformance.scenarios.definitions import expected_work, needed_purges, total_cost
from purge_conformance.target import doctor
from purge_conformance.target.doctor import openings
from purge_conformance.target.doctor.check import ok, refusal
from purge_conformance.target.doctor.limits import PlannedRun
from purge_conformance.target.doctor.probe import probe_unrecorded
from purge_conformance.target.other_runs import ignores_others, look_for_other_run
from purge_conformance.target.version import read_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.config.loader import Options
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.doctor import Check, ProbeResult


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is known of a run before it begins.

    Attributes:
        settings: of the run.
        probe: the target's answers to a few reads.
        checks: all findings.
    """

    settings: Settings
    probe: ProbeResult
    checks: tuple[Check, ...]


def examine(
    values: Options,
    allowed_hosts: Iterable[str] = (),
    on_exchange: Callable[[Exchange], None] = lambda _: None,
) -> Readiness:
    """Check all options of a run; this only reads from the target, creates nothing, and asks the hook if it answers.

    Args:
        values: option name -> value.
        allowed_hosts: the hosts of `--allow-purge`.
        on_exchange: is called after every exchange.

    Raises:
        UsageError: an option is not usable, or a login is rejected.
        TargetUnreachable: a login, or three requests in a row, get no answer.
    """
    settings = log_in(build_settings(values))
    cost = total_cost(settings)
    planned = PlannedRun(cost.requests, needed_purges(settings), tuple(allowed_hosts))
    probe = probe_unrecorded(settings, expected_work(settings), on_exchange)
    checks = (
        *doctor.checks(probe, settings, planned),
        *(openings.checks(settings) if any(x.status is not None for x in probe.answers) else ()),
        *_check_other_runs(probe, settings, on_exchange),
        _check_folder(values.get("out"), force=bool(values.get("force"))),
        *_check_formats(values.get("format", ())),
        *_check_watch(values, settings),
        *_check_promises(values),
    )
    return Readiness(settings, probe, checks)


def _check_other_runs(
    probe: ProbeResult, settings: Settings, on_exchange: Callable[[Exchange], None]
) -> Iterable[Check]:
    """Yield whether another run would stop this one, unless the target does not respond or no run could."""
    name = "other runs"
    if ignores_others(settings) or all(x.status is None for x in probe.answers):
        return
    if other := look_for_other_run(settings, on_exchange):
        yield refusal(name, str(other), "no other run", other.next_step)
    else:
        yield ok(name, "none was seen on the target within the last hour")


def _check_folder(out: str | None, *, force: bool) -> Check:
    """Return whether a run could take its folder, which is not created."""
    try:
        place = Path(out) if out else run_folder.PARENT
        folder = run_folder.require_usable(place, is_shared=out is None, force=force)
    except BadSetting as reason:
        got, _, next_step = str(reason).partition(". ")
        return refusal("folder", got, "a new or empty folder that can be written", next_step)
    return ok("folder", f"{folder} can be written")


def _check_formats(texts: Iterable[str]) -> Iterable[Check]:
    """Yield whether the files of `--format` can be written, if some are named; nothing is left of the attempt."""
    outputs = formats.outputs(texts, os.environ)
    named = [str(output.file) for output in outputs if output.file]
    try:
        formats.require_writable(outputs)
    except BadSetting as reason:
        got, _, next_step = str(reason).partition(". ")
        yield refusal("formats", got, "files that can be written", next_step)
    else:
        if named:
            yield ok("formats", f"{', '.join(named)} can be written")


def _check_watch(values: Options, settings: Settings) -> Iterable[Check]:
    """Yield whether `--watch` would see a change, if it is given and the target responds."""
    if not values.get("watch"):
        return
    try:
        require_visible(partial(read_versions, settings), values["watch_file"], settings.target.url)
    except BadSetting as reason:
        got, _, next_step = str(reason).partition(". ")
        yield refusal("watch", got, "a version or a file whose change starts a run", next_step)
    except TargetUnreachable:
        return  # another check says so
    else:
        yield ok("watch", "a change can be seen")


def _check_promises(values: Options) -> Iterable[Check]:
    """Yield whether the files of `--baseline` and `--known-failures` are usable, if they are named."""
    expected = {
        "baseline": "a report that judged requirements of this run",
        "known_failures": "entries as spec/known-failures.schema.json describes them",
    }
    for name, words in expected.items():
        if values.get(name) is None:
            continue
        try:
            read_promises({name: values[name]}, expected_in(values))
        except UsageError as reason:
            got, _, next_step = str(reason).rpartition(". ")
            yield refusal(name.replace("_", " "), got, words, next_step)
        else:
            yield ok(name.replace("_", " "), f"{values[name]} can be used")
