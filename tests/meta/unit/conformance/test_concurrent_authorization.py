"""Judgment AUTH-16: requests with several credentials at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import JUDGMENTS, add_purge, outcome_of
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import YES, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

ROLES = {"garbage": CredentialKind.MALFORMED, "org_user": CredentialKind.VALID}
REJECTIONS = {"garbage": 401, "org_user": 403}
ROUND = Place(Step.CONCURRENT, 1)


def add_other(  # noqa: PLR0913 -- the members of an exchange
    builder: EvidenceBuilder, scenario: Scenario, role: str, status: int, where: Place, *, method: str = "POST"
) -> None:
    """Add a request with another credential that is concurrent with the admin's, except at Step.CREDENTIAL."""
    tags: dict[Tag, str] = {Tag.CREDENTIAL: ROLES[role]}
    if where.step is not Step.CREDENTIAL:
        tags[Tag.CONCURRENT] = YES
    path = PURGE_PATH if method == "POST" else EVENTS_PATH
    builder.add_exchange(scenario, where, method=method, path=path, status=status, role=role, tags=tags, data={})


def build(  # noqa: PLR0913 -- what the evidence varies in
    builder: EvidenceBuilder,
    *,
    alone: dict[str, int] = REJECTIONS,
    beside_reads: dict[str, int] = REJECTIONS,
    beside_purges: dict[str, int] = REJECTIONS,
    listed: int = 401,
    lost: bool = False,
    purge_status: int = 200,
    read_status: int = 200,
) -> None:
    """Add rejected purges alone, beside reads and beside purges."""
    rejected, page = Scenario.REJECTED_PURGES, [builder.event("old", "a"), builder.event("new", "a")]
    builder.add_purge(Scenario.PURGE)
    builder.add_page(rejected, Step.NEWEST_PAGE, page)
    for role, status in alone.items():
        add_other(builder, rejected, role, status, Place(Step.CREDENTIAL))
        builder.add_page(rejected, Step.NEWEST_PAGE, page)
    for role, status in beside_reads.items():
        add_other(builder, rejected, role, status, Place(Step.CONCURRENT_CREDENTIAL))
    add_other(builder, rejected, "garbage", listed, Place(Step.CONCURRENT_CREDENTIAL), method="GET")
    tags = {Tag.CONCURRENT: YES}
    builder.add_exchange(rejected, Step.CONCURRENT_READ, status=read_status, tags=tags, data={})
    builder.add_page(rejected, Step.NEWEST_PAGE, page[:1] if lost else page)
    for role, status in beside_purges.items():
        add_other(builder, Scenario.CONCURRENT_PURGES, role, status, Place(Step.CONCURRENT_CREDENTIAL, 1))
    for status in (200, purge_status):
        builder.add_purge(Scenario.CONCURRENT_PURGES, ROUND, status=status, tags=tags)
    builder.add_page(rejected, Step.NEWEST_PAGE, page)


def test_rejected_requests_pass(builder: EvidenceBuilder) -> None:
    """Requests that are rejected as they are alone pass, and each case is counted."""
    build(builder)
    view = builder.judgment_view
    JUDGMENTS["AUTH-16"](view)
    assert set(view.cases) == {
        *("others-beside-reads", "role-beside-reads", "list-with-invalid-token"),
        *("others-beside-purges", "role-beside-purges", "admin-purge", "admin-read"),
    }


def test_accepted_purge_beside_reads_fails(builder: EvidenceBuilder) -> None:
    """A role whose purge succeeds while the admin reads has the admin's rights."""
    build(builder, beside_reads={"garbage": 401, "org_user": 200})
    assert outcome_of(builder, "AUTH-16") == "failed"


@pytest.mark.parametrize("role", ROLES)
def test_accepted_purge_beside_purges_fails(role: str, builder: EvidenceBuilder) -> None:
    """A purge that succeeds while the admin purges has the admin's rights."""
    build(builder, beside_purges={**REJECTIONS, role: 200})
    assert outcome_of(builder, "AUTH-16") == "failed"


def test_lost_events_fail(builder: EvidenceBuilder) -> None:
    """A purge that is rejected and destroys events, while the admin reads, has the admin's rights."""
    build(builder, lost=True)
    builder.exchanges.pop()  # else the last page shows that the page before it was wrong
    assert outcome_of(builder, "AUTH-16") == "failed"


def test_answered_list_fails(builder: EvidenceBuilder) -> None:
    """A list with an invalid token that is answered while the admin reads shares the admin's answer."""
    build(builder, listed=200)
    assert outcome_of(builder, "AUTH-16") == "failed"


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_admin_fails(status: int, builder: EvidenceBuilder) -> None:
    """A purge or a read by the admin that is rejected beside others is authorized by another credential."""
    build(builder, purge_status=status)
    assert outcome_of(builder, "AUTH-16") == "failed"


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_busy_target_passes(status: int, builder: EvidenceBuilder) -> None:
    """Another failure of a purge beside others is no matter of authorization."""
    build(builder, purge_status=status, beside_purges={"garbage": status, "org_user": status})
    assert outcome_of(builder, "AUTH-16") == "passed"


@pytest.mark.parametrize(
    ("alone", "outcome"),
    [({"garbage": 200, "org_user": 403}, "passed"), ({"garbage": 200, "org_user": 200}, "inconclusive")],
)
def test_credential_that_succeeds_alone_is_left_out(
    alone: dict[str, int], outcome: str, builder: EvidenceBuilder
) -> None:
    """A credential whose purge succeeds without concurrent requests shows nothing about these."""
    build(
        builder, alone=alone, beside_reads={**REJECTIONS, "garbage": 200}, beside_purges={**REJECTIONS, "garbage": 200}
    )
    assert outcome_of(builder, "AUTH-16") == outcome


def add_single_purge(builder: EvidenceBuilder, *after: str, status: int = 200, again: bool = False) -> None:
    """Add a purge by the admin beside rejected ones, alone again or not; events that are listed after it."""
    scenario, apps, processes = Scenario.CONCURRENT_PURGES, [builder.app("a")], [builder.process("a", "a")]
    place = Place(Step.ALONE)
    builder.add_snapshot(scenario, place.at(Phase.BEFORE), [builder.event("old", "a")], apps, processes)
    add_other(builder, scenario, "org_user", 403, Place(Step.CONCURRENT_CREDENTIAL, 0))
    builder.add_purge(scenario, place, status=status, tags={Tag.CONCURRENT: YES})
    if again:
        builder.add_purge(scenario, place)
    rows = [builder.event(guid, "a", f"2026-07-01T12:0{int(guid == 'a')}:00Z") for guid in after]
    builder.add_snapshot(scenario, place.at(Phase.AFTER), rows, apps, processes)


@pytest.mark.parametrize(
    ("after", "status", "again", "outcome"),
    [
        (("a",), 200, False, "passed"),
        (("old",), 200, False, "failed"),
        ((), 200, False, "failed"),
        (("a",), 409, True, "passed"),
        (("a",), 503, True, "passed"),
        (("a",), 403, True, "failed"),
    ],
    ids=["complete", "nothing-done", "nothing-seeded", "conflict", "unavailable", "rejected"],
)
def test_single_purge_beside_rejected_ones(
    after: tuple[str, ...],
    status: int,
    again: bool,  # noqa: FBT001 -- a parameter of the test
    outcome: str,
    builder: EvidenceBuilder,
) -> None:
    """The only purge by the admin is complete, or may fail for another reason than authorization."""
    add_purge(builder, [builder.event("a", "a")])
    build(builder)
    add_single_purge(builder, *after, status=status, again=again)
    builder.add_purge(Scenario.PURGE_WITHOUT_STARTED_APPS)
    assert outcome_of(builder, "AUTH-16") == outcome


def test_defect_of_concurrent_purges_is_none_of_authorization(builder: EvidenceBuilder) -> None:
    """Where several purges of the admin at once leave a wrong list, too, the rejected ones are not blamed."""
    add_purge(builder, [builder.event("a", "a")])
    build(builder)
    add_single_purge(builder)
    scenario, place = Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1)
    apps, processes = [builder.app("a")], [builder.process("a", "a")]
    builder.add_snapshot(scenario, place.at(Phase.BEFORE), [builder.event("old", "a")], apps, processes)
    builder.add_purge(scenario, place, tags={Tag.CONCURRENT: YES})
    builder.add_snapshot(scenario, place.at(Phase.AFTER), [], apps, processes)
    assert outcome_of(builder, "AUTH-16") == "inconclusive"


def test_older_evidence_is_not_exercised(builder: EvidenceBuilder) -> None:
    """Evidence without such requests is not judged."""
    add_other(builder, Scenario.REJECTED_PURGES, "garbage", 401, Place(Step.CREDENTIAL))
    assert outcome_of(builder, "AUTH-16") == "not exercised"


@pytest.mark.parametrize(
    ("alone", "beside", "outcome"), [(0, 0, "passed"), (0, 1, "failed"), (1, 1, "passed")], ids=str
)
def test_list_of_a_role_beside_the_admins(alone: int, beside: int, outcome: str, builder: EvidenceBuilder) -> None:
    """A list shows a role what it shows without the admin's requests: an event only beside these is the admin's."""
    build(builder)
    last = builder.exchanges.pop()
    for shown, tags in ((alone, {}), (beside, {Tag.CONCURRENT: YES})):
        every = {Tag.CREDENTIAL: CredentialKind.VALID, **tags}
        page = {"pagination": {"total_results": shown}, "resources": [builder.event("new", "a")] * shown}
        where = Step.CONCURRENT_CREDENTIAL
        builder.add_exchange(Scenario.REJECTED_PURGES, where, path=EVENTS_PATH, role="org_user", tags=every, data=page)
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, last.json["resources"])
    assert outcome_of(builder, "AUTH-16") == outcome
    if outcome == "passed":
        view = builder.judgment_view
        JUDGMENTS["AUTH-16"](view)
        assert ("role-list-beside-reads" in view.cases) is not alone


@pytest.mark.parametrize(("is_empty", "outcome"), [(True, "failed"), (False, "passed")])
def test_list_of_the_admin_beside_others(*, is_empty: bool, outcome: str, builder: EvidenceBuilder) -> None:
    """A list of the admin that shows no event, while the events before and after it are the same, is another user's."""
    build(builder)
    last, rows = builder.exchanges.pop(), [] if is_empty else [builder.event("new", "a")]
    page = {"pagination": {"total_results": len(rows)}, "resources": rows}
    tags = {Tag.CONCURRENT: YES}
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.CONCURRENT_READ, path=EVENTS_PATH, tags=tags, data=page)
    add_other(builder, Scenario.REJECTED_PURGES, "garbage", 401, Place(Step.CONCURRENT_CREDENTIAL))
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, last.json["resources"])
    assert outcome_of(builder, "AUTH-16") == outcome
