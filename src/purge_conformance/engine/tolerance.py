"""What a judgment finds behind a known failure of one case, so that the other cases stay enforced.

A judgment ends with the first violation that it finds. Where an entry of the known failures names the case of that, the
judgment is made again as if there were no such finding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import TOLERATED
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.engine.findings import complete
from purge_conformance.engine.prerequisites import judge
from purge_conformance.report.model import Outcome
from purge_conformance.report.signature import signature_of

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.known_failures import KnownFailures
    from purge_conformance.report.model import Finding, Result


def judge_again(
    result: Result, known: KnownFailures | None, evidence: Evidence
) -> tuple[BaseException | None, JudgmentView] | None:
    """Return how the judgment of a failed requirement ends without what is known of single cases, and what it read.

    Returns:
        None if something else fails already, or if no entry names a case.
    """
    if known is None or result.outcome is not Outcome.FAILED:
        return None
    requirement, view = result.requirement, JudgmentView(evidence)

    def is_known(finding: Finding) -> bool:
        return known.tolerates(requirement.id, signature_of(requirement.id, complete(finding, requirement, view)))

    if not all(known.tolerates(requirement.id, signature_of(requirement.id, each)) for each in result.findings):
        return None
    token = TOLERATED.set(is_known)
    try:
        return judge(requirement.id, view), view
    finally:
        TOLERATED.reset(token)


def with_findings(result: Result, findings: tuple[Finding, ...], view: JudgmentView) -> Result:
    """Return a failed result with further findings, and with the cases that were tried until these."""
    cases = {name: max(count, len(view.cases.get(name, ()))) for name, count in result.cases.items()}
    return replace(result, findings=(*result.findings, *findings), cases=cases)
