"""Which reads show the newest events, and how long before a purge the last of them was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.archive.gaps import describe_additions, longest_gap, shows_newest

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

NEXT = {"href": "x"}


def add_page(builder: EvidenceBuilder, path: str, following: object = None, **more: Any) -> Any:  # noqa: ANN401
    """Add a read of the list."""
    data = {"pagination": {"next": following}, "resources": [{"guid": "a"}]}
    return builder.add_exchange(Scenario.PURGE, Step.PURGE, path=path, **({"data": data} | more))


@pytest.mark.parametrize(
    ("query", "following", "is_look"),
    [
        ("", None, True),
        ("?per_page=5000&page=1", None, True),
        ("?per_page=5000&page=2", None, True),
        ("?per_page=5000&page=1", NEXT, False),
        ("?order_by=-created_at&per_page=20", NEXT, True),
        ("?order_by=-created_at&per_page=1", NEXT, False),
        ("?order_by=-created_at&per_page=x", NEXT, False),
        ("?order_by=-created_at&per_page=20&page=2", NEXT, False),
        ("?order_by=-created_at&page=2", None, False),
        ("?order_by=%2Bcreated_at", None, False),
        ("?guids=a", None, False),
        ("?after_guid=a", None, False),
    ],
)
def test_looks(query: str, following: object, is_look: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """The end of the whole list shows the newest events, and so does its first page in reverse order."""
    assert shows_newest(add_page(builder, EVENTS_PATH + query, following)) is is_look


@pytest.mark.parametrize("more", [{"role": "none"}, {"status": 401}, {"method": "POST"}, {"data": None}])
def test_no_look(more: dict[str, Any], builder: EvidenceBuilder) -> None:
    """What is no page for the admin shows nothing."""
    assert not shows_newest(add_page(builder, EVENTS_PATH, **more))
    assert not shows_newest(builder.add_exchange(Scenario.PURGE, Step.PURGE, path="/v3/apps", data={"resources": []}))


def test_longest_gap(builder: EvidenceBuilder) -> None:
    """A gap lasts from the beginning of the last look to the end of the purge; the longest one counts."""
    assert longest_gap(builder.exchanges) is None
    add_page(builder, EVENTS_PATH)
    builder.add_purge(Scenario.PURGE)
    assert longest_gap(builder.exchanges) == 1.5
    builder.add_purge(Scenario.PURGE, role="none", status=401, elapsed=0.75)
    assert longest_gap(builder.exchanges) == 2.75
    add_page(builder, EVENTS_PATH)
    builder.add_purge(Scenario.PURGE)
    assert longest_gap(builder.exchanges) == 2.75


def test_look_during_a_purge_is_none(builder: EvidenceBuilder) -> None:
    """A look that has not ended when the purge is sent does not count."""
    add_page(builder, EVENTS_PATH)
    add_page(builder, EVENTS_PATH, elapsed=1.5)
    builder.add_purge(Scenario.PURGE)
    assert longest_gap(builder.exchanges) == 2.5


def test_report_names_gap_and_additions(builder: EvidenceBuilder) -> None:
    """The report says how many events were added, and what may be missing."""
    assert list(describe_additions(builder.evidence)) == []
    add_page(builder, EVENTS_PATH)
    builder.add_purge(Scenario.PURGE)
    builder.add_note(Scenario.PURGE, notes.ADDED, 2)
    builder.add_note(Scenario.RACE, notes.ADDED, 1)
    added, gap = describe_additions(builder.evidence)
    assert added.startswith("3 events of apps that are not the suite's own")
    assert gap == "Events that others recorded in the last 1.5 s before a purge could not be archived."
