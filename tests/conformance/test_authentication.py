"""Judgments of authentication and of the admin scope."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    raise_if_cut_short,
    require_exchanges,
    require_no,
    require_status,
    require_status_of_each,
)
from purge_conformance.analysis.history import admin_reads_rejected
from purge_conformance.analysis.missing_tokens import explain_missing_token
from purge_conformance.analysis.view import past_firewalls, target_responses
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.roles import ADMIN, ANONYMOUS_ROLE, EXPIRED
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

SCHEME = "bearer"  # as most requests have it
# RFC 6750, section 3.1, calls these malformed requests, which are answered with 400.
MALFORMED_CREDENTIALS = {"empty", "scheme-only"}
PURGE_CASES = {  # name of a credential -> the case of AUTH-01 to AUTH-04, where it is another name
    ANONYMOUS_ROLE: "no-header",
    "empty": "empty-header",
    "basic": "basic-scheme",
    "altered": "altered-token",
    "altered-end": "altered-token",
    EXPIRED: "expired-token",
}
READ_CASES = {
    CredentialKind.NONE: "no-token",
    CredentialKind.MALFORMED: "malformed-token",
    CredentialKind.INVALID: "invalid-token",
    CredentialKind.EXPIRED: "expired-token",
}
CLOSE_CASES = {
    Step.CLOSE_TOKEN: "close-token",
    Step.OTHER_SCHEME: "other-scheme",
    Step.FORGED_TOKEN: "query-token",
}
ROLE_CASES = {"admin_read_only": "admin-read-only", "global_auditor": "global-auditor"}
MISSING_TOKENS = {  # kind of credential -> why there is none, and the role whose token it needs
    CredentialKind.EXPIRED: ("There is no expired token.", EXPIRED),
    CredentialKind.VALID: ("There is no token without the admin scope.", "global_auditor"),
}


@pytest.mark.requirement("AUTH-01")
def test_purge_requires_token(view: JudgmentView) -> None:
    """A purge without a token MUST answer 401."""
    _require_unauthenticated(_purges_with(view, CredentialKind.NONE))


@pytest.mark.requirement("AUTH-02")
def test_purge_rejects_malformed_token(view: JudgmentView) -> None:
    """A purge with a malformed token MUST answer 401; the scheme without a token may answer 400."""
    _require_unauthenticated(_purges_with(view, CredentialKind.MALFORMED))


@pytest.mark.requirement("AUTH-03")
def test_purge_rejects_invalid_token(view: JudgmentView) -> None:
    """A purge with an invalid token MUST answer 401."""
    require_status_of_each(view, _purges_with(view, CredentialKind.INVALID), HTTPStatus.UNAUTHORIZED)


@pytest.mark.requirement("AUTH-04")
def test_purge_rejects_expired_token(view: JudgmentView) -> None:
    """A purge with an expired token MUST answer 401."""
    require_status_of_each(view, _purges_with(view, CredentialKind.EXPIRED), HTTPStatus.UNAUTHORIZED)


@pytest.mark.requirement("AUTH-05")
def test_list_requires_token(view: JudgmentView) -> None:
    """List without a valid token MUST answer 401."""
    _require_unauthenticated(_unauthenticated_reads(view, Step.LIST))
    _require_unauthenticated(_generated_without_token(view, Step.GENERATED_LIST), case="generated")
    _require_close_rejected(view, lambda x: x.route == EVENTS_PATH)


@pytest.mark.requirement("AUTH-06")
def test_get_requires_token(view: JudgmentView) -> None:
    """Get without a valid token MUST answer 401."""
    _require_unauthenticated(_unauthenticated_reads(view, Step.GET))
    _require_unauthenticated(_generated_without_token(view, Step.GENERATED_GET), case="generated")
    _require_close_rejected(view, lambda x: x.route != EVENTS_PATH)


@pytest.mark.requirement("AUTH-07")
def test_purge_requires_admin_scope(view: JudgmentView) -> None:
    """A purge with a valid token that lacks the admin scope MUST answer 403."""
    require_status_of_each(view, _purges_with(view, CredentialKind.VALID), HTTPStatus.FORBIDDEN)


@pytest.mark.requirement("AUTH-08")
def test_admin_may_read(view: JudgmentView) -> None:
    """An admin MUST be allowed to list and get app usage events."""
    reads = require_exchanges(view, Scenario.READS, Step.LIST, Step.GET, if_none="Nothing was read.")
    for case in ("list", "get"):
        view.count(case, (x for x in reads if x.role == ADMIN and x.step == case))
    require_no(Finding("neither 401 nor 403", describe_response(x), x.n) for x in admin_reads_rejected(view))
    written = {x.n: _scheme(x) for x in view.of(Scenario.READS, Step.OTHER_HEADERS) if _scheme(x) not in {"", SCHEME}}
    others = past_firewalls(view.numbered(written))
    view.count("other-letters", others)
    require_no(
        (
            Finding(f"another status than 401 with the scheme {written[x.n]}", describe_response(x), x.n)
            for x in others
            if x.status == HTTPStatus.UNAUTHORIZED
        ),
        "other-letters",
    )


def _scheme(x: Exchange) -> str:
    """Return how the scheme of a request's credential is written; empty without one."""
    values = [value for name, value in x.request_headers if name == "Authorization"]
    return next((value.partition(" ")[0] for value in values), "")


def _require_unauthenticated(sent: Iterable[Exchange], case: str | None = None) -> None:
    sent = list(sent)
    require_status((x for x in sent if x.role not in MALFORMED_CREDENTIALS), HTTPStatus.UNAUTHORIZED, case=case)
    malformed = (x for x in sent if x.role in MALFORMED_CREDENTIALS)
    require_status(malformed, HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST, case=case)


def _require_close_rejected(view: JudgmentView, belongs: Callable[[Exchange], bool]) -> None:
    """Require that reads with a token close to the admin's are rejected, and that none in the query is believed."""
    for step, case in CLOSE_CASES.items():
        sent = [x for x in view.of(Scenario.READS, step) if belongs(x)]
        view.count_whole(case, sent)
        judged = past_firewalls(sent)
        if step is Step.FORGED_TOKEN:  # a target may reject the parameter
            require_no((Finding("no success", describe_response(x), x.n) for x in judged if x.succeeded), case)
        else:
            require_status(judged, HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST, case=case)


def _purges_with(view: JudgmentView, kind: CredentialKind) -> list[Exchange]:
    """Return the purges with credentials of a kind."""
    purges = [
        *require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="No purge was sent."),
        *target_responses(view.of(Scenario.REPEAT, Step.CREDENTIAL)),
    ]
    matching = [x for x in purges if x.tags[Tag.CREDENTIAL] == kind]
    if not matching:
        raise_if_cut_short(view, Scenario.REJECTED_PURGES)
        words = "without a token" if kind == "none" else f"with {'an' if kind == 'invalid' else 'a'} {kind} token"
        reason, role = MISSING_TOKENS.get(kind, (f"No purge {words} was sent.", ADMIN))
        sent = [x for x in view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL) if x.tags.get(Tag.CREDENTIAL) == kind]
        raise explain_missing_token(sent, reason, role)
    for x in matching:
        is_valid = kind is CredentialKind.VALID
        view.count(ROLE_CASES.get(x.role, "other-role") if is_valid else PURGE_CASES.get(x.role, x.role), [x])
    return matching


def _unauthenticated_reads(view: JudgmentView, step: Step) -> list[Exchange]:
    """Return the reads with credentials that authenticate no user."""
    reads = require_exchanges(view, Scenario.READS, step, if_none=no_event(view, "There was no event to read."))
    unauthenticated = [x for x in reads if x.role != ADMIN and x.tags[Tag.CREDENTIAL] != CredentialKind.VALID]
    for x in unauthenticated:
        view.count(READ_CASES[CredentialKind(x.tags[Tag.CREDENTIAL])], [x])
    return unauthenticated


def _generated_without_token(view: JudgmentView, step: Step) -> list[Exchange]:
    """Return the generated requests that have no token and are otherwise valid: the document requires a token."""
    generated = [
        x
        for x in target_responses(view.of(Scenario.GENERATED, step))
        if x.tags[Tag.AUTH] == GeneratedAuth.NONE and x.tags[Tag.ABOUT].startswith("Authorization ")
    ]
    view.count("generated", generated)
    return generated
