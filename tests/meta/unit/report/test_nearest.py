"""A defect names the fault that it resembles, and none if nothing is near."""

from __future__ import annotations

import pytest

from meta.support.results import requirement
from purge_conformance import catalogue
from purge_conformance.report.defect import Defect
from purge_conformance.report.model import Cause, Finding, Outcome, Result
from purge_conformance.report.nearest import MIN_SIMILARITY, known_symptoms, nearest, with_nearest_fault
from purge_conformance.report.symptoms import features_of, symptoms_of

GUID, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def missing(app: str, special: str, number: int = 3) -> Finding:
    """Return that an app has no event."""
    about = f"shop-{number} ({app}): STARTED, {number} instances, space s-{number}; {special}"
    return Finding(f"an event for the started app {app}", "none", number, apps=(about,))


SYMPTOMS = {
    "misses-zero": frozenset(features_of("SEED-01", [missing(GUID, "scaled to 0 instances")])),
    "misses-names": frozenset(features_of("SEED-01", [missing(GUID, "its name has a quotation mark")])),
    "answers-202": frozenset(features_of("PURGE-01", [Finding("200", "202 {}", 1)])),
}


def failed(name: str, *findings: Finding) -> Result:
    """Return a failed requirement."""
    return Result(requirement(name), Outcome.FAILED, Cause.TARGET, findings=findings)


def test_same_failure_of_another_run_is_found() -> None:
    """Guids, times and numbers do not count; what is special about the app does."""
    defect = Defect(("SEED-01",), "", "none", 1, (8,))
    features = symptoms_of(defect, [failed("SEED-01", missing(OTHER, "its name has a quotation mark", 8))])
    match = nearest(features, SYMPTOMS)
    assert match is not None
    assert (match.fault, match.similarity) == ("misses-names", 1)


@pytest.mark.parametrize("finding", [Finding("no event for a deleted app", "one", 1), Finding("401", "200 OK", 1)])
def test_nothing_near_is_silent(finding: Finding) -> None:
    """A failure in other words, also of a requirement that a fault violates, resembles none."""
    for name in ("SEED-01", "AUTH-99"):
        assert nearest(frozenset(features_of(name, [finding])), SYMPTOMS) is None


def test_only_own_findings_count() -> None:
    """Of a requirement that is in several defects, the findings of the defect count."""
    result = failed(
        "SEED-01", missing(GUID, "scaled to 0 instances", 3), missing(OTHER, "its name has a quotation mark", 9)
    )
    defects = [Defect(("SEED-01",), "", "none", 1, (number,)) for number in (3, 9)]
    assert [nearest(symptoms_of(each, [result]), SYMPTOMS).fault for each in defects] == ["misses-zero", "misses-names"]  # type: ignore[union-attr]


def test_data_is_current() -> None:
    """What the package knows of a fault has the requirements that the fault violates.

    If not: `python benchmarks/nearest.py --update MATRIX`, with the matrix.json of a selfcheck of that fault.
    """
    faults = {fault.id: set(fault.requirements) for fault in catalogue.faults()}
    found = {fault: {each for each in features if " " not in each} for fault, features in known_symptoms().items()}
    assert found == {name: faults.get(name) for name in found}


def test_known_fault_resembles_itself() -> None:
    """Each fault whose failures are known resembles itself, or one with the same features."""
    symptoms = known_symptoms()
    for features in symptoms.values():
        match = nearest(features, symptoms)
        assert match is not None
        assert symptoms[match.fault] == features


def test_defect_names_the_fault() -> None:
    """A defect gets the id of the fault, or none."""
    defect = with_nearest_fault(
        Defect(("AUTH-99",), "", "nothing known", 1, (1,)), [failed("AUTH-99", Finding("a", "b", 1))]
    )
    assert defect.behaves_like is None
    assert 0 < MIN_SIMILARITY < 1
