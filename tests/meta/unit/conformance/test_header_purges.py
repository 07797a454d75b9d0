"""Judgments of purges that carry the headers of clients and proxies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import JUDGMENTS, add_purge, outcome_of
from purge_conformance.analysis.header_purges import UNREFUSABLE
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.records import Span
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import GOOD_LAST, WITH_OTHER_TOKEN, HeaderSet

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

AFTER_COMPLETE = ("a",)


def add_header_purge(
    builder: EvidenceBuilder, name: HeaderSet, status: int = 200, *, after: tuple[str, ...] = AFTER_COMPLETE
) -> None:
    """Add a purge with a set of headers, which destroys `old` and seeds the app `a`, where it is complete."""
    if not builder.exchanges:
        add_purge(builder, [builder.event("a", "a")])
    place = Place(Step.GENERATED_PURGE, len(builder.exchanges))
    apps, processes = [builder.app("a")], [builder.process("a", "a")]
    before = [builder.event("old", "a")]
    builder.add_snapshot(Scenario.GENERATED, place.at(Phase.BEFORE), before, apps, processes)
    builder.add_purge(Scenario.GENERATED, place, status=status, tags={Tag.HEADERS: name})
    time = "2026-07-01T12:01:00Z"
    rows = [builder.event(guid, "a", time if guid == "a" else "2026-07-01T12:00:00Z") for guid in after]
    builder.add_snapshot(Scenario.GENERATED, place.at(Phase.AFTER), rows, apps, processes)


@pytest.mark.parametrize("name", HeaderSet)
def test_complete_purge_passes(name: HeaderSet, builder: EvidenceBuilder) -> None:
    """A purge with any set of headers that is complete passes, and counts for the sets that it includes."""
    add_header_purge(builder, name)
    view = builder.judgment_view
    JUDGMENTS["HEADER-01"](view)
    assert name in view.cases
    assert outcome_of(builder, "PURGE-01") == "passed"


@pytest.mark.parametrize("status", [500, 206, 302])
@pytest.mark.parametrize("name", HeaderSet)
def test_other_status_fails(name: HeaderSet, status: int, builder: EvidenceBuilder) -> None:
    """A purge that fails because of its headers is a finding of HEADER-01 alone."""
    add_header_purge(builder, name, status)
    assert outcome_of(builder, "HEADER-01") == "failed"
    assert [outcome_of(builder, other) for other in ("PURGE-01", "STATUS-01")] == ["passed", "passed"]


@pytest.mark.parametrize("name", HeaderSet)
def test_refusal_is_allowed_where_http_allows_it(name: HeaderSet, builder: EvidenceBuilder) -> None:
    """A refusal is a finding only where nothing that the client sends gives a reason for it."""
    add_header_purge(builder, name, 406, after=("old",))
    assert outcome_of(builder, "HEADER-01") == ("failed" if name in UNREFUSABLE else "passed")


@pytest.mark.parametrize("name", HeaderSet)
def test_good_token_authenticates(name: HeaderSet, builder: EvidenceBuilder) -> None:
    """A 401 is a finding, however the scheme is written, unless another Authorization header is beside it."""
    add_header_purge(builder, name, 401, after=("old",))
    assert outcome_of(builder, "HEADER-01") == ("passed" if name in WITH_OTHER_TOKEN else "failed")


def add_part(builder: EvidenceBuilder, names: str, *after: str) -> None:
    """Add a purge with a part of the set before it."""
    place = Place(Step.GENERATED_PURGE, len(builder.exchanges))
    apps, processes = [builder.app("a")], [builder.process("a", "a")]
    builder.add_snapshot(Scenario.GENERATED, place.at(Phase.BEFORE), [builder.event("old", "a")], apps, processes)
    builder.add_purge(Scenario.GENERATED, place, tags={Tag.PART_OF_SET: names})
    rows = [builder.event(guid, "a", f"2026-07-01T12:0{int(guid == 'a')}:00Z") for guid in after]
    builder.add_snapshot(Scenario.GENERATED, place.at(Phase.AFTER), rows, apps, processes)


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"Via, DNT": ("old", "a"), "Via": ("a",), "DNT": ("old", "a")}, "(DNT)"),
        ({"Via, DNT": ("a",), "Referer": ("a",)}, None),
    ],
    ids=["one-header-is-left", "no-part-breaks-it"],
)
def test_finding_names_the_fewest_headers(
    parts: dict[str, tuple[str, ...]], named: str | None, builder: EvidenceBuilder
) -> None:
    """The finding is that of the smallest part that breaks the purge, if there is one; a part is no plain purge."""
    for _ in range(2):
        add_header_purge(builder, HeaderSet.CLIENTS, after=("old", "a"))
    for names, after in parts.items():
        add_part(builder, names, *after)
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENTS["HEADER-01"](builder.judgment_view)
    assert all(
        finding.expected.endswith(named or "(no Accept, no Content-Length)") for finding in caught.value.findings
    )
    assert outcome_of(builder, "PURGE-03") == "passed"


def test_incomplete_purge_fails(builder: EvidenceBuilder) -> None:
    """A purge that answers 200 and keeps an event fails HEADER-01, and not PURGE-03, which judges plain purges."""
    add_header_purge(builder, HeaderSet.LONG, after=("old", "a"))
    assert [outcome_of(builder, name) for name in ("HEADER-01", "PURGE-03")] == ["failed", "passed"]


def test_failure_that_does_not_recur_is_not_of_the_headers(builder: EvidenceBuilder) -> None:
    """If the same headers do no harm when they are sent again, they are not the cause."""
    add_header_purge(builder, HeaderSet.LONG, 500)
    add_header_purge(builder, HeaderSet.LONG)
    assert outcome_of(builder, "HEADER-01") == "passed"


def test_refused_purge_that_destroys_is_found(builder: EvidenceBuilder) -> None:
    """A purge that is refused for its headers must not destroy events, like any refused purge."""
    add_header_purge(builder, HeaderSet.REFUSABLE, 412, after=())
    builder.add_exchange(
        Scenario.REJECTED_PURGES, Step.UNKNOWN_ROUTE, method="POST", path=f"{PURGE_PATH}/no_such_route", status=404
    )
    assert outcome_of(builder, "REFUSE-03") == "failed"


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        (HeaderSet.CLIENTS, 403, "failed"),
        (HeaderSet.CLIENTS, 200, "passed"),
        (HeaderSet.CLIENTS, 401, "passed"),  # HEADER-01 judges the scheme
        (HeaderSet.LONG, 400, "failed"),
        (HeaderSet.LONG, 431, "passed"),
    ],
)
def test_unrelated_headers_should_be_ignored(
    name: HeaderSet, status: int, outcome: str, builder: EvidenceBuilder
) -> None:
    """A refusal of headers that say nothing is a finding of the SHOULD, except for their size."""
    add_header_purge(builder, name, status)
    assert outcome_of(builder, "HEADER-02") == outcome


@pytest.mark.parametrize("status", [202, 206])
def test_plain_purges_are_judged_by_answers_200_only(status: int, builder: EvidenceBuilder) -> None:
    """A purge that its headers make answer otherwise is not one of the plain purges, whatever it leaves."""
    add_purge(builder, [builder.event("a", "a")])
    builder.add_exchange(Scenario.APP_CHANGES, Step.START_APP, method="POST", path="/v3/apps/a/actions/start")
    add_header_purge(builder, HeaderSet.CLIENTS, status, after=("old", "a"))
    assert [outcome_of(builder, name) for name in ("HEADER-01", "PURGE-01", "PURGE-03")] == [
        "failed",
        "passed",
        "passed",
    ]


def add_purges_beside_unusual_app(builder: EvidenceBuilder, scenario: Scenario, step: Step, *seeds: str) -> None:
    """Add a plain purge and one of a scenario, neither of which seeds the started app `unusual` of others.

    Args:
        builder: the evidence.
        scenario: of the second purge, whose apps are `a` and `unusual` as well.
        step: likewise.
        seeds: the events after the second purge.
    """
    apps, processes = [builder.app("a"), builder.app("unusual")], [builder.process("a", "a")]
    tags = {Tag.HEADERS: HeaderSet.CLIENTS} if scenario is Scenario.GENERATED else {}
    more: list[dict[str, Any]] = [{}, {"tags": tags} if tags else {"request_body": "unexpected"}]
    places = [(Scenario.PURGE, Step.PURGE, ("a",)), (scenario, step, seeds)]
    for (where, name, after), extra in zip(places, more, strict=True):
        builder.add_snapshot(where, Place(name, phase=Phase.BEFORE), [builder.event("old", "a")], apps, processes)
        builder.add_exchange(where, name, method="POST", path=PURGE_PATH, **extra)
        rows = [builder.event(guid, "a", "2026-07-01T12:01:00Z") for guid in after]
        builder.add_snapshot(where, Place(name, phase=Phase.AFTER), rows, apps, processes)


@pytest.mark.parametrize(("seeds", "outcome"), [(("a",), "passed"), ((), "failed")])
@pytest.mark.parametrize(
    ("requirement", "purge"),
    [
        ("HEADER-01", (Scenario.GENERATED, Step.GENERATED_PURGE)),
        ("BODY-02", (Scenario.UNEXPECTED_INPUT, Step.NOT_JSON)),
    ],
)
def test_unusual_app_of_others_is_left_out(
    requirement: str, purge: tuple[Scenario, Step], seeds: tuple[str, ...], outcome: str, builder: EvidenceBuilder
) -> None:
    """An app that plain purges treat incorrectly as well says nothing about headers and input; the others do."""
    add_purges_beside_unusual_app(builder, *purge, *seeds)
    assert outcome_of(builder, requirement) == outcome


def add_good_last(builder: EvidenceBuilder, status: int, *after: str) -> None:
    """Add a purge with two Authorization headers, of which the last is good; events that are listed after it."""
    if not builder.exchanges:
        add_purge(builder, [builder.event("a", "a")])
    scenario, old = Scenario.UNEXPECTED_INPUT, [builder.event("old", "a")]
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, old)
    path = f"{PURGE_PATH}/no_such_route"
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.UNKNOWN_ROUTE, method="POST", path=path, status=404)
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, old)
    add_header_purge(builder, HeaderSet.NEGOTIATION)  # without a set nothing is judged
    builder.add_page(scenario, Step.NEWEST_PAGE, old)
    builder.add_exchange(
        scenario, Step.TWO_CREDENTIALS, method="POST", path=PURGE_PATH, status=status, role=GOOD_LAST, data={}
    )
    rows = [builder.event(guid, "a", f"2026-07-01T12:0{2 * int(guid == 'a')}:00Z") for guid in after]
    builder.add_page(scenario, Step.NEWEST_PAGE, rows)


def with_good_last(builder: EvidenceBuilder) -> JudgmentView:
    """Return the evidence with the span of the last purge."""
    evidence, (before, purge, after) = builder.evidence, builder.exchanges[-3:]
    span = Span(purge.scenario, purge.place, (before.n,), (purge.n,), (after.n,))
    return JudgmentView(replace(evidence, all_spans=(*evidence.all_spans, span)))


@pytest.mark.parametrize(
    ("status", "after", "outcomes"),
    [
        (200, ("a",), ("passed", "not exercised")),
        (401, ("old",), ("passed", "passed")),
        (400, ("old",), ("passed", "passed")),
        (500, ("old",), ("failed", "not exercised")),
        (200, ("old",), ("failed", "not exercised")),
        (401, ("a",), ("passed", "failed")),
    ],
    ids=["complete", "refused", "malformed", "error", "nothing-done", "refused-and-done"],
)
def test_good_header_after_a_bad_one(
    status: int, after: tuple[str, ...], outcomes: tuple[str, str], builder: EvidenceBuilder
) -> None:
    """A purge whose last of two Authorization headers is good is complete or refused, and then destroys nothing."""
    add_good_last(builder, status, *after)
    for name, outcome in zip(("HEADER-01", "REFUSE-03"), outcomes, strict=True):
        view = with_good_last(builder)
        if outcome == "failed":
            with pytest.raises(RequirementViolated):
                JUDGMENTS[name](view)
        elif outcome == "passed":
            JUDGMENTS[name](view)
            assert view.cases[{"HEADER-01": "good-last", "REFUSE-03": "two-credentials"}[name]]
