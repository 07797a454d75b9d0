"""What the engine adds to the findings of a judgment: how to send the request again, what was sent, and the case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.defects import describe_kind_of_request, describe_request
from purge_conformance.catalogue.model import ANY_SCENARIO
from purge_conformance.evidence import curl
from purge_conformance.evidence.app_descriptions import describe_apps_in
from purge_conformance.evidence.records import SUCCESS
from purge_conformance.evidence.steps import Tag
from purge_conformance.report.pictures import picture_of
from purge_conformance.report.text_pictures import draw_text

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.report.model import Finding


def complete(finding: Finding, requirement: Requirement, view: JudgmentView) -> Finding:
    """Return a finding with what the evidence knows: a command, what was sent, the case, the apps, and a picture.

    Args:
        finding: of a judgment.
        requirement: that it violates.
        view: what the judgment read and counted.
    """
    finding = replace(finding, curl=None, picture=draw_text(picture_of(finding, view.full_evidence)))
    x = next((x for x in view.full_evidence.exchanges if x.n == finding.exchange), None)
    if x is None:
        return finding
    apps = describe_apps_in(view.full_evidence, f"{finding.expected} {finding.got}", x.n)
    case = finding.case or view.case_of(x.n)
    sent = _sent(finding, requirement, x)
    return replace(finding, curl=curl.command(x, view.header), apps=apps, case=case, sent=sent)


def _sent(finding: Finding, requirement: Requirement, x: Exchange) -> str | None:
    """Return the request whose answer a finding quotes; None if it is about something else.

    A requirement about every answer fails by the form of the answer, whatever was sent.
    """
    quotes_answer = finding.got.startswith("no answer" if x.status is None else f"{x.status}")
    if ANY_SCENARIO in requirement.scenarios or not quotes_answer:
        return None
    return describe_kind_of_request(x) if x.status in SUCCESS or Tag.MODE in x.tags else describe_request(x)
