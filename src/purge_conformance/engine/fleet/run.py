"""Starts `run` for each target of a fleet, and gathers what the reports say."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from purge_conformance import __version__
from purge_conformance.catalogue.model import Level
from purge_conformance.engine.fleet.target_run import LOG, TargetRun
from purge_conformance.engine.pytest_process import JUDGING_TIMEOUT_S
from purge_conformance.engine.run_folder import require_usable
from purge_conformance.engine.signals import end_on_signal
from purge_conformance.errors import BadData, BadSetting
from purge_conformance.evidence import jsonl as as_jsonl
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report import fleet as as_fleet
from purge_conformance.report.facts import read_facts
from purge_conformance.report.fleet import Fleet, FleetEntry
from purge_conformance.report.model import BROKEN_GATE, Outcome, Verdict
from purge_conformance.target.before_purge import TIMEOUT_S as BEFORE_PURGE_TIMEOUT_S
from purge_conformance.target.command_environment import named_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from purge_conformance.config.fleet import FleetTarget
    from purge_conformance.config.settings import Settings
    from purge_conformance.engine.fleet.processes import Ended
    from purge_conformance.engine.fleet.target_run import Runner
    from purge_conformance.report.facts import ReportFacts

NO_RESULT = 3
VERDICT_CODES = (0, 1)
START_S = 120.0  # for logins and the rehearsal of a run, which its own limit does not count
MAX_LOG_BYTES = 64 * 1024  # of its end, in which the reason is searched
MAX_REASON_CHARS = 400
ERROR = "Error: "
INTERRUPTED = (
    "Interrupted. No further target is started. Each run sends no further purge, deletes its apps and judges what it "
    "collected. Interrupt again to end them at once."
)


def require_unused(folder: Path, targets: Sequence[FleetTarget]) -> None:
    """Require that a fleet can take a folder: it holds no other fleet, and no run of a target.

    Raises:
        BadSetting: it does, or cannot be written.
    """
    require_usable(folder, is_shared=True)
    for name in (as_fleet.FILE_NAME, *(f"{target.name}/{LOG}" for target in targets)):
        if (folder / name).exists():
            raise BadSetting(f"{folder} holds {name} of another fleet. Name another folder with --out.")
    for target in targets:
        require_usable(folder / target.name)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What to run.

    Attributes:
        targets: of the fleet.
        settings: of the run of each.
        folder: in which each target gets a folder of its name.
        flags: of each run, besides those of its target.
    """

    targets: Sequence[FleetTarget]
    settings: Sequence[Settings]
    folder: Path
    flags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FleetFrontEnd:
    """How a fleet communicates with its user.

    Attributes:
        on_start: is called with the name of a target, in another thread, when its run starts.
        on_end: the same when it has ended.
        abort: ends this process after a second signal.
    """

    on_start: Callable[[str], None]
    on_end: Callable[[str, Ended], None]
    abort: Callable[[], NoReturn]


def run_all(plan: FleetPlan, runner: Runner, front_end: FleetFrontEnd) -> Fleet:
    """Run all targets and return what came of it; a signal ends all runs in order, a further one at once."""

    def abort(number: int) -> None:
        runner.end(number)
        front_end.abort()

    begin = datetime.now(UTC)
    runs = [target_run(plan, number) for number in range(len(plan.targets))]
    with end_on_signal(runner.end, abort, INTERRUPTED):
        ended = runner.run(runs, plan.folder, front_end.on_start, front_end.on_end)
        entries = [_entry(target, end, plan.folder) for target, end in zip(plan.targets, ended, strict=True)]
    return Fleet(tuple(entries), __version__, begin, datetime.now(UTC), is_interrupted=runner.is_closed)


def target_run(plan: FleetPlan, number: int, environ: Mapping[str, str] | None = None) -> TargetRun:
    """Return the run of a target of a plan.

    Args:
        plan: of the fleet.
        number: of the target, from 0.
        environ: environment variables; None: those of this process.
    """
    environment = os.environ if environ is None else environ
    target, limits = plan.targets[number], plan.settings[number].limits
    tokens = set(named_variables(target.options["tokens"]))
    named = sorted(tokens | set(target.options.get("hook_env", ())))
    others = {name for each in plan.targets for name in named_variables(each.options["tokens"])}
    return TargetRun(
        target.name,
        (target.url, *(f"--allow-purge={host}" for host in target.allowed_hosts), *plan.flags),
        json.dumps(target.config),  # JSON is YAML
        {name: environment[name] for name in named if name in environment},
        sorted(others - tokens),
        limits.max_time + JUDGING_TIMEOUT_S + BEFORE_PURGE_TIMEOUT_S + START_S,
    )


def _entry(target: FleetTarget, ended: Ended, folder: Path) -> FleetEntry:
    """Return what came of the run of a target; only a report makes its exit code a verdict."""
    place = folder / target.name
    code = ended.code if ended.code in {0, 1, 2, NO_RESULT} else NO_RESULT
    entry = FleetEntry(target.name, target.url, code, seconds=ended.seconds, reason=_reason(ended, place / LOG))
    try:
        facts = read_facts(place)
    except BadData as error:
        if code in VERDICT_CODES:
            entry = replace(entry, exit_code=NO_RESULT, reason=f"Its report cannot be used: {error}")
        return replace(entry, reason=" ".join(filter(None, [entry.reason, _judge_command(place)])))
    rows = facts.requirements.values()
    return replace(
        entry,
        reason=entry.reason or _reason_of_report(facts, code),
        verdict=one_line(facts.verdict, MAX_REASON_CHARS),
        requests=facts.requests,
        purges=facts.purges,
        outcomes={row.id: row.outcome for row in rows},
        levels={row.id: row.level for row in rows},
    )


def _reason_of_report(facts: ReportFacts, code: int) -> str:
    """Return what explains an exit code that the verdict does not: a gate, or why most MUSTs are inconclusive."""
    if code == BROKEN_GATE and facts.verdict != Verdict.NON_CONFORMANT:
        return "Its gate is broken; its report says why."
    rows = facts.requirements.values() if code == NO_RESULT else ()
    reasons = Counter(row.why for row in rows if row.outcome is Outcome.INCONCLUSIVE and row.level is Level.MUST)
    return one_line(max(reasons, key=reasons.__getitem__, default=""), MAX_REASON_CHARS)


def _judge_command(place: Path) -> str:
    """Return how to judge a run that left evidence and no report; empty without evidence."""
    if not (place / as_jsonl.FILE_NAME).exists():
        return ""
    return f"To judge what it collected: purge-conformance judge {shlex.quote(str(place))} --out NEW"


def _reason(ended: Ended, log: Path) -> str:
    """Return why a run has no verdict, as a sentence; empty if it ended with one."""
    if ended.problem or ended.code in VERDICT_CODES:
        return ended.problem
    if ended.code is not None and ended.code < 0:
        return f"Its process was killed by signal {-ended.code}."
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - MAX_LOG_BYTES))
            lines = file.read(MAX_LOG_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    last = next((line for line in reversed(lines) if line.startswith(ERROR)), "")
    return one_line(last.removeprefix(ERROR), MAX_REASON_CHARS)
