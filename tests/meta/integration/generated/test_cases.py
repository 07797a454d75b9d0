"""The cases that Schemathesis generates."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from purge_conformance.analysis.query_rules import parse_query
from purge_conformance.catalogue import OPENAPI, document
from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.errors import SuiteError
from purge_conformance.scenarios.generated import schemathesis

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.scenarios.generated.schemathesis import Case

EXAMPLE = document(OPENAPI)["components"]["parameters"]["EventGuid"]["example"]
READS = {
    ("examples", "positive"),
    ("coverage", "positive"),
    ("coverage", "negative"),
    ("fuzzing", "positive"),
    ("fuzzing", "negative"),
}


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    """All cases of one generation."""
    return schemathesis.generate(seed=1, examples=5)


def cases_of(operation: str, cases: tuple[Case, ...]) -> list[Case]:
    """Return the cases of one operation."""
    return [case for case in cases if case.operation_id == operation]


@pytest.mark.parametrize("operation", [LIST_OPERATION, GET_OPERATION])
def test_cases_of_reads_cover_phases(cases: tuple[Case, ...], operation: str) -> None:
    """List and get have examples, coverage and fuzzing, with valid and with invalid data."""
    assert {(case.phase, case.mode) for case in cases_of(operation, cases)} == READS


def test_cases_of_purge_cover_phases(cases: tuple[Case, ...]) -> None:
    """The purge, which has no parameters and so no examples, has coverage and fuzzing in both modes."""
    assert {(case.phase, case.mode) for case in cases_of(PURGE_OPERATION, cases)} == READS - {("examples", "positive")}


def test_cases_fuzz_both_modes(cases: tuple[Case, ...]) -> None:
    """Half of the random lists are valid and half are invalid, each as many as requested."""
    fuzzed = Counter(case.mode for case in cases_of(LIST_OPERATION, cases) if case.phase == "fuzzing")
    assert fuzzed == {"positive": 5, "negative": 5}


def test_cases_use_documented_methods(cases: tuple[Case, ...]) -> None:
    """No case has a method that the document lacks at its path."""
    assert {(case.operation_id, case.method) for case in cases} == {
        (PURGE_OPERATION, "POST"),
        (LIST_OPERATION, "GET"),
        (GET_OPERATION, "GET"),
    }


def test_cases_include_missing_authorization(cases: tuple[Case, ...]) -> None:
    """Each operation is also called without a token."""
    assert {case.operation_id for case in cases if case.auth == "none"} == {
        PURGE_OPERATION,
        LIST_OPERATION,
        GET_OPERATION,
    }


def test_cases_show_generated_authorization(cases: tuple[Case, ...]) -> None:
    """A generated Authorization header appears in the case; a real one never does."""
    for case in cases:
        invented = [value for name, value in case.headers if name == "Authorization"]
        assert len(invented) == (case.auth == "generated")
        assert "$TOKEN" not in "".join(invented)


def test_cases_reach_their_operation(cases: tuple[Case, ...]) -> None:
    """No path of a get contains control characters, slashes, backslashes or only dots, which proxies reject."""
    for case in cases_of(GET_OPERATION, cases):
        guid = unquote(case.path.removeprefix("/v3/app_usage_events/"))
        assert not re.search(r"[\x00-\x1f\x7f/\\]", guid)
        assert guid.strip(".")


def test_cases_use_one_created_ats_form(cases: tuple[Case, ...]) -> None:
    """No list filters created_ats both by equality and by an operator, which is undocumented."""
    for case in cases_of(LIST_OPERATION, cases):
        names = parse_query(case.path)
        assert not ("created_ats" in names and any(name.startswith("created_ats[") for name in names))


def test_generation_is_deterministic(cases: tuple[Case, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed gives the same cases in any directory and environment, and leaves no file there."""
    (tmp_path / "schemathesis.toml").write_text("[generation]\nmax-examples = 1\nmode = 'positive'\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit\n")
    (tmp_path / "requests.py").write_text("raise SystemExit\n")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    for name, value in {"PYTEST_ADDOPTS": "--collect-only", "CI": "true", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    assert schemathesis.generate(seed=1, examples=5) == cases
    assert sorted(tmp_path.iterdir()) == before


def test_generation_depends_on_seed(cases: tuple[Case, ...]) -> None:
    """Another seed gives other random cases, and the same examples of the document."""
    other = schemathesis.generate(seed=2, examples=5)
    assert other != cases
    assert [c for c in other if c.phase == "coverage"] == [c for c in cases if c.phase == "coverage"]


def test_generation_failure_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """If Schemathesis cannot run, the error contains its output."""
    monkeypatch.setattr(schemathesis, "PLUGIN", "no_such_plugin")
    with pytest.raises(SuiteError, match="no_such_plugin"):
        schemathesis.generate(seed=1, examples=1)


def test_selection_has_few_purges(cases: tuple[Case, ...]) -> None:
    """At most two of six purges carry a token, and they come last."""
    chosen = schemathesis.select_cases(cases)
    purges = cases_of(PURGE_OPERATION, chosen)
    assert len(purges) == schemathesis.MAX_CASES[PURGE_OPERATION]
    assert sum(case.auth == "token" for case in purges) == 2
    assert list(chosen[-len(purges) :]) == purges


def test_selection_has_each_request_once(cases: tuple[Case, ...]) -> None:
    """No two selected cases are the same request."""
    sent = Counter(
        (case.method, case.path, case.headers, case.body, case.auth) for case in schemathesis.select_cases(cases)
    )
    assert set(sent.values()) == {1}


def test_selection_covers_every_phase(cases: tuple[Case, ...]) -> None:
    """A small selection still has every phase and mode, and every parameter in both modes."""
    chosen = cases_of(LIST_OPERATION, schemathesis.select_cases(cases, schemathesis.MAX_CASES | {LIST_OPERATION: 50}))
    assert len(chosen) == 50
    assert {(case.phase, case.mode) for case in chosen} == READS
    for parameter in document(OPENAPI)["components"]["parameters"].values():
        if parameter["in"] == "query":
            assert {case.mode for case in chosen if case.about.startswith(f"{parameter['name']} ")} == {
                "positive",
                "negative",
            }


def test_case_uses_existing_event(cases: tuple[Case, ...]) -> None:
    """The event of the document's example is replaced by an existing one, escaped."""
    example = next(case for case in cases_of(GET_OPERATION, cases) if case.path.endswith(EXAMPLE))
    assert schemathesis.with_existing_guid(example, "a/b").path == "/v3/app_usage_events/a%2Fb"
