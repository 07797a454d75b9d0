"""Pictures of failures: a race on a time axis, a sequence as steps, a list as pages; as text and in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step
from purge_conformance.report.context import exchanges_around
from purge_conformance.report.difference import describe_difference, find_difference
from purge_conformance.report.model import Finding
from purge_conformance.report.pictures import Pages, Steps, Timeline, picture_of
from purge_conformance.report.terminal import LABEL_WIDTH
from purge_conformance.report.text_pictures import draw_text

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

APP, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
NOON = 1_782_907_200.0


def add_race(builder: EvidenceBuilder) -> int:
    """Add a purge during which two apps are changed, and the snapshots around it; return the exchange that shows it."""
    place = Place(Step.CONCURRENT, 1)
    apps = [{**builder.app(APP), "name": "shop"}, {**builder.app(OTHER), "name": "bank"}]
    builder.add_snapshot(Scenario.RACE, place.at(Phase.BEFORE), apps=apps)
    builder.add_purge(Scenario.RACE, place, sent_at=NOON + 4, elapsed=1.0)
    for app, start in ((APP, 4.5), (OTHER, 5.5)):
        path = f"/v3/apps/{app}/actions/stop"
        builder.add_exchange(Scenario.RACE, place, method="POST", path=path, sent_at=NOON + start, elapsed=0.5)
    builder.add_snapshot(Scenario.RACE, place.at(Phase.AFTER), apps=apps)
    return max(x.n for x in builder.exchanges if x.place.part == "events")


def test_race_is_a_timeline(builder: EvidenceBuilder) -> None:
    """A race has a lane for each purge and each app, and marks the app that the finding names."""
    shown = add_race(builder)
    picture = picture_of(Finding(f"for the app {APP} some order", "none", shown), builder.evidence)
    assert isinstance(picture, Timeline)
    assert [(lane.name, lane.is_wrong) for lane in picture.lanes] == [
        ("purge 1", False),
        ("shop", True),
        ("bank", False),
    ]
    assert [[bar.words for bar in lane.bars] for lane in picture.lanes] == [["purge 200"], ["stop 200"], ["stop 200"]]
    purge, first, second = (lines := draw_text(picture))[1:6:2]
    assert lines[:6:2] == ("purge 1: purge 200", "shop: stop 200 <- wrong", "bank: stop 200")
    assert first.endswith("X")
    assert purge.count("=") > first.count("=") > 0
    assert purge.index("=") <= first.index("=") <= second.index("=")
    assert max(map(len, lines)) <= 80 - LABEL_WIDTH


def test_wrong_answer_is_marked_where_it_ends(builder: EvidenceBuilder) -> None:
    """Of concurrent purges whose answer is wrong, the mark is at the end of that purge."""
    place = Place(Step.CONCURRENT, 1)
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.BEFORE))
    for elapsed, status in ((8.0, 500), (4.0, 200)):
        builder.add_purge(Scenario.CONCURRENT_PURGES, place, sent_at=NOON + 4, elapsed=elapsed, status=status)
    shown = builder.exchanges[-2].n
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.AFTER))
    picture = picture_of(Finding("2xx", "500", shown), builder.evidence)
    assert isinstance(picture, Timeline)
    assert (picture.observed, picture.end) == (8.0, 8.0)
    assert draw_text(picture)[:2] == ("purge 1: purge 500 <- wrong", f"  {'=' * 47}X")


def test_sequence_is_steps(builder: EvidenceBuilder) -> None:
    """A sequence has its steps up to the one after which the state is wrong."""
    created = {"guid": APP, "name": "d5-shop"}
    paths = (PURGE_PATH, "/v3/apps", f"/v3/apps/{APP}/actions/stop", f"/v3/apps/{OTHER}/actions/stop", PURGE_PATH)
    for position, path in enumerate(paths, 1):
        place = Place(Step.ACTION, sequence=2, position=position)
        builder.add_exchange(Scenario.SEQUENCES, place, method="POST", path=path, data=created)
    builder.add_page(Scenario.SEQUENCES, Place(Step.LIST_AFTER_ACTION, 0, sequence=2, position=4), [])
    picture = picture_of(Finding("an event", "none", 6), builder.evidence)
    assert isinstance(picture, Steps)
    assert draw_text(picture) == (
        " 1. purge -> 200",
        " 2. create d5-shop -> 200",
        " 3. stop d5-shop -> 200",
        f" 4. stop {OTHER[:28]}… -> 200 <- wrong",
    )


def test_list_is_pages(builder: EvidenceBuilder) -> None:
    """A list has its pages, and marks the events that the finding names and the page that shows them."""
    for number, guids in ((1, (APP, "a")), (2, ("b", APP))):
        rows = [builder.event(guid) for guid in guids]
        builder.add_page(Scenario.LISTS, Place(Step.WALK, 2), rows, page=number, per_page=2)
    picture = picture_of(Finding("each event on one page", f"{APP} on several pages", 2), builder.evidence)
    assert isinstance(picture, Pages)
    assert draw_text(picture) == (
        "page 1: 2 events of 2, event 1 is named above",
        "page 2: 2 events of 2, event 2 is named above <- wrong",
    )


def test_pages_with_named_events_are_wrong(builder: EvidenceBuilder) -> None:
    """If the last page of a reading shows a fault of earlier ones, those that have the named events are wrong."""
    for number, guids in enumerate(((APP, "a"), ("b", APP), ("c", "d"), ()), 1):
        rows = [builder.event(guid) for guid in guids]
        builder.add_page(Scenario.LISTS, Place(Step.WALK, 2), rows, page=number, per_page=2)
    picture = picture_of(Finding("each event on one page", f"{APP} on several pages", 4), builder.evidence)
    assert isinstance(picture, Pages)
    assert [page.is_wrong for page in picture.pages] == [True, True, False, False]


def test_single_answer_has_no_picture(builder: EvidenceBuilder) -> None:
    """An answer that says all by itself has no picture, nor has a finding without an exchange."""
    builder.add_purge(Scenario.PURGE, status=500)
    assert picture_of(Finding("200", "500", 1), builder.evidence) is None
    assert picture_of(Finding("200", "500"), builder.evidence) is None
    assert draw_text(None) == ()


def test_neighbours_are_in_order(builder: EvidenceBuilder) -> None:
    """Around an exchange are those at the same time, and two before and after, of the same scenario and round."""
    for n in range(1, 9):
        builder.add_purge(Scenario.RACE if n != 4 else Scenario.LISTS, sent_at=NOON + n, elapsed=1.5 if n == 5 else 0.5)
    around = exchanges_around(builder.exchanges[4], builder.exchanges)
    assert [x.n for x in around] == [2, 3, 5, 6, 7, 8]


def test_difference_marks_what_differs() -> None:
    """Of texts that say the same kind of thing the different parts are marked; of others nothing."""
    difference = find_difference('{"state": "STARTED", "size": 1}', '{"state": "STOPPED", "size": 1}')
    assert difference is not None
    assert [[piece.text for piece in side if piece.differs] for side in difference] == [['"STARTED"'], ['"STOPPED"']]
    assert ["".join(piece.text for piece in side) for side in difference] == [
        '{"state": "STARTED", "size": 1}',
        '{"state": "STOPPED", "size": 1}',
    ]
    assert describe_difference('{"state": "STARTED", "size": 1}', '{"state": "STOPPED", "size": 1}') == (
        '-"STARTED" +"STOPPED"'
    )
    assert describe_difference("the same words", "none") == ""
    assert find_difference("an event for the started app x", "none") is None
    assert find_difference("the same words", "the same words") is None
