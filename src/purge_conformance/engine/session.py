"""One run from consent to reports, the same for the command and for plain pytest.

The order is: settings, folder, consent, fingerprint, login, rehearsal, announcement, scenarios (ended early by a
signal), judgments, reports. A front end calls these functions and keeps only what differs: where lines are printed, who
answers a question, what the second signal does, and which process runs pytest.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from purge_conformance.analysis.credentials import attribute_rejections
from purge_conformance.client.auth.sources import check_sources, log_in
from purge_conformance.client.guard import Guard
from purge_conformance.config.build import build_settings
from purge_conformance.config.settings import announcement
from purge_conformance.engine import collect, rehearsal
from purge_conformance.engine.latest import latest_run
from purge_conformance.engine.promises import NO_PROMISES
from purge_conformance.engine.replaced_run import replaced_run
from purge_conformance.engine.run_folder import (
    OwnFolder,
    create_default_folder,
    own_folder,
    removed_on_failure,
)
from purge_conformance.engine.scope import requirements_in, scope_to_judge
from purge_conformance.engine.signals import close_on_signal
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.errors import BadSetting, TokenExpired
from purge_conformance.report import write_all
from purge_conformance.scenarios.definitions import cost_within_limits
from purge_conformance.target import doctor
from purge_conformance.target.consent import require_consent
from purge_conformance.target.fingerprint import require_fingerprint
from purge_conformance.target.other_runs import require_no_other_run
from purge_conformance.target.root_document import read_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

    from purge_conformance.client.client import Client
    from purge_conformance.config.loader import Options
    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.promises import Promises
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Run

EXIT_PRECEDENCE = (0, 3, 1)  # of several runs, the last of these decides


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """How a run communicates with its user.

    Attributes:
        say: prints a line, unless the user asked for less output.
        warn: prints a warning, whatever the user asked for; "Warning: " is not part of its text.
        abort: ends the process, or raises, at the second signal; gets the target's URL and the folder of the run.
        create_folder: creates the folder of a run for which the user named none.
        has_latest: whether a link beside such a folder points to the newest one.
        rehearse: judges a small run in a folder, as the real one will be judged; see `rehearsal`.
        ask: asks the user a question and returns the answer; None where no user can answer.
        on_exchange: is called after every exchange, to show progress.
    """

    say: Callable[[str], None]
    warn: Callable[[str], None]
    abort: Callable[[str, Path], NoReturn]
    ask: Callable[[str], str] | None = None
    on_exchange: Callable[[Client, Exchange], None] = lambda _client, _exchange: None
    create_folder: Callable[[], Path] = create_default_folder
    has_latest: bool = True
    rehearse: Callable[[Path], None] = rehearsal.rehearse


def prepare_run(
    values: Options, allowed_hosts: Iterable[str], front_end: FrontEnd, tokens: Mapping[str, str] | None = None
) -> tuple[Settings, OwnFolder]:
    """Return the settings of a run that may start, and its folder.

    The user consented, the folder can be written and holds no other run unless `force` says that it is replaced, each
    role has its token, the hook answers, the judgments work, and no other run of the suite was seen on the target.
    Before the logins at most the root document is requested, without a token: of a target on loopback, for the consent,
    and of any target whose fingerprint is pinned.

    Args:
        values: option name -> value.
        allowed_hosts: the hosts of `--allow-purge`.
        front_end: asks for the consent that no flag gave, and rehearses.
        tokens: role -> token, where they are already known.

    Raises:
        UsageError: an option or the folder is not usable, the consent is missing, the fingerprint is another, the
            hook does not answer, the judgments do not work, or another run may be in progress.
        TargetUnreachable: a login gets no answer, or the request for the fingerprint.
    """
    settings = build_settings(values, tokens)
    check_sources(settings)
    root = cache(partial(read_root, settings))
    force = bool(values.get("force"))
    with own_folder(values.get("out"), front_end.create_folder, force=force) as folder:
        require_consent(settings, root, allowed_hosts, front_end.ask)
        settings = replace(settings, begin=time.monotonic())  # the user may take long to answer
        require_fingerprint(settings, root)
        settings = log_in(settings)
        doctor.require_hook(settings)
        front_end.rehearse(folder.path)
        require_no_other_run(settings)
        _require_valid_tokens(settings)  # the target may just have rejected one
        return settings, folder


def _require_valid_tokens(settings: Settings) -> None:
    """Require that no token has expired by its own claim, but that of the role for an expired one.

    Raises:
        BadSetting: one has, and its source does not renew it.
    """
    try:
        dict(settings.tokens)
    except TokenExpired as reason:
        raise BadSetting(str(reason)) from None


def collect_evidence(settings: Settings, folder: OwnFolder, front_end: FrontEnd) -> Evidence:
    """Announce the run and run its scenarios; the first signal ends it in order, the second calls `abort`.

    A folder that was created for the run, and that stays empty, is removed. An earlier run in it, which this one
    replaces, is put back if this one is refused.

    Raises:
        SuiteError: as `collect.collect`.
    """
    front_end.say(announcement(settings, folder.path, cost_within_limits(settings).purges))
    guard = Guard.from_settings(settings)
    abort = partial(front_end.abort, settings.target.url, folder.path)
    is_linked = folder.is_default and front_end.has_latest
    pointing = latest_run(folder.path, front_end.warn) if is_linked else nullcontext()
    replacing = replaced_run(folder.path, front_end.say, front_end.warn) if folder.replaces else nullcontext()
    with removed_on_failure(folder.created), replacing, pointing, close_on_signal(guard, abort):
        return collect.collect(settings, folder.path, front_end.on_exchange, guard=guard, warn=front_end.warn)


def start_judging(
    evidence: Evidence, profiles: Sequence[str] = (), select: Sequence[str] = (), promises: Promises = NO_PROMISES
) -> RunBuilder:
    """Return what gathers the results of the judgments of this evidence.

    Args:
        evidence: of the run.
        profiles: which requirements are judged; none: those of the run.
        select: globs of ids; none: those of the run.
        promises: what the user promised about the run.

    Raises:
        UsageError: a profile or a glob is unknown, or the evidence does not name its settings.
    """
    scope = scope_to_judge(evidence, profiles, select)
    return RunBuilder(
        attribute_rejections(evidence),
        requirements_in(scope),
        scope=scope,
        known=promises.known,
        promises=promises.checks,
    )


def write_reports(builder: RunBuilder, folder: Path) -> Run:
    """Write all reports of a judged run to a folder, which is created if needed, and return the run.

    Raises:
        ReportsNotWritten: some could not be written; all others are.
    """
    run = builder.build()
    write_all(run, builder.evidence, folder)
    return run


def exit_code(runs: Iterable[Run]) -> int:
    """Return the exit code of the worst run."""
    return max((run.exit_code for run in runs), key=EXIT_PRECEDENCE.index)
