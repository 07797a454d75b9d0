"""A walk is whole only if nothing contradicts that; the first contradiction is the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.config.settings import Limits
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.archive.list_check import Extent, Reading, after_walks, check_pages

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Page = tuple[list[Any], Any, Any]  # rows, total_results, next

NEXT = {"href": "x"}
ABSENT = object()


def rows(*guids: Any) -> list[Any]:  # noqa: ANN401 -- any JSON value
    """Return events with these guids."""
    return [{"guid": guid} for guid in guids]


def read(builder: EvidenceBuilder, *pages: Page, limits: Limits | None = None, blocked: str = "") -> Reading:
    """Return the result of a walk over these pages."""
    for listed, total, following in pages:
        pagination = {"next": following} | ({} if total is ABSENT else {"total_results": total})
        builder.add_exchange(
            Scenario.ARCHIVE, Step.EXISTING_EVENTS, data={"pagination": pagination, "resources": listed}
        )
    return check_pages(builder.exchanges).reading(limits or Limits(), blocked=blocked)


@pytest.mark.parametrize(
    "pages",
    [
        [([], 0, None)],
        [(rows("a"), 1, None)],
        [(rows("a"), 2, NEXT), (rows("b"), 2, None)],
        [(rows("a"), 2, NEXT), (rows("b"), 3, NEXT), (rows("c"), 3, None)],  # one was recorded meanwhile
        [(rows("a"), "2", NEXT), (rows("b"), 2, None)],
        [(rows("a"), 2, NEXT), (rows("b"), ABSENT, None)],
        [(rows("a"), 2, None), (rows("b"), 2, None), ([], 2, None)],  # full pages, and no page says that more follow
    ],
)
def test_whole_list(pages: list[Page], builder: EvidenceBuilder) -> None:
    """A list without a contradiction is whole."""
    assert read(builder, *pages) == Reading(Extent.WHOLE)


@pytest.mark.parametrize(
    ("pages", "extent", "words"),
    [
        ([(rows("a"), ABSENT, None)], Extent.PART, "No page gives an integer total_results (got None)"),
        ([(rows("a"), "1", None)], Extent.PART, "integer total_results (got '1')"),
        ([(rows("a"), True, None)], Extent.PART, "integer total_results (got True)"),
        ([(rows("a"), 1.0, None)], Extent.PART, "integer total_results (got 1.0)"),
        ([(rows("a"), {}, None)], Extent.PART, "integer total_results (got an object)"),
        ([(rows(7), 1, None)], Extent.PART, "Page 1 has an event whose guid is 7; expected a string."),
        ([(rows(""), 1, None)], Extent.PART, "guid is ''"),
        ([([{}], 1, None)], Extent.PART, "guid is none"),
        ([([None], 1, None)], Extent.PART, "Page 1 has None in place of an event."),
        ([(["\x1b[2J"], 1, None)], Extent.PART, r"Page 1 has '\x1b[2J' in place"),
        ([(rows("a", "a"), 2, None)], Extent.CHANGED, "Page 1 has the event 'a' a second time."),
        ([(rows("a", "b"), 3, NEXT), (rows("b"), 3, None)], Extent.CHANGED, "Page 2 has the event 'b' a second"),
        (
            [(rows("a", "b"), 4, NEXT), (rows("a", "b"), 4, None)],
            Extent.NOTHING,
            "Page 2 has the same events as page 1",
        ),
        ([(rows("a"), 9, NEXT), (rows("b"), 2, None)], Extent.CHANGED, "Page 2 has total_results 2, and an earlier"),
        ([(rows("a"), 2, None)], Extent.CHANGED, "1 events on its pages, and total_results 2"),
        ([(rows("a", "b"), 1, None)], Extent.CHANGED, "2 events on its pages, and total_results 1"),
        ([(rows("a"), 1, NEXT), (rows("b"), 1, NEXT), (rows("c"), 1, NEXT)], Extent.CHANGED, "3 events on its pages"),
        ([(rows("a"), 1, NEXT), ([], 1, NEXT)], Extent.PART, "Page 2 has no event and still names a next page."),
        ([(rows("\u202eevil" * 30), 10**400, NEXT)] * 2, Extent.NOTHING, r"the first '\u202eevil"),
    ],
)
def test_contradiction_is_named(pages: list[Page], extent: Extent, words: str, builder: EvidenceBuilder) -> None:
    """What contradicts a whole list is named, with the page, in printable characters."""
    reading = read(builder, *pages)
    assert (reading.extent, words in reading.reason) == (extent, True), reading.reason
    assert reading.reason.isascii()
    assert reading.reason.isprintable()
    assert len(reading.reason) < 300


def test_limit_of_events_holds_within_a_page(builder: EvidenceBuilder) -> None:
    """More events than --max-events allows are too many, also on the only page."""
    reading = read(builder, (rows("a", "b", "c"), 3, None), limits=Limits(max_events=2))
    assert (reading.extent, "--max-events is 2. Give --max-events 6." in reading.reason) == (Extent.PART, True)


def test_first_contradiction_is_the_reason(builder: EvidenceBuilder) -> None:
    """Of several contradictions the first is the reason."""
    assert "'a' a second time" in read(builder, (rows("a", "a", 7), "2", None)).reason


@pytest.mark.parametrize(
    ("number", "status", "extent"),
    [
        (1, 404, Extent.NOTHING),
        (1, 500, Extent.NOTHING),
        (1, None, Extent.NOTHING),
        (2, 404, Extent.PART),
        (2, None, Extent.PART),
    ],
)
def test_unreadable_page(number: int, status: int | None, extent: Extent, builder: EvidenceBuilder) -> None:
    """If the first page is no page, nothing can be read; a later one makes the list incomplete."""
    if number > 1:
        read(builder, (rows("a"), 2, NEXT))
    builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, status=status, body=b"{}")
    reading = check_pages(builder.exchanges).reading(Limits())
    assert (reading.extent, f"page {number}, " in reading.reason) == (extent, True), reading.reason
    assert ("no response" if status is None else str(status)) in reading.reason


@pytest.mark.parametrize("status", [400, 404, 422])
def test_page_after_the_end_may_be_rejected(status: int, builder: EvidenceBuilder) -> None:
    """A rejected page that no page names does not make the list incomplete."""
    read(builder, (rows("a"), 1, None))
    builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, status=status, body=b"{}")
    assert check_pages(builder.exchanges).reading(Limits()).is_whole


@pytest.mark.parametrize(
    ("limits", "total", "words"),
    [
        (Limits(max_events=2), 7, "(got 2 of 7): --max-events is 2. Give --max-events 14."),
        (Limits(max_events=2), ABSENT, "(got 2 of an unknown number): --max-events is 2. Give --max-events 4."),
        (Limits(max_events=2), 10**400, "Give --max-events 100000000."),
        (
            Limits(max_requests=50),
            7,
            "(got 2 of 7): it would take too many of the 50 requests. Give --max-requests 62.",
        ),
        (Limits(max_requests=50), 10**400, "Give --max-requests 100000."),
    ],
)
def test_limit_names_its_flag(limits: Limits, total: object, words: str, builder: EvidenceBuilder) -> None:
    """If a limit ended the walk, the reason names its flag with a number that is large enough."""
    assert words in read(builder, (rows("a", "b"), total, NEXT), limits=limits).reason


def test_blocked_request_is_the_reason(builder: EvidenceBuilder) -> None:
    """If the next page could not be requested, the reason for that is named."""
    assert "not read: The token" in read(builder, (rows("a"), 2, NEXT), blocked="The token has expired.").reason
    assert read(builder, blocked="").extent is Extent.PART


def test_no_page_was_read(builder: EvidenceBuilder) -> None:
    """Without any page nothing was read."""
    assert read(builder, blocked="Used up.") == Reading(Extent.NOTHING, "Used up.")
    assert read(builder).reason == "No page of the list was read."


def test_list_that_always_changes() -> None:
    """After several walks the reason says that the list changes faster than it can be read."""
    changed = Reading(Extent.CHANGED, "Page 2 has the event 'a' a second time.")
    assert after_walks(changed, 1) == changed
    assert "read 3 times: it changes faster than it can be read" in after_walks(changed, 3).reason
    assert after_walks(Reading(Extent.WHOLE), 3).reason == ""
