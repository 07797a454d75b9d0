"""The sentences about entries of the known failures that do not hold, or that a run says nothing about."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.config.known_failures import WRITE, EntryKind
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report.gate import Breach, BreachKind, NotChecked
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from purge_conformance.config.known_failures import Entry
    from purge_conformance.report.model import Result
    from purge_conformance.report.signature import Signature

MAX_CHARS = 160  # of a part of a signature


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is said of the entries that name one requirement.

    Attributes:
        id: of the requirement.
        path: of the file.
        result: of the requirement; None if the run does not report it.
        is_cut_short: whether the run did not end in order, so that a pass does not show that a failure is gone.
    """

    id: str
    path: str
    result: Result | None
    is_cut_short: bool = False

    def stale(self, entry: Entry) -> Breach:
        """Return that the failure of an entry no longer occurs."""
        what = "not judged here" if entry.kind is EntryKind.NOT_JUDGED else "a known failure"
        case = f" in the case {entry.case}" if entry.case else ""
        is_failed = self.result is not None and self.result.outcome is Outcome.FAILED
        how = "fails, but not as entered" if is_failed and entry.kind is not EntryKind.NOT_JUDGED else self._outcome()
        return self._breach(
            BreachKind.STALE,
            f"{self.id} {how}{case}, and {self._entry(entry)} has it as {what}. "
            f"Remove that: purge-conformance known-failures prune {shlex.quote(self.path)} --report REPORT. "
            "If it fails only sometimes, write kind: flaky.",
        )

    def mismatch(self, entry: Entry, signature: Signature) -> Breach:
        """Return that a requirement fails otherwise than its entry says."""
        entered = next((each for each in entry.signature if each.requirement == self.id), entry.signature[0])
        verb = "fails" if signature.expected else "is not judged"
        words = one_line(entered.got, MAX_CHARS) if entered.got else f"the case {entered.case}"
        return self._breach(
            BreachKind.MISMATCH,
            f"{self.id} {verb} otherwise than {self._entry(entry)} says. Got: {_show(signature)}. "
            f"Entered: {words}. Fix what is new; of the same defect, correct the signature, or write it again: "
            f"{WRITE}.",
        )

    def too_often(self, entry: Entry) -> Breach:
        """Return that a flaky failure occurs more often than its entry allows."""
        tally = self.result.tally if self.result else None
        trials, failures = (tally.trials, tally.failures) if tally else (0, 0)
        return self._breach(
            BreachKind.MISMATCH,
            f"{self.id} failed in {failures} of {trials} trials ({failures / max(trials, 1):.0%}), and "
            f"{self._entry(entry)} allows {entry.rate or 0:.0%}. Fix it, or agree on another rate with its owner.",
        )

    def expired(self, entry: Entry) -> Breach:
        """Return that the last day of an entry is over, and its failure still occurs."""
        return self._breach(
            BreachKind.EXPIRED,
            f"{self.id} {self._outcome()} as entered, but {self._entry(entry)} expired on {entry.expires.isoformat()}. "
            "Fix it, or agree on a later day with its owner.",
        )

    def not_selected(self, entry: Entry) -> NotChecked:
        """Return that the run does not report the requirement."""
        return self._not_checked(entry, "was not selected")

    def not_judged(self, entry: Entry) -> NotChecked:
        """Return that the requirement was not judged, and its entry says nothing about that."""
        reason = self.result.reason if self.result else ""
        return self._not_checked(entry, f"was {self._outcome()}: {one_line(reason, MAX_CHARS)}")

    def passed_by_chance(self, entry: Entry) -> NotChecked:
        """Return that the run shows no such failure, which does not show that it is gone."""
        is_flaky, cases = entry.kind is EntryKind.FLAKY, " or ".join(entry.cases_of(self.id))
        return self._not_checked(
            entry, "did not fail like this in this run" if is_flaky else f"was not tried in the case {cases}"
        )

    def cut_short(self, entry: Entry) -> NotChecked:
        """Return that the run shows no such failure, and was cut short."""
        return self._not_checked(entry, "did not fail as entered until the run was cut short")

    def _outcome(self) -> str:
        outcome = self.result.outcome if self.result else Outcome.NOT_EXERCISED
        return {Outcome.FAILED: "failed", Outcome.PASSED: "passed"}.get(outcome, f"{outcome}")

    def _entry(self, entry: Entry) -> str:
        return f"{entry.place} (owner {entry.owner})"

    def _breach(self, kind: BreachKind, sentence: str) -> Breach:
        return Breach(kind, self.id, sentence)

    def _not_checked(self, entry: Entry, what: str) -> NotChecked:
        return NotChecked(self.id, f"{self.id} {what} ({self._entry(entry)}).")


def _show(signature: Signature) -> str:
    sent = f", to {signature.sent}" if signature.sent else ""
    return f"{one_line(signature.got, MAX_CHARS)}{one_line(sent, MAX_CHARS)}"
