"""The headline of a run: its verdict, why it is that, what it does not cover, and what became of the promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Level
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.evidence.ending import INTERRUPTED, KILLED, REFUSED
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.gate_text import count_known_failures, gate_sentence
from purge_conformance.report.model import Outcome, Verdict, is_undecided
from purge_conformance.report.text import enumerate_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.report.model import Result, Run

MUST = "MUST requirement"
NOTHING_TO_JUDGE = "nothing to judge (for example, no 409 occurred)"
EXCEPT_KNOWN = "Conformant except for known failures"  # the verdict as a title


def verdict_sentence(run: Run) -> str:
    """Return the verdict and why it is what it is; a partial one, or one with exceptions, is part of its sentence."""
    is_in_headline = run.verdict in {Verdict.PARTIAL, Verdict.EXCEPT_KNOWN}
    return headline(run) if is_in_headline else f"{run.verdict}. {headline(run)}"


def verdict_title(run: Run) -> str:
    """Return the verdict as a title; one with exceptions is never `conformant` alone."""
    return EXCEPT_KNOWN if run.verdict is Verdict.EXCEPT_KNOWN else str(run.verdict).capitalize()


def headline(run: Run) -> str:
    """Return why the verdict is what it is, in one sentence or two, and what it does not cover."""
    loss = next((note for note in run.notes if note.startswith(ALLOW_INCOMPLETE_ARCHIVE)), "")
    return " ".join(filter(None, [_headline(run), *_scope_sentences(run), gate_sentence(run), loss]))


def _headline(run: Run) -> str:
    musts = _musts(run)
    if run.verdict is Verdict.PARTIAL:
        return _partial(run, musts)
    if not musts:
        return "No MUST was judged."
    if run.verdict is Verdict.EXCEPT_KNOWN:
        return f"conformant except for {count_known_failures(run)}: {_passed(run, musts)}"
    if run.verdict is Verdict.CONFORMANT:
        return _passed(run, musts)
    return _red(run, musts)


def _red(run: Run, musts: list[Result]) -> str:
    """Return the sentence of a run in which a MUST failed or is open, beside those that are excused."""
    enforced = [r for r in musts if r.id not in run.excused]
    failed = sum(r.outcome is Outcome.FAILED for r in enforced)
    undecided = sum(map(is_undecided, enforced))
    known = f", beside {count_known_failures(run)}" if run.excused else ""
    if run.verdict is Verdict.NON_CONFORMANT:
        return f"{_of(failed, musts)} failed{f'; {undecided} more could not be judged' if undecided else ''}{known}."
    ending = next((words for words in (KILLED, INTERRUPTED, REFUSED) if any(words in note for note in run.notes)), "")
    if ending or failed or not undecided:
        words = ending or "The run was cut short"
        return f"{words}: {_of(failed, musts)} failed so far{known}, and {undecided} could not be judged."
    return f"No MUST failed{known}, but {undecided} of {len(musts)} could not be judged in this run."


def _scope_sentences(run: Run) -> Iterator[str]:
    """Yield what a verdict about less than a whole profile leaves out."""
    if run.scope.select:
        others = "" if run.verdict is Verdict.PARTIAL else f", {len(_musts(run))} of {run.scope.musts} MUST"
        yield f"Selection: {enumerate_ids(run.scope.select)}{others}."
    if run.scope.reads_only and not (run.verdict is Verdict.PARTIAL and not run.purges):
        yield "Only requirements that need no purge were judged."


def _musts(run: Run) -> list[Result]:
    return [r for r in run.requirements if r.level is Level.MUST]


def _of(number: int, musts: list[Result]) -> str:
    return f"{number} of {pluralize(len(musts), MUST)}"


def _partial(run: Run, musts: list[Result]) -> str:
    """Return the sentence of a run in which no MUST failed or stayed open, but that judged no whole profile."""
    passed = sum(r.outcome is Outcome.PASSED for r in musts)
    known = [f"conformant except for {count_known_failures(run)}", *_known_counts(run, musts)] if run.excused else []
    judged = passed + sum(r.outcome is Outcome.FAILED for r in musts)
    all_passed = f", {'all' if judged == passed else passed} passed" if judged else ""
    clauses = [f"{judged} of {run.scope.musts} MUST judged{all_passed}", *known]
    if rest := sum(r.outcome is not Outcome.PASSED and r.id not in run.excused for r in musts):
        clauses.append(f"{rest} more had {NOTHING_TO_JUDGE}")
    if run.scope.reads_only and not run.purges:
        clauses.append("no purge was sent")
    return f"{run.verdict}: {'; '.join(clauses)}."


def _passed(run: Run, musts: list[Result]) -> str:
    passed = sum(r.outcome is Outcome.PASSED for r in musts)
    known = _known_counts(run, musts)
    rest = sum(r.outcome is not Outcome.PASSED and r.id not in run.excused for r in musts)
    if not rest and not known:
        return f"All {pluralize(passed, MUST)} passed."
    clauses = [f"{passed} of {pluralize(len(musts), MUST)} passed", *known]
    return f"{'; '.join([*clauses, *([f'the other {rest} had {NOTHING_TO_JUDGE}'] if rest else [])])}."


def _known_counts(run: Run, musts: list[Result]) -> list[str]:
    """Return how many MUSTs failed as known, and how many were not judged because of it; nothing without any."""
    excused = [r for r in musts if r.id in run.excused]
    failed = sum(r.outcome is Outcome.FAILED for r in excused)
    rest = len(excused) - failed
    clauses = {
        f"{failed} failed as known": failed,
        f"{rest} {'was' if rest == 1 else 'were'} not judged, as known": rest,
    }
    return [clause for clause, number in clauses.items() if number]
