"""The signature of a failure: the same for the same defect in each run, another one for another defect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.results import requirement
from purge_conformance.report.model import Cause, Finding, Outcome, Result
from purge_conformance.report.signature import MAX_CHARS, normalize, normalize_request, signature_of, signatures_of

ONE, OTHER = "59c18196-3b0d-4741-8555-13dd9534fb45", "CECB2E7F-fca1-4a42-8f6a-5f83d8a7672c"
UNKNOWN = '500 {"errors":[{"title":"UnknownError","detail":"An unknown error occurred.","code":10001}]}'
WORDS = (
    "500",
    "200 ",
    "{",
    "}",
    "[",
    '"',
    "errors",
    ONE,
    "2026-01-02T03:04:05Z",
    "...",
    "…",
    "\n",
    "http://h:1/",
    ", ",
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"an event for the app {ONE}", f"an event for the app {OTHER}"),
        (f"{ONE}, {OTHER}", ONE),
        (f"{ONE} of 2026-01-02T03:04:05Z", f"{OTHER} of 2027-11-12T13:14:15.123456+01:00"),
        ("http://127.0.0.1:8080/v3/x is no link", "https://api.example.org/v3/x is no link"),
        ("57 events, in 3 pages", "1,204 events, in 41 pages"),
        ("no answer (read timed out after 0.52 s)", "no answer (read timed out after 30.0 s)"),
        (UNKNOWN, UNKNOWN.replace('{"title":"UnknownError",', '{ "title": "UnknownError",')),
        (UNKNOWN, '500 {"errors":[{"code":10001,"title":"UnknownError","detail":"An unknown error occurred."}]}'),
        ('200 {"resources": [{"guid": 1}], "pagination": {}}', '200 {"pagination": {"a": 2}, "resources": []}'),
        ("200 {'a': 'clipped ...", "200 {'b': 'clipped elsewhere ..."),
        ("error at /opt/cc/x.rb:149:in `y'", "error at /opt/cc/x.rb:151:in `y'"),
        ("12 ms start;\n30 ms purge;\nafterwards the app is STARTED", "9 ms purge;\nafterwards the app is STOPPED"),
        (f"the app {ONE}: state STARTED, name web, space x", f"the app {OTHER}: state STARTED, name app 2, space x"),
        ("the app purge-conformance-1f2e is renamed", "the app purge-conformance-77aa is renamed"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(one: str, other: str) -> None:
    """Guids, times, hosts, ports, numbers, orders and the content of a body do not matter."""
    assert normalize(one) == normalize(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("500 text", "503 text"),
        ("401", "401 or 400"),
        (UNKNOWN, UNKNOWN.replace("10001", "10002")),
        (UNKNOWN, UNKNOWN.replace("An unknown", "A known")),
        ('200 {"jobs": 1}', '200 {"events": 1}'),
        ("200 []", '200 ["x"]'),
        ("STARTED", "STOPPED"),
        ("'2020-06-30 23:49:04'", "None"),
        ("an event of the app", "no event of the app"),
    ],
)
def test_what_tells_defects_apart_stays(one: str, other: str) -> None:
    """Statuses, error codes and details, names of members, states and words of the suite tell defects apart."""
    assert normalize(one) != normalize(other)


def test_request_keeps_what_it_tries() -> None:
    """Of a request only guids, hosts and real times are left out: month 13 and hour 25 are two defects."""
    list_path = "GET /v3/app_usage_events?created_ats="
    month, hour = (normalize_request(list_path + value) for value in ("2020-13-01T00:00:00Z", "2020-06-30T25:00:00Z"))
    assert month != hour
    assert normalize_request(f"{list_path}2020-06-30T23%3A49%3A04Z") == f"{list_path}<time>"
    assert normalize_request(f"GET /v3/app_usage_events?guids={ONE},{OTHER}&per_page=0 as admin") == (
        "GET /v3/app_usage_events?guids=<guid>&per_page=0 as admin"
    )


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=12), st.integers().map(str))).map("".join))
def test_normal_text_stays(text: str) -> None:
    """What a file has is read as the same signature, whatever a target sent; it is one short line."""
    for function in (normalize, normalize_request):
        assert function(function(text)) == function(text)
        assert len(function(text)) <= MAX_CHARS
        assert function(text).splitlines() in ([], [function(text)])


def test_signatures_of_a_result() -> None:
    """A failure has one signature for findings that are alike; what was not judged has its reason."""
    findings = tuple(Finding("200", f"500 {guid}", case="plain", sent=f"POST /{guid}") for guid in (ONE, OTHER))
    failed = Result(requirement(), Outcome.FAILED, Cause.TARGET, findings=(*findings, Finding("200", "503")))
    first, second = signatures_of(failed)
    assert (first, second) == (signature_of("PURGE-01", findings[0]), signature_of("PURGE-01", Finding("200", "503")))
    assert (first.case, first.sent, first.expected, first.got) == ("plain", "POST /<guid>", "200", "500 <guid>")
    missed = Result(requirement(), Outcome.INCONCLUSIVE, Cause.CONFIGURATION, "No token of 3 roles.")
    assert [each.got for each in signatures_of(missed)] == ["No token of <number> roles."]
