"""What Python programs call: a run, the report of an earlier one, and the comparison of two.

It takes the same way as the command. It reads no configuration file and no environment variable but those that a source
of a token names, and prints nothing: its lines go to the logger `purge_conformance`.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from purge_conformance.config.options import KEYS
from purge_conformance.config.roles import require_known
from purge_conformance.engine import pytest_process, reference_process
from purge_conformance.engine.promises import read_promises
from purge_conformance.engine.scope import expected_in
from purge_conformance.engine.session import FrontEnd, collect_evidence, prepare_run
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.jsonl import read
from purge_conformance.report import compare as comparing
from purge_conformance.report import formats
from purge_conformance.report import json as as_json
from purge_conformance.report.facts import facts_of, read_facts
from purge_conformance.report.model import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.config.loader import Options
    from purge_conformance.report.compare import Comparison
    from purge_conformance.report.facts import ReportFacts

LOGGER = logging.getLogger("purge_conformance")


def run(
    target: str | None = None,
    *,
    tokens: Mapping[str, str] | None = None,
    allow_purge: Iterable[str] = (),
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    **options: object,
) -> Run:
    """Collect evidence from a target, judge it, write the reports, and return what they say.

    A run destroys all app usage events of the target and seeds new ones.

    Args:
        target: base URL; None: a reference server that is started for the run.
        tokens: role -> source, for example `{"admin": "env:ADMIN_TOKEN"}`; none without a target.
        allow_purge: hosts whose events the run may destroy; not needed on this machine.
        out: folder for evidence and reports; None: a new one.
        force: whether to replace a run that `out` holds; its archive is kept.
        options: further settings, named like the keys of the configuration file with `_` for a dot, for example
            `profile=["upstream"]`, `max_purges=12` or `apps_space="GUID"`.

    Raises:
        UsageError: a setting is not usable, the consent is missing, or the archive is incomplete; nothing was purged.
        SuiteError: there is no result; `ReportsNotWritten` if a report could not be written.
        TypeError: there is no such setting.
    """
    given = {"tokens": dict(tokens or {}), **({"out": os.fspath(out)} if out is not None else {})}
    values = _values(given | options) | {"force": force}
    if target is not None:
        return _run({**values, "target": target}, allow_purge)
    with reference_process.server() as (url, own_tokens):
        own = {"target": url, "hook": reference_process.hook_url(url), "owns_target": True}
        return _run(values | own, allow_purge, own_tokens)


def load_report(place: str | os.PathLike[str]) -> Run:
    """Return the report of an earlier run.

    Args:
        place: the folder of the run, or its report.json.

    Raises:
        BadData: there is no report.json, or it is not valid.
    """
    path = Path(place)
    return as_json.load(path.parent if path.name == as_json.FILE_NAME else path)


def compare(
    old: str | os.PathLike[str] | Run, new: str | os.PathLike[str] | Run, *, fail_on_should: bool = False
) -> Comparison:
    """Compare two reports; `regressions` of the result is empty if nothing is worse.

    Args:
        old: a report, the folder of a run, or its report.json, which may be of an older version of the suite.
        new: the same.
        fail_on_should: whether changes of a SHOULD are regressions as well.

    Raises:
        BadData: a report cannot be read.
    """
    return comparing.compare(_facts(old, "old"), _facts(new, "new"), fail_on_should=fail_on_should)


def _facts(report: str | os.PathLike[str] | Run, name: str) -> ReportFacts:
    return facts_of(report, name) if isinstance(report, Run) else read_facts(Path(report))


def _values(options: Mapping[str, object]) -> Options:
    """Return option name -> value; each has the type that its option has in the configuration file."""
    keys = {key.name.replace(".", "_"): key for key in KEYS if key.name != "target"}
    if unknown := options.keys() - keys.keys():
        raise TypeError(f"run() has no setting {min(unknown)!r}. It has: {', '.join(keys)}.")
    values: Options = {}
    for name, given in options.items():
        value = os.fspath(given) if isinstance(given, os.PathLike) else given
        if isinstance(value, tuple) or (isinstance(value, str) and keys[name].value_type.is_repeatable):
            value = [value] if isinstance(value, str) else list(value)
        try:
            values[keys[name].name] = keys[name].validate(value)
        except ValueError as error:
            raise BadSetting(f"{name}: {error}. Correct that argument of run().") from None
    require_known(values["tokens"])
    return values


def _run(values: Options, allow_purge: Iterable[str], tokens: Mapping[str, str] | None = None) -> Run:
    outputs = formats.outputs(values.get("format", ()), os.environ)
    formats.require_writable(outputs)
    promises = read_promises(values, expected_in(values))
    front_end = FrontEnd(LOGGER.info, LOGGER.warning, _abort)
    settings, folder = prepare_run(values, tuple(allow_purge), front_end, tokens)
    collect_evidence(settings, folder, front_end)
    judged = pytest_process.judge(folder.path, folder.path, promises=promises)
    formats.write(outputs, judged, folder.path, partial(read, folder.path))
    for line in formats.printed_lines(outputs, judged):
        LOGGER.info(line)
    return judged


def _abort(_url: str, _folder: Path) -> NoReturn:
    """End the run at once at a second signal."""
    raise KeyboardInterrupt
