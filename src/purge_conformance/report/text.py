"""What all reports share: what stands first, how a verdict reads, how strange text is made harmless."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report.model import Cause, Outcome, Verdict, is_undecided

if TYPE_CHECKING:
    from purge_conformance.report.model import Result, Run

NEXT_STEPS = {
    Cause.TARGET: "See what the target answered; once it is mended, run again.",
    Cause.CONFIGURATION: "Give the run what the reason names, then run again.",
    Cause.AUTHENTICATION: "Give a valid token of that role with --token ROLE=SOURCE, then run again.",
    Cause.NETWORK: "See that the target answers from here (address, proxy, --timeout), then run again.",
    Cause.RACE: "Run again while nothing else starts, stops, scales or purges on the target.",
    Cause.SUITE: "This is a defect of the suite: report it, with evidence.jsonl.",
}

# What a reader cannot see but a terminal, an XML parser or the order of the letters obeys: control characters,
# lone surrogates, zero-width and bidirectional controls, tags. Tab and line feed stay.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""Return the text with every hidden character spelt out, for example `\x1b`; legal in XML, safe on a terminal."""
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def clip(text: str, bound: int) -> str:
    """Return at most `bound` characters of the text, and how many more there are."""
    return text if len(text) <= bound else f"{text[:bound]} … ({len(text) - bound:,} more characters)"


def one_line(text: str, bound: int = 600) -> str:
    """Return the text clipped, visible, and on one line."""
    return visible(" ".join(clip(text, bound).split()))


def pluralize(number: int, noun: str) -> str:
    """Return for example `1 purge` or `2 purges`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def headline(run: Run) -> str:
    """Return why the verdict is what it is: one sentence, and one more where it is about reads alone."""
    reads_only = Profile.OBSERVE_ONLY in run.settings.get("profiles", ())
    return _headline(run) + (" Only what needs no purge was judged." if reads_only else "")


def _headline(run: Run) -> str:
    musts = [r for r in run.requirements if r.level is Level.MUST]
    if not musts:
        return "No MUST requirement was judged."
    of_all = f"of {pluralize(len(musts), 'MUST requirement')}"
    not_exercised = sum(r.outcome is Outcome.NOT_EXERCISED for r in musts)
    if run.verdict is Verdict.NON_CONFORMANT:
        return f"{sum(r.outcome is Outcome.FAILED for r in musts)} {of_all} failed."
    if run.verdict is Verdict.INCONCLUSIVE:
        undecided = sum(map(is_undecided, musts))
        failures = sum(r.outcome is Outcome.FAILED for r in musts)
        if failures or not undecided:
            return f"The run was interrupted: {failures} {of_all} failed, and {undecided} remained open."
        return f"None {of_all} failed, but {undecided} remained open that could have been judged."
    if not_exercised:
        return f"{len(musts) - not_exercised} {of_all} passed; for the others there was no occasion."
    return f"All {pluralize(len(musts), 'MUST requirement')} passed."


def failed_results(run: Run) -> list[Result]:
    """Return the requirements that failed, the binding ones first."""
    return _by_level([r for r in run.requirements if r.outcome is Outcome.FAILED])


def results_not_judged(run: Run) -> list[Result]:
    """Return the requirements that neither passed nor failed: what holds the verdict back first, then by level."""
    results = _by_level([r for r in run.requirements if r.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}])
    return sorted(results, key=lambda r: not is_undecided(r))


def next_step(result: Result) -> str:
    """Return what to do so that a requirement which was not judged can be judged; empty where nothing helps."""
    if result.outcome is Outcome.NOT_EXERCISED and result.conditional:
        return ""
    return NEXT_STEPS[result.cause] if result.cause else ""


def rate(result: Result) -> str:
    """Return how often a requirement that was tried several times failed; empty where it was not.

    That none of so many trials failed is no "never": it is told how often it may fail all the same.
    """
    trials, failures = result.tally.trials, result.tally.failures
    if trials <= 1:
        return ""
    if not failures:
        return f"0 of {trials:,}: below {100 * result.tally.upper_bound():.1f} % at 95 %"
    flaky = "FLAKY: " if result.tally.is_flaky else ""
    return f"{flaky}{failures:,} of {trials:,} failed, {100 * failures / trials:.1f} %"


def rates(run: Run) -> dict[str, list[str]]:
    """Return the rates of what passed, each with the requirements' ids; nothing unless the run was to repeat trials."""
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
    """Return what the run cost, for example `212 requests, 8 purges, 6.2 s`."""
    duration = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    cost = f"{pluralize(run.requests, 'request')}, {pluralize(run.purges, 'purge')}"
    return f"{cost}, {duration.total_seconds():,.1f} s"


def _by_level(results: list[Result]) -> list[Result]:
    return sorted(results, key=lambda r: list(Level).index(r.level))
