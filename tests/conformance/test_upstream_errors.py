"""Profile upstream: the codes and titles that Cloud Foundry's API documents, and who may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis import error_format as envelope
from purge_conformance.analysis import induced_errors as provoked
from purge_conformance.analysis.assertions import Inconclusive, NotExercised, answer, hold, need, status_is
from purge_conformance.analysis.query_rules import Validity, query_of, validity
from purge_conformance.evidence.listing import is_page
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.records import Exchange

READERS = {"admin_read_only", "global_auditor"}
UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, FAILED = 401, 403, 404, 500


@pytest.mark.requirement("UP-ERROR-01")
def test_errors_are_listed(seen: Seen) -> None:
    """Every error MUST hold a list of at least one error."""
    found = seen.errors()
    if not found:
        raise NotExercised("no error occurred")
    hold(Finding("errors with at least one error", answer(x), x.n) for x in found if not envelope.has_errors(x))


@pytest.mark.requirement("UP-ERROR-02")
def test_no_token_code(seen: Seen) -> None:
    """A request without a token MUST be answered with 10002, CF-NotAuthenticated."""
    _coded(_with_credential(seen, "none"), UNAUTHENTICATED, (10002, "CF-NotAuthenticated"))


@pytest.mark.requirement("UP-ERROR-03")
def test_invalid_token_code(seen: Seen) -> None:
    """A request with an invalid bearer token MUST be answered with 1000, CF-InvalidAuthToken."""
    tried = [x for kind in ("malformed", "invalid", "expired") for x in _with_credential(seen, kind)]
    bearers = [x for x in tried if x.role not in {"basic", "scheme-only"}]
    _coded(bearers, UNAUTHENTICATED, (1000, "CF-InvalidAuthToken"))


@pytest.mark.requirement("UP-ERROR-04")
def test_forbidden_code(seen: Seen) -> None:
    """A forbidden request MUST be answered with 10003, CF-NotAuthorized."""
    missing = "no request was forbidden. Add --token global_auditor=... or another role's"
    _coded(seen.errors(), FORBIDDEN, (10003, "CF-NotAuthorized"), missing=missing)


@pytest.mark.requirement("UP-ERROR-05")
def test_unknown_guid_code(seen: Seen) -> None:
    """The get of a guid that no event has MUST be answered with 10010, CF-ResourceNotFound."""
    found = need(seen, "reads", "unknown", why="no unknown guid was asked for")
    _coded(found, NOT_FOUND, (10010, "CF-ResourceNotFound"))


@pytest.mark.requirement("UP-ERROR-06")
def test_bad_parameter_code(seen: Seen) -> None:
    """An invalid query parameter MUST be answered with 422 and 10008, or 400 and 10005."""
    found = need(seen, "lists", "invalid", why="no invalid query was tried")
    codes = {422: (10008, "CF-UnprocessableEntity"), 400: (10005, "CF-BadQueryParameter")}
    refused = _legible([x for x in found if x.status in codes])
    if not refused:
        raise NotExercised("no invalid query was refused with 400 or 422")
    for status, code in codes.items():
        hold(_wrong(x, code) for x in refused if x.status == status and code not in envelope.codes(x))


@pytest.mark.requirement("UP-ERROR-07")
def test_uncaught_error_code(seen: Seen) -> None:
    """An uncaught error MUST be answered with 10001, UnknownError."""
    if all(x.status != FAILED for x in seen.errors()):
        provoked.missing(seen, FAILED)
    _coded(seen.errors(), FAILED, (10001, "UnknownError"))


@pytest.mark.requirement("UP-ROLE-01")
def test_roles_may_list(seen: Seen) -> None:
    """Every role MUST be allowed to list app usage events."""
    status_is(_by_role(seen, "list"), 200)


@pytest.mark.requirement("UP-ROLE-02")
def test_readers_may_get(seen: Seen) -> None:
    """Admin Read-Only and Global Auditor MUST be allowed to get an app usage event."""
    found = [x for x in _by_role(seen, "get") if x.role in READERS]
    if not found:
        raise NotExercised("add --token admin_read_only=... and --token global_auditor=...", Cause.CONFIGURATION)
    status_is(found, 200)


@pytest.mark.requirement("UP-ROLE-03")
def test_others_may_not_get(seen: Seen) -> None:
    """The get of an existing event by any other role MUST be answered with 404 or 403."""
    found = [x for x in _by_role(seen, "get") if x.role not in READERS]
    if not found:
        raise NotExercised("add --token org_manager=... or --token space_developer=...", Cause.CONFIGURATION)
    status_is(found, 404, 403)


@pytest.mark.requirement("UP-PAGE-01")
def test_per_page_bounds(seen: Seen) -> None:
    """The parameter `per_page` MUST take 1 to 5000, and no 0 nor 5001."""
    _bounds(seen, "per_page", accepted={"1", "5000"}, refused={"0", "5001"})


@pytest.mark.requirement("UP-PAGE-02")
def test_page_bounds(seen: Seen) -> None:
    """The parameter `page` MUST take integers from 1, and no 0."""
    _bounds(seen, "page", accepted={"1"}, refused={"0"})


def _bounds(seen: Seen, name: str, *, accepted: set[str], refused: set[str]) -> None:
    need(seen, "lists", "opening", why="no list was read")
    paged = [x for x in [*seen.of("lists"), *seen.of("reach", "events")] if set(x.query) <= {"page", "per_page"}]
    tried = [x for x in paged if name in x.query]
    others = {
        x.n: validity("listAppUsageEvents", {k: v for k, v in query_of(x.path).items() if k != name}) for x in tried
    }
    valid = [x for x in tried if x.query[name] in accepted and others[x.n] is Validity.VALID]
    hold(Finding(f"200 for {name}={x.query[name]}", answer(x), x.n) for x in valid if not is_page(x))
    invalid = [x for x in tried if x.query[name] in refused]
    hold(
        Finding(f"400 or 422 for {name}={x.query[name]}", answer(x), x.n) for x in invalid if x.status not in {400, 422}
    )


def _with_credential(seen: Seen, kind: str) -> list[Exchange]:
    sent = [*seen.of("refused", "credential"), *seen.of("reads", "list", "get")]
    return [x for x in sent if x.tags.get("credential") == kind]


def _by_role(seen: Seen, step: str) -> list[Exchange]:
    """Return the reads by every role that was given beside the admin."""
    sent = need(seen, "reads", step, why="there was no event to read")
    found = [x for x in sent if x.tags.get("credential") == "valid"]
    if not found:
        raise NotExercised("no role beside the admin was given. Add --token global_auditor=...", Cause.CONFIGURATION)
    return found


def _coded(found: Iterable[Exchange], status: int, code: tuple[int, str], *, missing: str = "") -> None:
    """Require that the answers with that status carry the code; an answer with another is another requirement's."""
    judged = _legible([x for x in found if x.status == status and x.method != "HEAD"])
    if not judged:
        blame = Cause.CONFIGURATION if missing else Cause.TARGET
        raise NotExercised(missing or f"no such request was answered with {status}", blame)
    hold(_wrong(x, code) for x in judged if code not in envelope.codes(x))


def _legible(found: list[Exchange]) -> list[Exchange]:
    """Return the errors that carry the envelope.

    Raises:
        Inconclusive: there are errors, and none of them does.
    """
    legible = [x for x in found if not envelope.problem(x)]
    if found and not legible:
        raise Inconclusive("the errors carry no envelope: see ERROR", Cause.TARGET)
    return legible


def _wrong(exchange: Exchange, code: tuple[int, str]) -> Finding:
    return Finding(f"code {code[0]}, title {code[1]}", answer(exchange), exchange.n)
