"""What all reports share: the order of results, and the sentence of a verdict."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.evidence.ending import INTERRUPTED, KILLED
from purge_conformance.report.model import Outcome, Verdict, is_undecided

if TYPE_CHECKING:
    from purge_conformance.report.model import Result, Run

MUST = "MUST requirement"


def pluralize(number: int, noun: str) -> str:
    """Return for example `1 purge` or `2 purges`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def headline(run: Run) -> str:
    """Return why the verdict is what it is, in one sentence or two."""
    reads_only = Profile.OBSERVE_ONLY in run.settings.get("profiles", ())
    loss = next((f" {note}" for note in run.notes if note.startswith(ALLOW_INCOMPLETE_ARCHIVE)), "")
    return _headline(run) + (" Only requirements that need no purge were judged." if reads_only else "") + loss


def _headline(run: Run) -> str:
    musts = [r for r in run.requirements if r.level is Level.MUST]
    if not musts:
        return "No MUST was judged."
    failed = sum(r.outcome is Outcome.FAILED for r in musts)
    undecided = sum(map(is_undecided, musts))
    if run.verdict is Verdict.NON_CONFORMANT:
        return f"{_of(failed, musts)} failed{f'; {undecided} more could not be judged' if undecided else ''}."
    if run.verdict is Verdict.CONFORMANT:
        return _passed(run, musts)
    ending = next((words for words in (KILLED, INTERRUPTED) if any(words in note for note in run.notes)), "")
    if ending or failed or not undecided:
        words = ending or "The run was cut short"
        return f"{words}: {_of(failed, musts)} failed so far, and {undecided} could not be judged."
    return f"No MUST failed, but {undecided} of {len(musts)} could not be judged in this run."


def _of(number: int, musts: list[Result]) -> str:
    return f"{number} of {pluralize(len(musts), MUST)}"


def _passed(run: Run, musts: list[Result]) -> str:
    passed = sum(r.outcome is Outcome.PASSED for r in musts)
    unselected = _count_unselected(run)
    rest_words = f"; {unselected:,} {'was' if unselected == 1 else 'were'} not selected"
    noun, suffix = ("selected MUST requirement", rest_words) if unselected else (MUST, "")
    if rest := len(musts) - passed:
        nothing = f"the other {rest} had nothing to judge (for example, no 409 occurred)"
        return f"{passed} of {pluralize(len(musts), noun)} passed; {nothing}{suffix}."
    return f"{'The' if unselected else 'All'} {pluralize(passed, noun)} passed{suffix}."


def _count_unselected(run: Run) -> int:
    """Return how many MUSTs of the profiles were left out by `--select`, or by pytest's `-k`, `-m` and node ids."""
    if "profiles" not in run.settings:
        return 0
    candidates = catalogue.select_requirements(catalogue.parse_profiles(run.settings["profiles"]))
    reported = {result.id for result in run.requirements}
    return sum(r.level is Level.MUST and r.id not in reported for r in candidates)


def failed_results(run: Run) -> list[Result]:
    """Return the requirements that failed, by level."""
    return _by_level([r for r in run.requirements if r.outcome is Outcome.FAILED])


def results_not_judged(run: Run) -> list[Result]:
    """Return the requirements that neither passed nor failed: first those that block the verdict, then by level."""
    results = _by_level([r for r in run.requirements if r.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}])
    return sorted(results, key=lambda r: not is_undecided(r))


def rate(result: Result) -> str:
    """Return how often a requirement that was tried several times failed; empty if it was tried at most once.

    If none of the trials failed, it says how often one may fail all the same.
    """
    trials, failures = result.tally.trials, result.tally.failures
    if trials <= 1:
        return ""
    if not failures:
        bound = 100 * result.tally.upper_bound()
        return f"0 failures in {trials:,} trials (true rate below {bound:.1f} %, 95 % confidence)"
    flaky = "FLAKY: " if result.tally.is_flaky else ""
    return f"{flaky}{pluralize(failures, 'failure')} in {trials:,} trials ({100 * failures / trials:.1f} %)"


def describe_cases(result: Result) -> str:
    """Return how many trials of each case were judged, and what each needs that was not tried; empty without cases."""
    judged = [f"{name} {trials:,}" for name, trials in result.cases.items() if trials]
    parts = [f"Trials of each case: {', '.join(judged)}"] if judged else []
    parts += [f"{name} was not tried, it needs: {need}" for name, need in result.untried.items() if judged]
    return "; ".join(parts)


def rates(run: Run) -> dict[str, list[str]]:
    """Return rate -> ids of the requirements that passed with it; nothing unless the run repeated trials."""
    groups: dict[str, list[str]] = {}
    for result in run.requirements if run.settings.get("repeat", 1) != 1 else ():
        if rate(result) and result.outcome is Outcome.PASSED:
            groups.setdefault(rate(result), []).append(result.id)
    return groups


def tally(run: Run) -> list[tuple[Outcome, dict[Level, int]]]:
    """Return how many requirements of each level had each outcome, worst outcome first, zeros included."""
    rows: dict[Outcome, dict[Level, int]] = {o: dict.fromkeys(Level, 0) for o in reversed(Outcome)}
    for result in run.requirements:
        rows[result.outcome][result.level] += 1
    return list(rows.items())


def effort(run: Run) -> str:
    """Return the cost of the run, for example `212 requests, 8 purges, 6.2 s`."""
    duration = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    cost = f"{pluralize(run.requests, 'request')}, {pluralize(run.purges, 'purge')}"
    return f"{cost}, {duration.total_seconds():,.1f} s"


def _by_level(results: list[Result]) -> list[Result]:
    return sorted(results, key=lambda r: list(Level).index(r.level))
