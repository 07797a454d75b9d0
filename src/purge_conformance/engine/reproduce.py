"""Reproduces one failure of a report: runs only what shows it, several times, and says how often it failed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue import lookup
from purge_conformance.config.build import build_settings
from purge_conformance.config.roles import KNOWN_ROLES
from purge_conformance.engine.prerequisites import judge
from purge_conformance.engine.scope import with_followed
from purge_conformance.engine.session import collect_evidence, prepare_run, start_judging, write_reports
from purge_conformance.errors import BadSetting
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.report import json as as_json
from purge_conformance.report.model import Cause, Outcome
from purge_conformance.scenarios.definitions import SCENARIOS, total_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.config.loader import Options
    from purge_conformance.engine.session import FrontEnd
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Finding, Run

REPORTED = ("seed", "examples", "timeout", "patience")  # settings of the run that shows the failure
APPS = {"apps.mode": "apps", "apps.space": "space"}  # option -> setting
BASE = {each.name for each in SCENARIOS if each.is_base}


class Ending(StrEnum):
    """How one attempt ended."""

    FAILED_AGAIN = "failed again"
    DID_NOT_FAIL = "did not fail"
    NOT_TRIED = "could not be tried"
    INTERRUPTED = "was interrupted"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that a report shows.

    Attributes:
        requirement: the one that failed.
        run: what the report says.
        exchange: the one that shows it, of all that do the one whose scenario sends the fewest purges; None: unknown.
    """

    requirement: Requirement
    run: Run
    exchange: Exchange | None

    @property
    def scenarios(self) -> frozenset[Scenario] | None:
        """The scenarios that show it, besides the base of every run; None: all that judge the requirement."""
        return None if self.exchange is None else _scenarios_for(self.requirement, self.exchange.scenario)

    @property
    def max_purges(self) -> int | None:
        """The limit by which the run distributed its sets of headers over its purges; None: it sent none here."""
        has_set = self.exchange is not None and Tag.HEADERS in self.exchange.tags
        return self.run.settings.get("max_purges") if has_set else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reproduce a failure.

    Attributes:
        ending: how it ended.
        folder: of its evidence, its archive and its reports.
        reason: why it could not be tried; empty if it was.
        finding: what failed again; None if nothing did.
        needs_more: whether a run of all scenarios of the requirement could decide.
    """

    ending: Ending
    folder: Path
    reason: str = ""
    finding: Finding | None = None
    needs_more: bool = False


def find_failure(folder: Path, name: str) -> Failure:
    """Return the failure of a requirement in the report of a folder.

    Raises:
        BadSetting: there is no such requirement, the report does not have it, or it did not fail.
        BadData: the folder has no report that can be read.
    """
    run, requirement = as_json.load(folder), lookup.find_requirement(name)
    name = requirement.id
    result = next((each for each in run.requirements if each.id == name), None)
    failed = [each.id for each in run.requirements if each.outcome is Outcome.FAILED]
    if result is None or result.outcome is not Outcome.FAILED:
        got = f"{name} {result.outcome}" if result else f"{name} is not in it"
        known = f"Failed there: {', '.join(failed)}." if failed else "No requirement failed there."
        raise BadSetting(f"{folder} shows no failure of {name}: {got}. {known} Name one that failed.")
    exchanges = read(folder).exchanges if (folder / FILE_NAME).exists() else ()
    numbers = {finding.exchange for finding in result.findings}
    showing = [x for x in exchanges if x.n in numbers]
    return Failure(requirement, run, min(showing, key=lambda x: _purges_of(requirement, x.scenario), default=None))


def options_of(failure: Failure, given: Options, target: str | None = None) -> Options:
    """Return the options of a run that reproduces a failure: those of the report, and what the user gives.

    Args:
        failure: what to reproduce.
        given: flags, environment and file, merged; the scope, the seed and the number of cases are the report's.
        target: the URL that the user gave as a flag.

    Raises:
        BadSetting: the configuration names another target, or a role's token or the hook is missing.
    """
    run, requirement = failure.run, failure.requirement
    url = target or run.target
    if target is None and given.get("target", url) != url:
        raise BadSetting(
            f"The report is of {run.target}, and the configuration names {given['target']}. Give --target with the URL "
            "of the one to purge."
        )
    reported = {name: run.settings[name] for name in REPORTED if name in run.settings}
    if url == run.target:  # another one has other spaces
        reported |= {name: run.settings[key] for name, key in APPS.items() if run.settings.get(key)}
    scope = {"profile": list(run.scope.profiles) if run.scope.reads_only else [str(requirement.profile)]}
    fixed = {name: reported.pop(name) for name in ("seed", "examples") if name in reported}
    options = reported | given | fixed | scope | {"target": url, "select": [requirement.id]}
    options["repeat"] = 2 if failure.exchange and failure.exchange.scenario is Scenario.REPEAT else 1
    _require_means(failure, options)
    return options


def restricted(options: Options, scenarios: frozenset[Scenario] | None, max_purges: int | None = None) -> Options:
    """Return the options of a run of these scenarios alone, that sends no more purges than they need.

    `max_purges` is the limit by which sets of headers have to be distributed over the purges, if it matters.
    """
    options = {**options, "scenarios": scenarios}
    if options["repeat"] == 1:
        needed = max_purges or total_cost(build_settings(options, {})).purges
        options["max_purges"] = min(needed, options.get("max_purges", needed))
    return options


def attempts(
    failure: Failure, options: Options, folder: Path, allowed_hosts: Iterable[str], front_end: FrontEnd
) -> Iterator[Attempt]:
    """Try again and again, each time in a new folder below `folder`, and yield how each attempt ended.

    The user is asked for consent once. Where the scenarios that showed the failure do not let the requirement be judged
    without it, this and all further attempts have every scenario of the requirement.

    Raises:
        UsageError, SuiteError: as `session.prepare_run` and `session.collect_evidence`.
    """
    allowed, scenarios = list(allowed_hosts), failure.scenarios
    ask = front_end.ask and partial(_ask_and_remember, front_end.ask, allowed)
    front_end = replace(front_end, ask=ask, rehearse=lambda _: None)
    for number in count(1):
        ended = _try_once(
            failure, restricted(options, scenarios, failure.max_purges), folder / f"try-{number}", allowed, front_end
        )
        if ended.needs_more and scenarios is not None:
            scenarios = None
            ended = _try_once(failure, restricted(options, None), folder / f"try-{number}-whole", allowed, front_end)
        yield ended


def _ask_and_remember(ask: Callable[[str], str], answers: list[str], question: str) -> str:
    answers.append(ask(question))
    return answers[-1]


def _try_once(
    failure: Failure, options: Options, folder: Path, allowed_hosts: Iterable[str], front_end: FrontEnd
) -> Attempt:
    """Run once, judge the requirement, and write the reports."""
    settings, own_folder = prepare_run({**options, "out": str(folder)}, allowed_hosts, front_end)
    return judge_attempt(failure, collect_evidence(settings, own_folder, front_end), folder)


def judge_attempt(failure: Failure, evidence: Evidence, folder: Path) -> Attempt:
    """Judge the requirement of a failure by the evidence of an attempt, and write the reports to its folder."""
    builder, name = start_judging(evidence), failure.requirement.id
    view = JudgmentView(builder.evidence)
    error = judge(name, view)
    result = builder.record(name, error, view, 0.0)
    write_reports(builder, folder)
    if evidence.noted(notes.INTERRUPTED):
        return Attempt(Ending.INTERRUPTED, folder, "A signal ended the run.")
    if isinstance(error, RequirementViolated) and result.cause is not Cause.RACE:  # whatever else fails now as well
        return Attempt(Ending.FAILED_AGAIN, folder, finding=error.findings[0])
    if error is None and _was_tried(failure.exchange, evidence):
        return Attempt(Ending.DID_NOT_FAIL, folder)
    reason = result.reason or "The run did not send the request that shows the failure."
    return Attempt(Ending.NOT_TRIED, folder, reason, needs_more=not isinstance(error, RequirementViolated))


def _was_tried(exchange: Exchange | None, evidence: Evidence) -> bool:
    """Whether the target answered the kind of request that showed the failure, and the run ended in order."""
    if evidence.noted(notes.LOST) or evidence.noted(notes.REFUSAL):
        return False
    answered = (x for x in evidence.exchanges if x.status is not None)
    return exchange is None or any(_kind(x) == _kind(exchange) for x in answered)


def _kind(x: Exchange) -> tuple[object, ...]:
    """Return what has to be sent again: the step of the scenario, with the set of headers, if there is one."""
    return x.scenario, x.step, x.tags.get(Tag.HEADERS)


def _require_means(failure: Failure, options: Options) -> None:
    """Require the token of the role that shows the failure, and the hook, if it needs one."""
    exchange = failure.exchange
    if exchange is None:
        return
    role = exchange.role
    if role in KNOWN_ROLES and role not in options.get("tokens", {}):
        raise BadSetting(f"The role {role} shows the failure, and has no token. Give --token {role}=SOURCE.")
    if next(each.needs_hook for each in SCENARIOS if each.name is exchange.scenario) and "hook" not in options:
        raise BadSetting("The failure needs an error that the hook induces. Give --hook, as for the run of the report.")


def _purges_of(requirement: Requirement, scenario: Scenario) -> int:
    names = _scenarios_for(requirement, scenario)
    return sum(each.cost.purges for each in SCENARIOS if each.name in names)


def _scenarios_for(requirement: Requirement, scenario: Scenario) -> frozenset[Scenario]:
    """Return a scenario, one that shows each requirement that the judgment assumes, and all that these follow."""
    needed = {scenario} - BASE
    for assumed in catalogue.assumed_by([requirement]):
        able = {*assumed.scenarios} - {Scenario.CONCURRENT_PURGES}  # which shows nothing of isolated purges
        showing = [each.name for each in SCENARIOS if each.name in able and not each.is_optional]
        needed.update(showing[:1] if needed.isdisjoint(showing) else ())
    return with_followed(needed)
