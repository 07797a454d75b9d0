"""What a refused credential explains is not the target's fault; what it does not explain is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.credentials import attribute_rejections, describe_doubtful_role, is_proven_admin
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.records import Note, Span
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import HeaderSet, Retry

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Evidence

LIST, GET, PURGE = ("GET", EVENTS_PATH), ("GET", f"{EVENTS_PATH}/a"), ("POST", PURGE_PATH)


def evidence_of(
    builder: EvidenceBuilder, *answers: tuple[tuple[str, str], int], role: str = "admin", **settings: object
) -> Evidence:
    """Return evidence of these requests and statuses, in this role."""
    for (method, path), status in answers:
        builder.add_exchange(Scenario.READS, Step.LIST, method=method, path=path, status=status, role=role)
    evidence = builder.evidence
    header = replace(evidence.header, settings={"roles": ["admin", "global_auditor"], "admin_scope": True, **settings})
    return replace(evidence, header=header)


def explained(evidence: Evidence) -> list[int]:
    """Return the numbers of the exchanges that a refused credential explains."""
    return [x.n for x in attribute_rejections(evidence).exchanges if x.tags.get(Tag.SUPERSEDED) == Retry.EXPIRED_TOKEN]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("role", ["admin", "global_auditor"])
def test_revoked_token_explains_what_follows(status: int, role: str, builder: EvidenceBuilder) -> None:
    """From the first rejection after the last acceptance on, everything is explained, in the role alone."""
    evidence = evidence_of(builder, (LIST, 200), (GET, 200), (LIST, status), (GET, status), (LIST, status), role=role)
    assert explained(evidence) == [3, 4, 5]
    (reason,) = attribute_rejections(evidence).noted(notes.EXPIRED)
    assert reason == (
        f"The token of {role} was accepted until request 2, and is rejected with {status} since, also where it was "
        f"accepted before. Give a valid one: --token {role}=SOURCE, and see that it lasts until the end of the run."
    )


def test_header_beside_the_token_explains_its_rejection(builder: EvidenceBuilder) -> None:
    """A purge with a second Authorization header shows nothing about the token, also as the last one of the run."""
    evidence_of(builder, (LIST, 200), (PURGE, 200))
    tags = {Tag.HEADERS: HeaderSet.REFUSABLE}
    builder.add_exchange(
        Scenario.READS, Step.PURGE, method="POST", path=PURGE_PATH, status=401, role="admin", tags=tags
    )
    assert explained(evidence_of(builder)) == []


def test_token_that_is_forbidden_to_purge_counts_as_accepted(builder: EvidenceBuilder) -> None:
    """A 403 to another role's purge shows that its token was accepted, so a 401 after it dates from there."""
    evidence = evidence_of(builder, (LIST, 200), (PURGE, 403), (PURGE, 401), (LIST, 401), role="global_auditor")
    (reason,) = attribute_rejections(evidence).noted(notes.EXPIRED)
    assert "accepted until request 2, and is rejected with 401 since" in reason


def test_end_of_token_is_described_once(builder: EvidenceBuilder) -> None:
    """What the run itself noted of a token that was revoked is the reason for what follows, too."""
    noted = "The token of global_auditor was accepted until request 1, and is rejected with 401 since. Give a new one."
    evidence = evidence_of(builder, (LIST, 200), (LIST, 401), role="global_auditor")
    evidence = replace(evidence, notes=(Note(Scenario.READS, notes.EXPIRED.name, noted),))
    assert set(attribute_rejections(evidence).noted(notes.EXPIRED)) == {noted}


START, STOP, APP_LIST = ("POST", "/v3/apps/a/actions/start"), ("POST", "/v3/apps/a/actions/stop"), ("GET", "/v3/apps")


@pytest.mark.parametrize("denial", [403, 404])
def test_demotion_explains_what_follows(denial: int, builder: EvidenceBuilder) -> None:
    """If each purge and each other change is rejected, reads may still succeed: the user lost a right."""
    answers = [(START, 200), (PURGE, 200), (LIST, 200), (PURGE, 403), (LIST, 200), (STOP, denial), (APP_LIST, 200)]
    evidence = attribute_rejections(evidence_of(builder, *answers))
    assert explained(evidence) == [3, 4, 5, 6, 7]
    (reason,) = evidence.noted(notes.EXPIRED)
    assert reason.startswith("The token of admin was accepted until request 2, and is rejected with 403 since")


def test_demotion_dates_from_first_rejected_change(builder: EvidenceBuilder) -> None:
    """If a run ends with rejections alone, those before them are the same token's."""
    answers = [(START, 200), (PURGE, 200), (PURGE, 403), (LIST, 200), (STOP, 403), (PURGE, 403)]
    evidence = attribute_rejections(evidence_of(builder, *answers))
    assert explained(evidence) == [3, 4, 5, 6]
    assert "accepted until request 2," in evidence.noted(notes.EXPIRED)[0]


def test_span_with_explained_exchange_is_not_judged(builder: EvidenceBuilder) -> None:
    """What lies between a list of an admin and one of a user who may not read events lost nothing."""
    evidence = evidence_of(builder, (START, 200), (PURGE, 200), (LIST, 200), (PURGE, 403), (LIST, 200), (STOP, 403))
    spans = [Span(Scenario.READS, Place(Step.LIST), *numbers) for numbers in (((1,), (2,), (2,)), ((2,), (4,), (5,)))]
    assert attribute_rejections(replace(evidence, all_spans=tuple(spans))).all_spans == (spans[0],)


def test_user_was_not_demoted_before_events_are_shown(builder: EvidenceBuilder) -> None:
    """A list before the first rejection that shows events is an admin's."""
    builder.add_exchange(Scenario.READS, Step.LIST, method="POST", path=START[1])
    builder.add_exchange(Scenario.READS, Step.LIST, method="POST", path=PURGE[1])
    builder.add_exchange(Scenario.READS, Step.LIST, data={"pagination": {}, "resources": [{"guid": "a"}]})
    evidence = evidence_of(builder, (LIST, 200), (PURGE, 403), (START, 403), (LIST, 200))
    assert explained(evidence) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    "answers",
    [
        [(START, 200), (PURGE, 200), (PURGE, 403), (LIST, 200)],  # nothing else is rejected
        [(START, 200), (PURGE, 200), (PURGE, 403), (START, 403), (STOP, 200)],  # another change is accepted
        [(PURGE, 200), (PURGE, 403), (START, 403), (LIST, 200)],  # changes of apps were never accepted
        [(START, 200), (PURGE, 403), (START, 403), (LIST, 200)],  # purges were never accepted
        [(START, 200), (PURGE, 200), (PURGE, 404), (START, 404), (LIST, 200)],  # nothing says that a right is missing
    ],
)
def test_rejected_changes_without_demotion_are_the_targets(
    answers: list[tuple[tuple[str, str], int]], builder: EvidenceBuilder
) -> None:
    """Only if purges and other changes that were accepted are all rejected, the user was demoted."""
    assert explained(evidence_of(builder, *answers)) == []


@pytest.mark.parametrize(
    ("purge_status", "creates_app", "is_demoted"), [(403, False, True), (200, False, False), (403, True, False)]
)
def test_user_who_sees_nothing_was_demoted(
    purge_status: int, builder: EvidenceBuilder, *, creates_app: bool, is_demoted: bool
) -> None:
    """Where the suite changes no apps, the admin was demoted once neither events nor apps are listed."""
    if creates_app:
        builder.add_exchange(Scenario.READS, Step.LIST, method="POST", path="/v3/apps", data={"guid": "a"})
    for rows in ([{"guid": "a"}], []):
        for path in (EVENTS_PATH, "/v3/apps"):
            builder.add_exchange(Scenario.READS, Step.LIST, path=path, data={"pagination": {}, "resources": rows})
        if rows:
            builder.add_purge(Scenario.READS, status=purge_status)
    evidence = attribute_rejections(evidence_of(builder))
    assert bool(evidence.noted(notes.EXPIRED)) == is_demoted
    if is_demoted:
        assert explained(evidence) == [3, 4, 5]
        (reason,) = evidence.noted(notes.EXPIRED)
        assert "accepted until request 2, and since then neither an event nor an app is listed with it." in reason


def test_rejections_before_revocation_remain(builder: EvidenceBuilder) -> None:
    """Purges by another role that were answered with 403 before the token was revoked are judged."""
    evidence = evidence_of(builder, (LIST, 200), (PURGE, 403), (PURGE, 401), (LIST, 401), role="global_auditor")
    assert explained(evidence) == [3, 4]


@pytest.mark.parametrize(
    "answers",
    [
        [(PURGE, 200), (PURGE, 403), (LIST, 200)],  # one operation is rejected, the token is accepted afterwards
        [(PURGE, 200), (PURGE, 401), (PURGE, 200), (PURGE, 401), (GET, 200)],
        [(LIST, 200), (PURGE, 401), (PURGE, 401)],  # never accepted for a purge
        [(LIST, 403), (GET, 403), (PURGE, 403)],  # never accepted
    ],
)
def test_rejection_of_one_operation_is_the_targets(
    answers: list[tuple[tuple[str, str], int]], builder: EvidenceBuilder
) -> None:
    """An operation that is rejected while the token is accepted elsewhere, or was never accepted, is judged."""
    evidence = evidence_of(builder, *answers)
    assert attribute_rejections(evidence) is evidence


@pytest.mark.parametrize(
    ("has_scope", "statuses", "proven"), [(True, [403], True), (False, [403, 401], False), (False, [403, 200], True)]
)
def test_admin_is_proven_by_scope_or_purge(
    statuses: list[int], builder: EvidenceBuilder, *, has_scope: bool, proven: bool
) -> None:
    """The token is an admin's if it has the scope or purged; else its rejections are explained."""
    purges = [(PURGE, status) for status in statuses]
    evidence = evidence_of(builder, (("POST", "/v3/apps"), 201), *purges, admin_scope=has_scope)
    assert is_proven_admin(evidence) is proven
    assert bool(explained(evidence)) is not proven


@pytest.mark.parametrize(
    ("role", "scopes", "why"),
    [
        ("global_auditor", ["cloud_controller.global_auditor"], ""),
        ("global_auditor", ["cloud_controller.read"], "lacks the scope cloud_controller.global_auditor"),
        ("org_manager", ["cloud_controller.read"], ""),
        ("build_state_updater", ["cloud_controller.update_build_state"], ""),
        (
            "build_state_updater",
            [],
            "the token of build_state_updater lacks the scope cloud_controller.update_build_state",
        ),
        ("org_manager", [], "the token of org_manager lacks the scope cloud_controller.read"),
    ],
)
def test_readable_token_needs_scope(role: str, scopes: list[str], why: str, builder: EvidenceBuilder) -> None:
    """A token that can be read has the rights of its role by its scopes."""
    found = describe_doubtful_role(evidence_of(builder, token_scopes={role: scopes}), role)
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    ("answers", "why"),
    [([(LIST, 403), (("GET", "/v3/apps"), 403)], "nowhere"), ([(LIST, 403), (("GET", "/v3/apps"), 200)], "")],
)
def test_opaque_token_needs_acceptance(
    answers: list[tuple[tuple[str, str], int]], why: str, builder: EvidenceBuilder
) -> None:
    """A token that cannot be read has the rights of its role if it is accepted anywhere."""
    found = describe_doubtful_role(evidence_of(builder, *answers, role="org_manager"), "org_manager")
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize("total", [0, 3])
def test_opaque_reader_needs_events(total: int, builder: EvidenceBuilder) -> None:
    """A token of a role that reads all events, and cannot be read itself, is doubtful if its list is empty."""
    data = {"pagination": {"total_results": total}, "resources": []}
    builder.add_exchange(Scenario.READS, Step.LIST, role="global_auditor", data=data)
    assert bool(describe_doubtful_role(builder.evidence, "global_auditor")) is not bool(total)
