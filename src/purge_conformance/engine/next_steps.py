"""What a user does so that a requirement that was not judged can be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.next_steps import RUN_ALONE
from purge_conformance.report.model import Cause, Outcome
from purge_conformance.report.text import NOTHING_TO_DO, enumerate_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.report.model import Result

# By cause, for a judgment that gives no next step of its own.
INCONCLUSIVE = {
    Cause.TARGET: "Fix the response that the reason quotes, then run again.",
    Cause.CONFIGURATION: "Run `purge-conformance doctor`, change the setting that it names, then run again.",
    Cause.AUTHENTICATION: (
        "Give a valid token with --token ROLE=SOURCE (`purge-conformance doctor` checks it), then run again."
    ),
    Cause.NETWORK: "Check the URL, the proxy and --timeout (`purge-conformance doctor` tries them), then run again.",
    Cause.RACE: RUN_ALONE,
    Cause.SUITE: "This is a defect of the suite: report it, and attach evidence.jsonl.",
}
# Where a simpler check fails that is not the judgment of a requirement.
FIX_FAILED = (
    "Fix the requirements that the report lists as failed, then run again. If none failed, report it as a defect of "
    "the suite, and attach evidence.jsonl."
)
LOOK_UP = (
    "See in {} what the target answered, and fix that, then run again. If the answers are right, report this as a "
    "defect of the suite, and attach evidence.jsonl."
)
COLLECT_AGAIN = "Collect new evidence: run again with this version of the suite."
NOT_EXERCISED = INCONCLUSIVE | {Cause.TARGET: FIX_FAILED}
NO_RUN_CAN = f"{NOTHING_TO_DO}: no run can judge it."


def default_next_step(outcome: Outcome, cause: Cause) -> str:
    """Return the next step for a requirement that was inconclusive or not exercised."""
    return (NOT_EXERCISED if outcome is Outcome.NOT_EXERCISED else INCONCLUSIVE)[cause]


def name_failures(results: Sequence[Result]) -> tuple[Result, ...]:
    """Return the results; instead of "the requirements that failed", a next step names them.

    These are the ones that failed by an exchange that the judgment read, or else all. If none failed, it names the
    exchanges that leave the requirement open.
    """
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    return tuple(_name_failures(result, failed) if result.next_step == FIX_FAILED else result for result in results)


def _name_failures(result: Result, failed: Sequence[Result]) -> Result:
    if not failed:
        numbers = enumerate_ids([str(n) for n in result.exchanges], "and")
        place = f"the exchanges {numbers} of evidence.jsonl" if numbers else "evidence.jsonl"
        return replace(result, next_step=LOOK_UP.format(place))
    related = [each for each in failed if any(finding.exchange in result.exchanges for finding in each.findings)]
    return replace(result, next_step=after_fixing([each.id for each in related or failed]))


def after_fixing(ids: Sequence[str]) -> str:
    """Return the next step if these requirements, or a simpler check without an id, have to hold first."""
    return f"Fix {enumerate_ids(ids, 'and')} first, then run again." if ids else FIX_FAILED
