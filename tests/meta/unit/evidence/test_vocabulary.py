"""The schema of the evidence and the requirements use the names that the package declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.model import ANY_SCENARIO
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from enum import StrEnum

DEFINITIONS: dict[str, Any] = catalogue.document("evidence.schema.json")["$defs"]
FULL_PLACE = Place(Step.PURGE, 1, Phase.BEFORE, Part.EVENTS, App.STARTED, 2, 3)


@pytest.mark.parametrize(
    ("name", "declared"),
    [("scenario", Scenario), ("step", Step), ("phase", Phase), ("part", Part), ("app", App)],
)
def test_schema_has_declared_names(name: str, declared: type[StrEnum]) -> None:
    """The schema allows exactly the declared names."""
    assert DEFINITIONS[name]["enum"] == [str(each) for each in declared]


def test_schema_has_declared_tags() -> None:
    """The schema allows exactly the declared tags."""
    tags = DEFINITIONS["exchange"]["properties"]["tags"]["propertyNames"]["enum"]
    assert tags == [str(tag) for tag in Tag]


def test_schema_has_declared_notes() -> None:
    """The schema allows exactly the declared notes."""
    assert DEFINITIONS["note"]["properties"]["name"]["enum"] == list(notes.NAMES)


def test_requirements_name_declared_scenarios() -> None:
    """A requirement names declared scenarios or any; only one that no run can judge names none."""
    for requirement in catalogue.requirements():
        assert set(requirement.scenarios) <= {*Scenario} or requirement.scenarios == (ANY_SCENARIO,)
        assert bool(requirement.scenarios) is (requirement.not_judged is None), requirement.id


def test_place_survives_a_row() -> None:
    """A place is read from its row as it was written."""
    row = FULL_PLACE.to_row()
    assert (Place.pop_from(row), row) == (FULL_PLACE, {})


def test_place_reads_as_words() -> None:
    """A report shows the members of a place in words."""
    assert str(FULL_PLACE) == "purge 1 started before events, sequence 2, action 3"
    assert str(Place(Step.WALK, 0)) == "walk 0"
