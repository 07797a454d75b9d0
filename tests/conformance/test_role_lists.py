"""Judgment of the profile upstream: what lists show to the roles that may not get events."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import require_exchanges, require_no
from purge_conformance.analysis.next_steps import get_apps, give_token
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.roles import ADMIN, READ_ONLY_ROLES
from purge_conformance.evidence.listing import pagination, resources, total_results
from purge_conformance.evidence.safe_text import as_text
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

PARAMETERS = {
    "guids": "guids",
    "after_guid": "after-guid",
    "created_ats[lte]": "created-ats",
    "order_by": "order",
    "created_ats": "created-at",
    "created_ats[gt]": "created-later",
    "created_ats[gte]": "created-not-earlier",
    "created_ats[lt]": "created-earlier",
}
LARGE_PAGE = 100  # of more events than Cloud Controller's documentation shows on a page by default
SECOND_PAGE = 2


@pytest.mark.requirement("UP-ROLE-04")
def test_lists_show_no_event_to_others(view: JudgmentView) -> None:
    """The list MUST NOT show an event to a role that may not get events, whatever the query."""
    sent = require_exchanges(view, Scenario.READS, Step.LIST, if_none="Nothing was read.")
    if not any(resources(x) for x in sent if x.role == ADMIN):
        raise NotExercised("There was no event that a list could show.", Cause.CONFIGURATION, get_apps(view))
    gets = _reads_by_others(view, Step.GET)
    readers = {x.role for x in gets if x.status == HTTPStatus.OK}
    lists = [x for x in _reads_by_others(view, Step.LIST, Step.FILTERED_LIST) if x.role not in readers]
    if not lists:
        raise NotExercised(
            "There is no token of a role that may not get events.", Cause.CONFIGURATION, give_token("org_manager")
        )
    view.count("unfiltered", (x for x in lists if x.step is Step.LIST))
    for parameter, case in PARAMETERS.items():
        view.count(case, (x for x in lists if parameter in x.query))
    view.count("no-parameter", (x for x in lists if not x.query))
    view.count("one-guid", (x for x in lists if x.query.keys() == {"guids"} and "," not in x.query["guids"]))
    view.count("order-alone", (x for x in lists if x.query.keys() == {"order_by"}))
    view.count("large-page", (x for x in lists if _number(x, "per_page") > LARGE_PAGE))
    view.count("later-page", (x for x in lists if _number(x, "page") > SECOND_PAGE))
    counts_totals = _has_correct_totals(view)
    require_no(finding for x in lists for finding in _findings(x, counts_totals=counts_totals))


def _number(x: Exchange, parameter: str) -> int:
    value = x.query.get(parameter, "")
    return int(value) if value.isdecimal() else 0


def _has_correct_totals(view: JudgmentView) -> bool:
    """Whether `total_results` is right in every list with all of its events on one page that the admin got."""
    reads = (x for x in view.resource_exchanges() if x.role == ADMIN and x.route == EVENTS_PATH and resources(x))
    of_one_page = (x for x in reads if x.query.get("page", "1") == "1" and not pagination(x).get("next"))
    return all(total_results(x) in {None, len(resources(x))} for x in of_one_page if Tag.CONCURRENT not in x.tags)


def _findings(x: Exchange, *, counts_totals: bool) -> Iterator[Finding]:
    guids = [str(row.get("guid")) for row in resources(x)]
    total = (total_results(x) or 0) if counts_totals else 0
    if guids:
        yield Finding(f"no event in the list of {x.role}", f"{len(guids)} events, the first of them {guids[0]}", x.n)
    elif total:
        yield Finding(f"total_results 0 in the list of {x.role}", as_text(total), x.n)


def _reads_by_others(view: JudgmentView, *steps: Step) -> list[Exchange]:
    """Return the reads in the roles that may not get events, that the target answered."""
    reads = target_responses(view.of(Scenario.READS, *steps))
    with_role = [x for x in reads if x.tags.get(Tag.CREDENTIAL) == CredentialKind.VALID]
    return [x for x in with_role if x.role not in READ_ONLY_ROLES]
