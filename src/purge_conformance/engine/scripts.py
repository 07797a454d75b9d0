"""Gives a failed requirement the script that shows one of its findings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.script.plan import plan
from purge_conformance.analysis.script.render import render
from purge_conformance.engine.scope import with_followed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Finding, Result


def with_script(result: Result, evidence: Evidence) -> Result:
    """Return the result; the first of its findings that an exchange shows has a script.

    A script is no part of a verdict: evidence that no script can be made of leaves the finding without one.
    """
    by_number = {x.n: x for x in evidence.exchanges}
    for place, finding in enumerate(result.findings):
        if (shown := by_number.get(finding.exchange or 0)) is None:
            continue
        script = _script(result, finding, shown, evidence)
        findings: Iterable[Finding] = (
            replace(f, script=script) if n == place else f for n, f in enumerate(result.findings)
        )
        return replace(result, findings=tuple(findings))
    return result


def _script(result: Result, finding: Finding, shown: Exchange, evidence: Evidence) -> str | None:
    requirement = result.requirement
    try:
        steps = plan(evidence, finding, shown, requirement.operation, with_followed({shown.scenario}))
        is_flaky = result.tally.is_flaky
        return (
            None
            if steps.is_alone and not is_flaky
            else render(evidence, requirement, finding, steps, is_flaky=is_flaky)
        )
    except Exception:  # noqa: BLE001 -- a target may send anything
        return None
