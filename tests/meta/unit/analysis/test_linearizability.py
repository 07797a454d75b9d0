"""The linearizability check, by examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from purge_conformance.analysis.linearizability import (
    AppState,
    FinalObservation,
    Operation,
    is_explained,
    is_state_reachable,
    smallest_unexplained,
)


def purge(begun: float, ended: float, *, done: bool = True) -> Operation:
    """Return a purge."""
    return Operation("purge", begun, ended, done)


def change(kind: str, begun: float, ended: float, instances: int | None = None) -> Operation:
    """Return a successful change."""
    return Operation(kind, begun, ended, instances=instances)


def make_final_state(
    *, started: bool, seeded: bool, recorded: tuple[str, ...] = (), instances: int = 1, shown: int = 1
) -> FinalObservation:
    """Return the final state."""
    events = (tuple(frozenset({kind}) for kind in recorded),)
    return FinalObservation(
        started, instances, seeded, shown if seeded else None, has_old_events=False, events_by_process=events
    )


STARTED, STOPPED = AppState(started=True, instances=1), AppState(started=False, instances=1)
LOST = {
    "stop": (STARTED, change("stop", 1, 2), make_final_state(started=False, seeded=True)),
    "start": (STOPPED, change("start", 1, 2), make_final_state(started=True, seeded=False)),
    "scale": (STARTED, change("scale", 1, 2, 3), make_final_state(started=True, seeded=True, instances=3)),
    "recorded twice": (
        STARTED,
        change("stop", 1, 2),
        make_final_state(started=False, seeded=True, recorded=("stop", "stop")),
    ),
}


@pytest.mark.parametrize(("begin", "changed", "end"), LOST.values(), ids=LOST)
def test_lost_update_is_rejected(begin: AppState, changed: Operation, end: FinalObservation) -> None:
    """A purge that reads before a change and destroys after it has no valid order."""
    assert not is_explained(begin, [purge(0, 3), changed], end)
    assert not is_explained(begin, [purge(0, 3), changed], end, delayed_recording=True)


@pytest.mark.parametrize("lost", ["stop", "start", "scale"])
def test_purge_that_reads_early_may_lose_a_change(lost: str) -> None:
    """A purge that reads the apps, and destroys and seeds later, loses a change in between, but no later one."""
    begin, changed, end = LOST[lost]
    early = replace(purge(0, 3), reads_early=True)
    assert is_explained(begin, [early, changed], end)
    assert not is_explained(begin, [replace(early, answered_at=0.5), changed], end)


def test_purge_that_reads_early_records_nothing_twice() -> None:
    """No order of the parts of a purge records a change twice."""
    begin, changed, end = LOST["recorded twice"]
    assert not is_explained(begin, [replace(purge(0, 3), reads_early=True), changed], end)


def test_concurrent_stop_allows_every_order() -> None:
    """A stop during a purge may come before it, in it or after it."""
    operations = [purge(0, 3), change("stop", 1, 2)]
    before, within, after = (
        make_final_state(started=False, seeded=False),
        make_final_state(started=False, seeded=False, recorded=("stop",)),
        make_final_state(started=False, seeded=True, recorded=("stop",)),
    )
    assert all(is_explained(STARTED, operations, end) for end in (before, within, after))


def test_clock_orders_separate_operations() -> None:
    """A stop that was answered before the purge was sent has no event; one that was sent after it has one."""
    gone, there = (
        make_final_state(started=False, seeded=False),
        make_final_state(started=False, seeded=True, recorded=("stop",)),
    )
    for operations, end, other in (
        ([change("stop", 0, 1), purge(2, 3)], gone, there),
        ([purge(0, 1), change("stop", 2, 3)], there, gone),
    ):
        assert is_explained(STARTED, operations, end)
        assert not is_explained(STARTED, operations, other)


def test_event_may_be_late() -> None:
    """If events are recorded late, the event of a stop may exist although a purge came after it."""
    operations, end = (
        [change("stop", 0, 1), purge(2, 3)],
        make_final_state(started=False, seeded=False, recorded=("stop",)),
    )
    assert not is_explained(STARTED, operations, end)
    assert is_explained(STARTED, operations, end, delayed_recording=True)


def test_failed_purge_may_be_partial() -> None:
    """A failed purge may have destroyed and not seeded; a successful one may not."""
    end = make_final_state(started=True, seeded=False)
    assert is_explained(STARTED, [purge(0, 1, done=False)], end)
    assert not is_explained(STARTED, [purge(0, 1)], end)


def test_noop_change_may_be_recorded() -> None:
    """The start of a started app, and the scaling of a stopped one, may be recorded or not."""
    for begin, operation, recorded in (
        (STARTED, change("start", 2, 3), "start"),
        (STOPPED, change("scale", 2, 3, 1), "scale"),
    ):
        for events in ((), (recorded,)):
            assert is_explained(
                begin,
                [purge(0, 1), operation],
                make_final_state(started=begin.started, seeded=begin.started, recorded=events),
            )


def test_each_process_records_changes() -> None:
    """Each process may record a change, one of them must, and none may record it twice."""
    stop, operations = (frozenset({"stop"}),), [purge(0, 1), change("stop", 2, 3)]
    end = make_final_state(started=False, seeded=True)
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop, stop)))
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop,)))
    assert not is_explained(STARTED, operations, replace(end, events_by_process=(stop, stop + stop)))
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop + stop,), max_copies=2))


@pytest.mark.parametrize(
    ("begun", "recorded", "is_so"),
    [(2, 0, False), (2, 1, True), (2, 9, True), (0, 0, True), (0, 9, True)],
    ids=["lost", "once", "often", "before-the-purge", "within-it"],
)
def test_change_is_recorded_once(begun: float, recorded: int, is_so: bool) -> None:  # noqa: FBT001 -- expected
    """If several events may record a change, at least one of them is required."""
    operations = [purge(0, 1), change("stop", begun, begun + 1)]
    end = make_final_state(started=False, seeded=begun > 1, recorded=("stop",) * recorded)
    assert is_explained(STARTED, operations, end.without_change_kinds().with_unlimited_copies()) is is_so
    assert (
        not is_explained(
            STARTED, [purge(0, 1)], replace(end, started=True).without_change_kinds().with_unlimited_copies()
        )
        or not recorded
    )


def test_ambiguous_event_matches_either() -> None:
    """An event that may record a start or a scaling matches either."""
    either = frozenset({"start", "scale"})
    operations = [purge(0, 1), change("scale", 2, 3, 2), change("stop", 4, 5), change("start", 6, 7)]
    end = make_final_state(started=True, seeded=True, instances=2)
    assert is_explained(STARTED, operations, replace(end, events_by_process=((either, frozenset({"stop"}), either),)))
    assert not is_explained(STARTED, operations, replace(end, events_by_process=((either, frozenset({"stop"})),)))


def test_foreign_state_is_detected() -> None:
    """A state that no operation leads to was caused by another client."""
    assert not is_state_reachable(STARTED, [purge(0, 1)], make_final_state(started=False, seeded=True))


def test_shortest_timeline_is_minimal() -> None:
    """The timeline contains the operations that the contradiction needs, and no others."""
    lost = change("stop", 21, 22)
    purged = purge(20, 30)
    operations = [change("scale", 0, 1, 3), purge(2, 3), change("scale", 4, 5, 1), purged, lost]
    assert smallest_unexplained(STARTED, operations, make_final_state(started=False, seeded=True)) == (purged, lost)


def test_shortest_timeline_shows_duplicate() -> None:
    """A duplicate event is shown with its change and the purge, whatever came before."""
    stop = change("stop", 4, 5)
    operations = [change("scale", 0, 1, 1), change("start", 2, 3), purge(2, 6), stop]
    assert smallest_unexplained(
        STARTED, operations, make_final_state(started=False, seeded=True, recorded=("stop", "stop"))
    ) == (
        purge(2, 6),
        stop,
    )
