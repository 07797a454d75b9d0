"""Which failures of a run are known: what the entries of `--known-failures` excuse, and which of them do not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance.config.known_failures import EntryKind
from purge_conformance.report.gate import BreachKind, Gate, KnownFailure
from purge_conformance.report.known_failure_text import Sentences
from purge_conformance.report.model import Outcome, is_undecided
from purge_conformance.report.signature import normalize, normalize_request, signatures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from purge_conformance.config.known_failures import Entry, ExpectedFailure
    from purge_conformance.report.gate import Breach, NotChecked
    from purge_conformance.report.model import Result, Run
    from purge_conformance.report.signature import Signature


@dataclass
class Assessment:
    """What the entries that name one requirement say of its result.

    Attributes:
        excusing: the entries that excuse it; empty if it is not excused, or needs no excuse.
        breaches: of the entries that do not hold.
        not_checked: the entries that the result says nothing about.
        stale: the entries whose failure no longer occurs.
    """

    excusing: list[Entry] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)
    stale: list[Entry] = field(default_factory=list)

    def add_stale(self, entry: Entry, say: Sentences) -> None:
        """Add an entry whose failure no longer occurs; a run that was cut short does not show that."""
        if say.is_cut_short:
            self.not_checked.append(say.cut_short(entry))
        else:
            self.stale.append(entry)
            self.breaches.append(say.stale(entry))


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """The entries of one file.

    Attributes:
        path: of the file, as the user named it.
        entries: in the order of the file.
        text: the content of the file, which may be replaced before the run is judged.
    """

    path: str
    entries: tuple[Entry, ...]
    text: str = ""

    def gate(self, run: Run, unreported: Iterable[Result] = ()) -> Gate:
        """Return what the entries excuse in a run, and which of them do not hold on its day.

        Args:
            run: whose verdict need not be known yet.
            unreported: results of requirements that the run does not report, and others rest on.
        """
        results = {result.id: result for result in (*unreported, *run.requirements)}
        day = date.fromisoformat(run.finished_at[:10])
        reported = {result.id for result in run.requirements}
        assess = partial(self._assess, day=day, is_cut_short=run.cut_short)
        assessments = {name: assess(name, results.get(name)) for name in self._ids()}
        for name in assessments.keys() - reported:
            if not assessments[name].excusing:  # what a selection leaves out breaks no promise
                assessments[name] = assess(name, None)
        excuses = {name: each.excusing[0] for name, each in assessments.items() if each.excusing}
        consequences = _consequences(results.values(), excuses)
        rows = (self._row(entry, assessments, consequences, reported) for entry in self.entries)
        return Gate(
            known_failures=tuple(row for row in rows if row),
            not_checked=tuple(each for assessment in assessments.values() for each in assessment.not_checked),
            breaches=tuple(each for assessment in assessments.values() for each in assessment.breaches),
        )

    def stale(self, run: Run) -> list[tuple[int, str]]:
        """Return the number of an entry, from 0, and the requirement of it that no longer fails as entered."""
        results = {result.id: result for result in run.requirements}
        day = date.fromisoformat(run.finished_at[:10])
        assess = partial(self._assess, day=day, is_cut_short=run.cut_short)
        stale = {name: assess(name, results.get(name)).stale for name in self._ids()}
        pairs = [(n, name) for n, entry in enumerate(self.entries) for name in entry.requirements]
        return [(n, name) for n, name in pairs if self.entries[n] in stale[name]]

    def may_excuse(self, result: Result, day: date) -> bool:
        """Whether an entry excuses a result, or may excuse what it was not judged because of.

        Whether it does is known once those are judged, too; where it does not, one of them is no known failure.
        """
        if result.blocked_by and set(result.blocked_by) <= set(self._ids()):
            return True
        return bool(self._assess(result.id, result, day).excusing)

    def tolerates(self, requirement: str, signature: Signature) -> bool:
        """Whether an entry that names the case of a failure excuses it, so that the other cases stay enforced."""
        entries = (e for e in self.entries if requirement in e.requirements and e.case is not None)
        return any(_matches(entry, signature) for entry in entries)

    def _ids(self) -> list[str]:
        return list(dict.fromkeys(name for entry in self.entries for name in entry.requirements))

    def _assess(self, name: str, result: Result | None, day: date, *, is_cut_short: bool = False) -> Assessment:
        entries = [entry for entry in self.entries if name in entry.requirements]
        say = Sentences(name, self.path, result, is_cut_short=is_cut_short)
        if result is None:
            return Assessment(not_checked=[say.not_selected(entry) for entry in entries])
        if result.outcome is Outcome.FAILED:
            return _assess_failure(result, entries, day, say)
        if result.outcome is Outcome.PASSED:
            return _assess_pass(result, entries, say)
        return _assess_open(result, entries, day, say)

    def _row(
        self,
        entry: Entry,
        assessments: Mapping[str, Assessment],
        consequences: Mapping[str, Entry],
        reported: Iterable[str],
    ) -> KnownFailure | None:
        """Return what an entry excuses; None if it excuses nothing that the run reports."""
        names = tuple(name for name in entry.requirements if entry in assessments[name].excusing)
        blocked = tuple(name for name, cause in consequences.items() if cause is entry)
        if not names or not {*names, *blocked} & {*reported}:
            return None
        expires = entry.expires.isoformat()
        return KnownFailure(
            names, entry.kind, entry.case, entry.owner, entry.reason, entry.link, expires, tuple(blocked)
        )


def _consequences(results: Iterable[Result], excuses: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return id of each result that was not judged only because of excused ones -> the entry that excuses them."""
    found: dict[str, Entry] = {}
    blocked = [result for result in results if result.blocked_by and result.id not in excuses]
    while True:
        known = {**excuses, **found}
        new = {r.id: known[r.blocked_by[0]] for r in blocked if r.id not in found and {*r.blocked_by} <= known.keys()}
        if not new:
            return found
        found |= new


def _assess_pass(result: Result, entries: Iterable[Entry], say: Sentences) -> Assessment:
    """Return what entries say of a pass: it is stale, unless the entry is about a part or about chance."""
    assessment = Assessment()
    for entry in entries:
        if entry.kind is EntryKind.FLAKY or _is_untried(entry, result):
            assessment.not_checked.append(say.passed_by_chance(entry))
        else:
            assessment.add_stale(entry, say)
    return assessment


def _assess_open(result: Result, entries: Iterable[Entry], day: date, say: Sentences) -> Assessment:
    """Return what entries say of a result that is neither a pass nor a failure."""
    assessment = Assessment()
    signature = signatures_of(result)[0]
    for entry in entries:
        if entry.kind is not EntryKind.NOT_JUDGED or not is_undecided(result):
            assessment.not_checked.append(say.not_judged(entry))
        elif not _matches(entry, signature):
            assessment.breaches.append(say.mismatch(entry, signature))
        elif entry.expires < day:
            assessment.breaches.append(say.expired(entry))
        else:
            assessment.excusing.append(entry)
    return assessment


def _assess_failure(result: Result, entries: Sequence[Entry], day: date, say: Sentences) -> Assessment:
    """Return what entries say of a failure: it is excused if each of its findings is, on that day."""
    assessment = Assessment()
    signatures = signatures_of(result)
    failures = [entry for entry in entries if entry.kind is not EntryKind.NOT_JUDGED]
    matched = {n: [s for s in signatures if _matches(entry, s)] for n, entry in enumerate(failures)}
    unknown = [s for s in signatures if not any(s in found for found in matched.values())]
    for entry in entries:
        if entry.kind is EntryKind.NOT_JUDGED:
            assessment.add_stale(entry, say)
    valid: list[int] = []
    for number, entry in enumerate(failures):
        if not matched[number]:
            _assess_other_failure(entry, result, unknown, assessment, say)
        elif entry.expires < day:
            assessment.breaches.append(say.expired(entry))
        elif _is_too_often(entry, result):
            assessment.breaches.append(say.too_often(entry))
        else:
            valid.append(number)
    for signature in unknown:
        covering = next((e for n, e in enumerate(failures) if matched[n] and e.case in {None, signature.case}), None)
        if covering and not any(breach.kind is BreachKind.MISMATCH for breach in assessment.breaches):
            assessment.breaches.append(say.mismatch(covering, signature))
    if all(any(s in matched[n] for n in valid) for s in signatures):
        assessment.excusing = [failures[n] for n in valid]
    return assessment


def _assess_other_failure(
    entry: Entry, result: Result, unknown: Iterable[Signature], assessment: Assessment, say: Sentences
) -> None:
    """Add what an entry says of a failure that is not like it: it fails otherwise, or only otherwise."""
    others = [signature for signature in unknown if entry.case in {None, signature.case}]
    if others and not any(breach.kind is BreachKind.MISMATCH for breach in assessment.breaches):
        assessment.breaches.append(say.mismatch(entry, others[0]))
    elif not others and (entry.kind is EntryKind.FLAKY or _is_untried(entry, result)):
        assessment.not_checked.append(say.passed_by_chance(entry))
    elif not others:
        assessment.add_stale(entry, say)


def _is_untried(entry: Entry, result: Result) -> bool:
    """Whether an entry is only about cases that the run did not try."""
    cases = entry.cases_of(result.id)
    return bool(cases) and not any(map(result.cases.get, cases))


def _is_too_often(entry: Entry, result: Result) -> bool:
    tally = result.tally
    return entry.rate is not None and tally.trials > 0 and tally.failures / tally.trials > entry.rate


def _matches(entry: Entry, signature: Signature) -> bool:
    """Whether a failure is like one of an entry."""
    if entry.case not in {None, signature.case}:
        return False
    return any(_is_like(signature, each) for each in entry.signature)


def _is_like(signature: Signature, each: ExpectedFailure) -> bool:
    pairs = (
        (each.requirement, signature.requirement),
        (each.case, signature.case),
        (each.sent and normalize_request(each.sent), signature.sent),
        (each.expected and normalize(each.expected), signature.expected),
        (each.got and normalize(each.got), signature.got),
    )
    return all(expected in {None, got} for expected, got in pairs)
