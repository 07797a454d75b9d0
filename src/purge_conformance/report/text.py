"""What all reports share: the order of results, and how they say numbers and ids."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.model import Outcome, is_undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.report.model import Result, Run

NOTHING_TO_DO = "Nothing to do"  # how a next step begins where none helps
MAX_IDS = 6


def enumerate_ids(ids: Sequence[str], last: str = "") -> str:
    """Return the ids as text, at most `MAX_IDS` of them; `last` is the word before the last one."""
    shown = [*ids[:MAX_IDS], *([f"{len(ids) - MAX_IDS} more"] if len(ids) > MAX_IDS else [])]
    if last and len(shown) > 1:
        return f"{', '.join(shown[:-1])} {last} {shown[-1]}"
    return ", ".join(shown)


def failed_results(run: Run) -> list[Result]:
    """Return the requirements that failed, by level."""
    return _by_level([r for r in run.requirements if r.outcome is Outcome.FAILED])


def failure_sentence(result: Result) -> str:
    """Return what a failed requirement expected and got, of which app, and how many more findings there are."""
    first = result.findings[0] if result.findings else None
    more = f" ({pluralize(len(result.findings) - 1, 'more finding')})" if len(result.findings) > 1 else ""
    sentence = f"Expected {first.expected}; got {first.got.rstrip('.')}{more}." if first else ""
    return " ".join([sentence, *(first.apps[:1] if first else ())])


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
