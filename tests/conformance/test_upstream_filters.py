"""Judgments of the profile upstream: filters of the list that Cloud Foundry's documentation excludes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    no_suitable_app,
    raise_if_cut_short,
    require_exchanges,
    require_status,
)
from purge_conformance.analysis.view import target_responses
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

REJECTED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


@pytest.mark.requirement("UP-FILTER-01")
def test_fraction_of_a_second_is_rejected(view: JudgmentView) -> None:
    """A filter by a time with a fraction of a second MUST be answered with 400 or 422."""
    others = {f"operator-{name}": f"created_ats[{name}]" for name in ("lt", "gte", "lte")}
    for case, name in {"equality": "created_ats", "operator": "created_ats[gt]", **others}.items():
        sent = [x for x in _special_queries(view) if "." in x.query.get(name, "").partition(",")[0]]
        view.count(case, sent)
        require_status(sent, *REJECTED)
    sent = [x for x in _special_queries(view) if "." in x.query.get("created_ats", "").partition(",")[2]]
    view.count("later-time", sent)
    require_status(sent, *REJECTED)


@pytest.mark.requirement("UP-FILTER-02")
def test_several_times_with_operator_are_rejected(view: JudgmentView) -> None:
    """Several times after an operator MUST be answered with 400 or 422."""
    others = {f"operator-{name}": f"created_ats[{name}]" for name in ("gt", "gte", "lte")}
    for case, name in {"operator": "created_ats[lt]", **others}.items():
        sent = [x for x in _special_queries(view) if "," in x.query.get(name, "")]
        view.count(case, sent)
        require_status(sent, *REJECTED)


@pytest.mark.requirement("UP-FILTER-03")
def test_updated_ats_is_rejected(view: JudgmentView) -> None:
    """The filter `updated_ats` MUST be answered with 400 or 422."""
    others = {f"operator-{name}": f"updated_ats[{name}]" for name in ("lt", "gte", "lte")}
    for case, name in {"updated-ats": "updated_ats", "operator": "updated_ats[gt]", **others}.items():
        sent = [x for x in _special_queries(view) if name in x.query]
        view.count(case, sent)
        require_status(sent, *REJECTED)


@pytest.mark.requirement("UP-FILTER-04")
def test_purged_anchor_is_rejected(view: JudgmentView) -> None:
    """A list after a purged event MUST be answered with 422, 404 or 400."""
    searches = target_responses(view.of(Scenario.PURGE, Step.SEARCH_DESTROYED))
    sent = [x for x in searches if "after_guid" in x.query]
    if not sent:
        raise_if_cut_short(view, Scenario.PURGE)
        raise no_suitable_app(view, "No event existed that a purge must destroy.")
    view.count("purged-event", (x for x in sent if "order_by" not in x.query))
    view.count("with-order", (x for x in sent if "order_by" in x.query))
    require_status(sent, *REJECTED, HTTPStatus.NOT_FOUND)


def _special_queries(view: JudgmentView) -> tuple[Exchange, ...]:
    return require_exchanges(view, Scenario.LISTS, Step.UNSPECIFIED_QUERY, if_none="No list was read.")
