"""Judgments of attempts to bypass authentication and authorization."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    raise_if_cut_short,
    require_no,
    require_status,
    require_tried,
)
from purge_conformance.analysis.missing_tokens import NO_OTHER_ROLE, sent_as_other_roles
from purge_conformance.analysis.next_steps import RUN_LOCALLY, give_token
from purge_conformance.analysis.outcomes import NotExercised, PrerequisiteFailed
from purge_conformance.analysis.rejected import attempts, successful_bypasses
from purge_conformance.analysis.view import past_firewalls
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.roles import ANONYMOUS_ROLE
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

# name of a credential -> case of AUTH-13 and of AUTH-14
TOKEN_HEADERS = {"x-auth-token", "x-access-token"}  # where a gateway may look for a token
GARBAGE = "garbage"  # the name of the credential that is text, and no token of a role
METHODS = {"PUT", "HEAD", "OPTIONS"}
CLOSE_CASES = {
    "altered-middle": "altered",
    "cut-start": "cut",
    "cut-end": "cut",
    "extended": "extended",
    "further-part": "further-part",
    "quoted": "quoted",
    "percent-encoded": "percent-encoded",
    "other-key": "other-key",
    "other-algorithm": "other-algorithm",
    "no-algorithm": "no-algorithm",
    "empty-key": "empty-key",
    "own-key": "own-key",
    "signature-case": "signature-case",
    "spaced": "spaced",
    "other-case": "letter-case",
    "repeated": "repeated",
    "joined-first": "joined",
    "joined-last": "joined",
    "other-claims": "other-claims",
    "other-signature": "other-signature",
    "empty-signature": "empty-signature",
    "unsigned-with-signature": "unsigned-with-signature",
}
SCHEME_CASES = {
    "scheme-basic": "basic",
    "scheme-token": "token",
    "scheme-mac": "mac",
    "scheme-jwt": "jwt",
    "scheme-dpop": "dpop",
    "scheme-oauth": "oauth",
    "scheme-bearertoken": "longer-scheme",
    "scheme-with-equals-sign": "equals-sign",
    "password": "password",
    "user-name": "user-name",
    "parameter": "parameter",
    "no-scheme": "no-scheme",
    "glued-scheme": "no-space",
    "doubled-scheme": "doubled",
}


@pytest.mark.requirement("AUTH-09")
def test_path_spellings_do_not_bypass(view: JudgmentView) -> None:
    """An alternative spelling of the path MUST NOT bypass authorization."""
    _count_attempts(view, _spelling_case, Step.SPELLING)
    _require_no_bypass(view, Step.SPELLING)


@pytest.mark.requirement("AUTH-10")
def test_overrides_do_not_bypass(view: JudgmentView) -> None:
    """Override headers and parameters MUST NOT bypass authorization."""
    _count_attempts(view, _override_case, Step.OVERRIDE, Step.IMPERSONATION)
    _require_no_bypass(view, Step.OVERRIDE, Step.IMPERSONATION)


@pytest.mark.requirement("AUTH-11")
def test_forged_token_is_rejected(view: JudgmentView) -> None:
    """A forged token outside `Authorization` MUST NOT authorize a purge."""
    view.count_parts(view.of(Scenario.AUTH_BYPASS, Step.FORGED_TOKEN), _token_places)
    _require_no_bypass(view, Step.FORGED_TOKEN)


@pytest.mark.requirement("AUTH-12")
def test_url_token_is_rejected(view: JudgmentView) -> None:
    """A token in the URL MUST NOT authenticate a request."""
    if not view.of(Scenario.AUTH_BYPASS, Step.TOKEN_IN_URL):
        raise_if_cut_short(view, Scenario.AUTH_BYPASS)
        raise _url_token_not_tried(view)
    sent = require_tried(view, Scenario.AUTH_BYPASS, Step.TOKEN_IN_URL, if_none="No token in a URL was tried.")
    statuses_without_token = [
        x.status for x in view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL) if x.role == ANONYMOUS_ROLE
    ]
    if HTTPStatus.UNAUTHORIZED not in statuses_without_token:
        raise PrerequisiteFailed("a purge without any token is not answered with 401")
    if successful_bypasses(view, Step.FORGED_TOKEN):
        raise PrerequisiteFailed("even a forged token is accepted")
    view.count("query", sent)
    violations = [x for x in past_firewalls(sent) if x.status == HTTPStatus.FORBIDDEN or x.succeeded]
    require_no(Finding("401, as without a token", describe_response(x), x.n) for x in violations)


@pytest.mark.requirement("AUTH-13")
def test_close_token_is_rejected(view: JudgmentView) -> None:
    """A token that differs from a valid one MUST NOT authenticate a purge."""
    _require_unauthenticated(view, Step.CLOSE_TOKEN, CLOSE_CASES)


@pytest.mark.requirement("AUTH-14")
def test_other_scheme_is_rejected(view: JudgmentView) -> None:
    """A valid token under another scheme than bearer, or under none, MUST NOT authenticate a purge."""
    _require_unauthenticated(view, Step.OTHER_SCHEME, SCHEME_CASES)


@pytest.mark.requirement("AUTH-15")
def test_claims_beside_the_token_do_not_bypass(view: JudgmentView) -> None:
    """Whatever a request carries beside its Authorization header MUST NOT bypass authorization."""
    view.count_parts(view.of(Scenario.AUTH_BYPASS, Step.CLAIMS_BESIDE), lambda x: [_claim_case(x), *_header_cases(x)])
    _require_no_bypass(view, Step.CLAIMS_BESIDE)


@pytest.mark.requirement("AUTH-17")
def test_two_credentials_do_not_bypass(view: JudgmentView) -> None:
    """Two Authorization headers MUST NOT authorize a purge that neither of them authorizes."""
    view.count_parts(view.of(Scenario.AUTH_BYPASS, Step.TWO_CREDENTIALS), lambda x: [x.role])
    _require_no_bypass(view, Step.TWO_CREDENTIALS)


def _count_attempts(view: JudgmentView, kind_of: Callable[[Exchange], str], *steps: Step) -> None:
    """Count attempts for the case of their kind, and for that of their credential."""

    def cases_of(x: Exchange) -> tuple[str, ...]:
        who = {ANONYMOUS_ROLE: ["no-token"], GARBAGE: []}
        return kind_of(x), *who.get(x.role, ["role-without-scope"])

    if attempts(view, *steps, scenario=Scenario.AUTH_BYPASS):  # otherwise there was no event to lose
        view.count_parts(view.of(Scenario.AUTH_BYPASS, *steps), cases_of)


def _spelling_case(x: Exchange) -> str:
    """Return the case of AUTH-09 that an alternative spelling of the path belongs to."""
    if x.route.endswith(("%20", "%00", "%0A")):
        return "trailing-character"
    marks = {"%": "percent-encoding", "/.": "dot-segments", ";": "path-parameter", "//": "repeated-slash"}
    default = "suffix" if x.route.endswith(("/", ".json")) else "letter-case"
    return next((case for mark, case in marks.items() if mark in x.route), default)


def _override_case(x: Exchange) -> str:
    """Return the case of AUTH-10 that a request with headers or parameters for another one belongs to."""
    if x.step is Step.OVERRIDE:
        return "method-override"
    return "user-headers" if is_purge(x.method, x.path) else "path-override"


def _token_places(x: Exchange) -> list[str]:
    """Return the cases of AUTH-11 that a request belongs to: where its forged tokens are."""
    names = {name.lower() for name, _ in x.request_headers}
    if x.query or x.request_body:
        return ["query" if x.query else "form"]
    if not names & TOKEN_HEADERS:
        return ["cookie"]
    has_forged_cookie = any(name.lower() == "cookie" and "access_token=" in value for name, value in x.request_headers)
    return ["other-headers", *["cookie"] * has_forged_cookie]  # the target may have set cookies of its own


def _claim_case(x: Exchange) -> str:
    """Return the case of AUTH-15 that a request belongs to: where it claims an admin's rights."""
    if x.method != "POST":
        return (
            "method" if x.method in METHODS else "method-without-token" if x.role == ANONYMOUS_ROLE else "other-method"
        )
    names = {name.lower() for name, _ in x.request_headers}
    media_type = next((value for name, value in x.request_headers if name == "Content-Type"), "")
    if media_type == "application/json" and x.query:
        return "rejected-token" if Tag.CREDENTIAL in x.tags else "every-role"
    if media_type == "application/json":
        return "json-without-token" if x.role == ANONYMOUS_ROLE else "json"
    if media_type:
        return "form" if media_type == "application/x-www-form-urlencoded" else "content-type"
    return "query" if x.query else "role-headers" if "x-admin" in names else "method-override"


def _header_cases(x: Exchange) -> list[str]:
    """Return the further cases of AUTH-15 that the headers of a request belong to."""
    names = {name.lower() for name, _ in x.request_headers}
    return ["role-cookie", "client-certificate"] if {"x-admin", "x-forwarded-client-cert"} <= names else []


def _require_unauthenticated(view: JudgmentView, step: Step, cases: Mapping[str, str]) -> None:
    """Require that purges with these credentials are answered with 401, or with 400 as malformed, and purge nothing.

    Args:
        view: the evidence.
        step: of the purges.
        cases: name of the credential -> case of the requirement.
    """
    sent = require_tried(view, Scenario.AUTH_BYPASS, step, if_none=f"No bypass of the kind {step} was tried.")
    view.count_parts(view.of(Scenario.AUTH_BYPASS, step), lambda x: [cases[x.role]])
    require_status(past_firewalls(sent), HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST)
    _require_no_bypass(view, step)


def _url_token_not_tried(view: JudgmentView) -> NotExercised:
    """Return why no token was sent in a URL: it is sent only to this machine, and only a token without the scope is."""
    if not sent_as_other_roles(view):
        return NotExercised(NO_OTHER_ROLE, Cause.CONFIGURATION, give_token("global_auditor"))
    reason = "Not tried: the target is not on this machine, and a URL with a token would be logged."
    return NotExercised(reason, Cause.CONFIGURATION, RUN_LOCALLY)


def _require_no_bypass(view: JudgmentView, *steps: Step) -> None:
    require_no(
        Finding(f"this {x.method} does not purge", words, x.n)
        for step in steps
        for x, words in successful_bypasses(view, step)
    )
