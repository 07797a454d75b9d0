"""How the evidence of a run ends: in order, or in the middle, as that of a run that was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence import notes

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence

KILLED = "The run was killed"
INTERRUPTED = "The run was interrupted"
REFUSED = "The run ended before its first purge, with exit code 2"


def describe_kill(evidence: Evidence) -> str:
    """Return that the run was killed and how far it came, as a sentence; empty if it ended in order.

    The last record of every other run says that it is finished, also if a signal or an error ended it.
    """
    if evidence.noted(notes.FINISHED):
        return ""
    last = max(evidence.exchanges, key=lambda x: x.n, default=None)
    where = f"its evidence ends in scenario {last.scenario}" if last else "its evidence has no request"
    return f"{KILLED}: {where}."
