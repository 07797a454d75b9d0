"""One root cause is one defect, and two root causes are two."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import pytest

from meta.support.results import requirement
from purge_conformance.analysis.defects import find_defects
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.records import Exchange
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth
from purge_conformance.report.model import Cause, Finding, Outcome, Result

NUMBERS = count(1)
TRACE = "undefined method `length' for nil\n/opt/gems/uaa/token_coder.rb:149"
GENERIC = json.dumps({"errors": [{"code": 10001, "title": "UnknownError", "detail": "An unknown error occurred."}]})
UNAUTHENTICATED = json.dumps({"errors": [{"code": 10002, "title": "CF-NotAuthenticated", "detail": "x"}]})
LIST, GET = "listAppUsageEvents", "getAppUsageEvent"


def sent(  # noqa: PLR0913 -- the members of an exchange
    method: str = "GET",
    path: str = EVENTS_PATH,
    status: int | None = 500,
    body: str = GENERIC,
    *,
    role: str = "admin",
    kind: CredentialKind = CredentialKind.VALID,
    step: Step = Step.LIST,
) -> Exchange:
    """Return an exchange."""
    return Exchange(
        next(NUMBERS),
        Scenario.READS,
        Place(step),
        role=role,
        method=method,
        path=path,
        request_headers=(),
        request_body=None,
        sent_at=0.0,
        elapsed=0.1,
        status=status,
        response_headers=(("Content-Type", "application/json"),),
        body=body.encode(),
        error=None if status else "Connection reset",
        tags={Tag.CREDENTIAL: kind},
    )


def failed(name: str, *exchanges: Exchange, expected: str = "200", got: str = "", operation: str = "any") -> Result:
    """Return a failed requirement with a finding for each exchange."""
    level = Level.SHOULD if name.startswith("LEAK") else Level.MUST
    findings = tuple(Finding(expected, got or f"{x.status} {x.text}", x.n, f"curl {x.n}") for x in exchanges)
    return Result(requirement(name, level, operation=operation), Outcome.FAILED, Cause.TARGET, findings=findings)


def groups(results: list[Result], *exchanges: Exchange) -> list[set[str]]:
    """Return the ids of each defect."""
    return [set(defect.requirements) for defect in find_defects(results, exchanges)]


def unsigned(method: str, path: str, body: str = TRACE) -> Exchange:
    """Return a request with a token without its signature, answered by a stack trace."""
    return sent(method, path, 500, body, role="without-signature", kind=CredentialKind.MALFORMED)


def test_one_crash_fails_six_requirements() -> None:
    """A credential that crashes the server is one defect, on whichever operation; another crash is another one."""
    purge, listed, got = unsigned("POST", PURGE_PATH), unsigned("GET", EVENTS_PATH), unsigned("GET", f"{EVENTS_PATH}/g")
    odd = sent("GET", f"{EVENTS_PATH}?guids=%FF", 500, "Internal Server Error")
    results = [
        failed("LEAK-02", purge, listed, got),
        failed("AUTH-02", purge, expected="401"),
        failed("AUTH-05", listed, expected="401", operation=LIST),
        failed("AUTH-06", got, expected="401", operation=GET),
        failed("ERROR-07", purge, listed, got, odd, got="another content type: 500"),
        failed("LIST-14", odd, expected="a status below 500", operation=LIST),
    ]
    first, second = find_defects(results, (purge, listed, got, odd))
    assert first.requirements == ("AUTH-02", "AUTH-05", "AUTH-06", "ERROR-07", "LEAK-02")
    assert (first.sent, first.requests) == (f"POST {PURGE_PATH} with a malformed token (without signature)", 3)
    assert (first.got, first.curl) == (f"500 {TRACE}", f"curl {purge.n}")
    assert second.requirements == ("ERROR-07", "LIST-14")


def test_queries_with_one_answer_are_one_defect() -> None:
    """Requests that one requirement lists with the same answer are one defect; another answer is another."""
    odd = [sent("GET", f"{EVENTS_PATH}?created_ats={value}") for value in ("%00", "2020-13-01T00:00:00Z")]
    other = sent("GET", f"{EVENTS_PATH}?page[]=1", body="no page")
    defects = find_defects([failed("LIST-14", *odd, other, operation=LIST)], (*odd, other))
    assert [defect.exchanges for defect in defects] == [tuple(x.n for x in odd), (other.n,)]


def test_one_generic_answer_does_not_join_what_differs() -> None:
    """The same generic error to a purge and to a list, or to a plain and to an odd list, are several defects."""
    purge, odd, plain = sent("POST", PURGE_PATH), sent(path=f"{EVENTS_PATH}?a=%00", step=Step.UNSPECIFIED_QUERY), sent()
    results = [
        failed("PARALLEL-05", purge),
        failed("LIST-14", odd, operation=LIST),
        failed("STATUS-04", plain, operation=LIST),
    ]
    assert groups(results, purge, odd, plain) == [{"PARALLEL-05"}, {"LIST-14"}, {"STATUS-04"}]


def test_guids_and_numbers_do_not_split() -> None:
    """What differs from answer to answer does not make two defects of one."""
    texts = [f"request {'0' * 8}-0000-0000-0000-{n:012} failed in {n} ms" for n in (1, 22)]
    pair = [sent(path=f"{EVENTS_PATH}?a={n}", body=text) for n, text in enumerate(texts)]
    assert groups([failed("LIST-14", *pair, operation=LIST)], *pair) == [{"LIST-14"}]


@pytest.mark.parametrize("is_open", [True, False])
def test_missing_authentication_is_one_defect(*, is_open: bool) -> None:
    """If a purge without a token succeeds, each other credential that succeeds is no news; otherwise it is."""
    none = sent("POST", PURGE_PATH, 200, "", role="none", kind=CredentialKind.NONE)
    expired = sent("POST", PURGE_PATH, 200, "", role="expired", kind=CredentialKind.EXPIRED)
    invalid = sent("POST", PURGE_PATH, 200, "", role="unsigned", kind=CredentialKind.INVALID)
    results = [failed("AUTH-04", expired, expected="401"), failed("AUTH-03", invalid, expected="401")]
    results += [failed("AUTH-01", none, expected="401")] if is_open else []
    expected = [{"AUTH-01", "AUTH-03", "AUTH-04"}] if is_open else [{"AUTH-04"}, {"AUTH-03"}]
    assert groups(results, none, expired, invalid) == expected


def test_generated_request_without_a_token_is_one_without_a_token() -> None:
    """What Schemathesis sends without a token is like what the suite sends without one."""
    plain = sent(status=403, role="none", kind=CredentialKind.NONE)
    generated = replace(sent(path=f"{EVENTS_PATH}?guids=a", status=403), tags={Tag.AUTH: GeneratedAuth.NONE})
    assert groups([failed("AUTH-05", plain, generated, operation=LIST)], plain, generated) == [{"AUTH-05"}]


def test_contents_are_distinguished() -> None:
    """What is wrong in two successful answers is two defects, also in one exchange; the same flaw there is one."""
    page = sent(status=200, body="{}")
    results = [
        failed("LIST-01", page, got="no pagination", operation=LIST),
        failed("UP-EVENT-01", page, got="no pagination", operation=LIST),
        failed("SEED-05", page, got="app.guid null"),
    ]
    assert groups(results, page) == [{"LIST-01", "UP-EVENT-01"}, {"SEED-05"}]


def test_wrong_error_format_is_one_defect() -> None:
    """Errors of several statuses in one wrong format are one defect, which the requirement about all of them joins."""
    missing = sent(path=f"{EVENTS_PATH}/x", status=404, body='{"message": "not here"}', step=Step.GET)
    refused = sent(status=422, body='{"message": "no"}')
    results = [
        failed("ERROR-04", missing, got="no errors"),
        failed("ERROR-01", refused, got="no errors"),
        failed("UP-ERROR-01", missing, refused, got="no errors"),
    ]
    assert groups(results, missing, refused) == [{"ERROR-04", "ERROR-01", "UP-ERROR-01"}]


@pytest.mark.parametrize(("flaws", "count"), [(("another type", "another type"), 1), (("no title", "code 'x'"), 2)])
def test_flaws_of_errors_are_distinguished(flaws: tuple[str, str], count: int) -> None:
    """Errors of two statuses have one defect if the same is wrong with both, and two if not."""
    pair = sent(status=401, step=Step.GET), sent(status=404, path=f"{EVENTS_PATH}/x", step=Step.GET_UNKNOWN)
    results = [
        failed(name, x, got=f"{flaw}: {x.status} {x.text}")
        for name, x, flaw in zip(("ERROR-01", "ERROR-03"), pair, flaws, strict=True)
    ]
    assert len(groups(results, *pair)) == count


def test_findings_without_an_exchange_are_grouped_by_requirement() -> None:
    """A requirement whose findings name no exchange is a defect of its own, without a request."""
    results = [
        Result(requirement(name), Outcome.FAILED, Cause.TARGET, findings=(Finding("a", "b"), Finding("a", "c")))
        for name in ("SEED-01", "SEED-02")
    ]
    defects = find_defects(results, ())
    assert [(d.requirements, d.sent, d.exchanges) for d in defects] == [(("SEED-01",), "", ()), (("SEED-02",), "", ())]


def test_a_should_alone_comes_last() -> None:
    """Defects that fail a MUST come first, those with most requirements before the others."""
    leak, odd = sent(status=404, body=UNAUTHENTICATED), sent(path=f"{EVENTS_PATH}?a=%00", body="no")
    results = [failed("LEAK-02", leak), failed("LIST-14", odd, operation=LIST)]
    assert groups(results, leak, odd) == [{"LIST-14"}, {"LEAK-02"}]
