"""The oracle of races, against a simulator that shares nothing with it: what may happen is accepted, no more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from purge_conformance.analysis.linearizability import (
    AppState,
    FinalObservation,
    Operation,
    could_produce,
    is_explained,
    is_state_reachable,
    smallest_unexplained,
)

EXAMPLES = settings(max_examples=60, derandomize=True, database=None, deadline=None)
MOMENTS = {"purge": ("send", "destroy", "seed", "answer")}


@dataclass
class Task:
    """An operation that is simulated: how often it is let down, and the moments that it went through."""

    kind: str
    instances: int | None = None
    breaks: int = 9  # after so many moments it fails; the answer, if any, tells so
    times: dict[str, int] = field(default_factory=dict)

    @property
    def moments(self) -> tuple[str, ...]:
        """What it goes through."""
        return MOMENTS.get(self.kind, ("send", "act", "answer"))

    @property
    def operation(self) -> Operation:
        """What the client sees of it."""
        done = self.breaks >= len(self.moments) - 1
        return Operation(self.kind, self.times["send"], self.times.get("answer", inf), done, self.instances)


@dataclass
class Server:
    """A server with one app, one thing after the other."""

    started: bool
    instances: int
    seed: int | None = None
    events: list[str] = field(default_factory=list)
    old: bool = True

    def do(self, task: Task, moment: str) -> None:
        """Do what a task does at a moment; a change that changes nothing is not recorded."""
        if moment == "destroy":
            self.seed, self.events, self.old = None, [], False
        elif moment == "seed":
            self.seed = self.instances if self.started else self.seed
        elif moment == "act" and task.kind == "scale":
            if self.started and task.instances != self.instances:
                self.events.append("scale")
            self.instances = task.instances or 0
        elif moment == "act" and self.started != (task.kind == "start"):
            self.started = not self.started
            self.events.append(task.kind)

    def end(self) -> FinalObservation:
        """Return what is seen of it."""
        told = (tuple(frozenset({kind}) for kind in self.events),)
        return FinalObservation(self.started, self.instances, self.seed is not None, self.seed, self.old, told)


CHANGES = st.one_of(
    st.builds(Task, st.sampled_from(["start", "stop"])),
    st.builds(Task, st.just("scale"), st.integers(1, 4)),
)
PURGES = st.lists(st.builds(Task, st.just("purge")), min_size=1, max_size=2)


@st.composite
def programs(draw: st.DrawFn, *, failing: bool = False) -> tuple[AppState, list[Task], Server]:
    """Draw an app, changes one after the other and purges one after the other, and how they came together."""
    begin = AppState(draw(st.booleans()), draw(st.integers(1, 4)))
    threads = [draw(st.lists(CHANGES, max_size=3)), draw(PURGES)]
    tasks = [task for thread in threads for task in thread]
    for task in tasks if failing else []:
        task.breaks = draw(st.sampled_from([1, 2, 9]))
    server = Server(begin.started, begin.instances or 0)
    left = [[(task, place) for task in thread for place in range(len(task.moments))] for thread in threads]
    clock = 0
    while any(left):
        task, place = draw(st.sampled_from([thread for thread in left if thread])).pop(0)
        moment = task.moments[place]
        clock += draw(st.integers(0, 1))  # moments may fall together
        if place < task.breaks or moment == "answer":
            server.do(task, moment)
            task.times[moment] = clock
    return begin, tasks, server


def operations(tasks: list[Task]) -> list[Operation]:
    """Return what the client sees."""
    return [task.operation for task in tasks]


@EXAMPLES
@given(programs())
def test_what_happens_is_explained(program: tuple[AppState, list[Task], Server]) -> None:
    """Whatever comes of changes and purges that all succeed, some order explains it, early events and late ones."""
    begin, tasks, server = program
    assert is_explained(begin, operations(tasks), server.end())
    assert is_explained(begin, operations(tasks), server.end(), delayed_recording=True)
    assert is_state_reachable(begin, operations(tasks), server.end())


@EXAMPLES
@given(programs(failing=True))
def test_what_fails_is_explained(program: tuple[AppState, list[Task], Server]) -> None:
    """So it is where some fail: before they did anything, after it, or a purge half way."""
    begin, tasks, server = program
    assert is_explained(begin, operations(tasks), server.end())


@EXAMPLES
@given(programs())
def test_late_event_is_not_lost(program: tuple[AppState, list[Task], Server]) -> None:
    """The event of a change that was sent when every purge was answered cannot be missing.

    Of two events of a kind nothing tells which is which, so it must be the only change of its kind.
    """
    begin, tasks, server = program
    kind = "stop" if server.started else "start"
    assume(all(task.kind != kind for task in tasks))
    over = 1 + max(task.times["answer"] for task in tasks)
    last = Task(kind, times={"send": over, "answer": over})
    server.do(last, "act")
    tasks.append(last)
    assert is_explained(begin, operations(tasks), server.end())
    server.events.remove(kind)
    assert not is_explained(begin, operations(tasks), server.end())
    assert not is_explained(begin, operations(tasks), server.end(), delayed_recording=True)


@EXAMPLES
@given(programs(), st.data())
def test_event_is_not_doubled(program: tuple[AppState, list[Task], Server], data: st.DataObject) -> None:
    """There cannot be more events of a kind than changes of it."""
    begin, tasks, server = program
    assume(server.events)
    kind = data.draw(st.sampled_from(server.events))
    server.events += [kind] * (1 + sum(task.kind == kind for task in tasks) - server.events.count(kind))
    assert not is_explained(begin, operations(tasks), server.end())
    assert not is_explained(begin, operations(tasks), server.end(), delayed_recording=True)


@EXAMPLES
@given(st.booleans(), PURGES)
def test_still_app_has_its_seed(started: bool, purges: list[Task]) -> None:  # noqa: FBT001 -- drawn
    """An app that nobody changes is seeded if it is started and not if it is stopped, and no old event is left."""
    server = Server(started, 1)
    moments = [(task, moment) for task in purges for moment in task.moments]
    for clock, (task, moment) in enumerate(moments):
        server.do(task, moment)
        task.times[moment] = clock
    begin, end = AppState(started, 1), server.end()
    assert is_explained(begin, operations(purges), end)
    assert not is_explained(begin, operations(purges), replace(end, has_seed=not end.has_seed))
    assert not is_explained(begin, operations(purges), replace(end, has_old_events=True))


def purge(begun: float, ended: float, *, done: bool = True) -> Operation:
    """Return a purge."""
    return Operation("purge", begun, ended, done)


def change(kind: str, begun: float, ended: float, instances: int | None = None) -> Operation:
    """Return a change that succeeded."""
    return Operation(kind, begun, ended, instances=instances)


def ended(
    *, started: bool, seeded: bool, told: tuple[str, ...] = (), instances: int = 1, shown: int = 1
) -> FinalObservation:
    """Return what is seen in the end."""
    events = (tuple(frozenset({kind}) for kind in told),)
    return FinalObservation(
        started, instances, seeded, shown if seeded else None, has_old_events=False, events_by_process=events
    )


STARTED, STOPPED = AppState(started=True, instances=1), AppState(started=False, instances=1)
LOST = {
    "stop": (STARTED, change("stop", 1, 2), ended(started=False, seeded=True)),
    "start": (STOPPED, change("start", 1, 2), ended(started=True, seeded=False)),
    "scale": (STARTED, change("scale", 1, 2, 3), ended(started=True, seeded=True, instances=3)),
    "told twice": (STARTED, change("stop", 1, 2), ended(started=False, seeded=True, told=("stop", "stop"))),
}


@pytest.mark.parametrize(("begin", "changed", "end"), LOST.values(), ids=LOST)
def test_window_of_loss_is_seen(begin: AppState, changed: Operation, end: FinalObservation) -> None:
    """What was read before a change, and destroyed after it, is no order of what a purge does."""
    assert not is_explained(begin, [purge(0, 3), changed], end)
    assert not is_explained(begin, [purge(0, 3), changed], end, delayed_recording=True)


def test_each_order_of_a_stop_is_accepted() -> None:
    """A stop during a purge may come before it, in it or after it."""
    operations = [purge(0, 3), change("stop", 1, 2)]
    before, within, after = (
        ended(started=False, seeded=False),
        ended(started=False, seeded=False, told=("stop",)),
        ended(started=False, seeded=True, told=("stop",)),
    )
    assert all(is_explained(STARTED, operations, end) for end in (before, within, after))


def test_clock_orders_what_is_apart() -> None:
    """A stop that was answered before the purge was sent is in no event; one that was sent after it is in one."""
    gone, there = ended(started=False, seeded=False), ended(started=False, seeded=True, told=("stop",))
    for operations, end, other in (
        ([change("stop", 0, 1), purge(2, 3)], gone, there),
        ([purge(0, 1), change("stop", 2, 3)], there, gone),
    ):
        assert is_explained(STARTED, operations, end)
        assert not is_explained(STARTED, operations, other)


def test_event_may_be_late() -> None:
    """Where events are recorded late, the event of a stop may be there although a purge came after it."""
    operations, end = [change("stop", 0, 1), purge(2, 3)], ended(started=False, seeded=False, told=("stop",))
    assert not is_explained(STARTED, operations, end)
    assert is_explained(STARTED, operations, end, delayed_recording=True)


def test_failed_purge_may_be_half_done() -> None:
    """A purge that failed may have destroyed and not seeded; one that succeeded may not."""
    end = ended(started=True, seeded=False)
    assert is_explained(STARTED, [purge(0, 1, done=False)], end)
    assert not is_explained(STARTED, [purge(0, 1)], end)


def test_change_that_changes_nothing_may_be_told() -> None:
    """The start of a started app, and the scaling of a stopped one, may be recorded or not."""
    for begin, operation, told in (
        (STARTED, change("start", 2, 3), "start"),
        (STOPPED, change("scale", 2, 3, 1), "scale"),
    ):
        for events in ((), (told,)):
            assert is_explained(
                begin, [purge(0, 1), operation], ended(started=begin.started, seeded=begin.started, told=events)
            )


def test_processes_tell_each_for_itself() -> None:
    """Each process may tell of a change, and one of them must; none may tell of it twice."""
    stop, operations = (frozenset({"stop"}),), [purge(0, 1), change("stop", 2, 3)]
    end = ended(started=False, seeded=True)
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop, stop)))
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop,)))
    assert not is_explained(STARTED, operations, replace(end, events_by_process=(stop, stop + stop)))
    assert is_explained(STARTED, operations, replace(end, events_by_process=(stop + stop,), max_copies=2))


@pytest.mark.parametrize(
    ("begun", "told", "is_so"),
    [(2, 0, False), (2, 1, True), (2, 9, True), (0, 0, True), (0, 9, True)],
    ids=["lost", "once", "often", "before-the-purge", "within-it"],
)
def test_change_is_told_at_least_once(begun: float, told: int, is_so: bool) -> None:  # noqa: FBT001 -- expected
    """Where a change may be told by several events, one that is due must be told all the same."""
    operations = [purge(0, 1), change("stop", begun, begun + 1)]
    end = ended(started=False, seeded=begun > 1, told=("stop",) * told)
    assert is_explained(STARTED, operations, end.without_change_kinds().with_unlimited_copies()) is is_so
    assert (
        not is_explained(
            STARTED, [purge(0, 1)], replace(end, started=True).without_change_kinds().with_unlimited_copies()
        )
        or not told
    )


def test_events_may_tell_of_several() -> None:
    """An event that may tell of a start or a scaling is taken for whichever is due."""
    either = frozenset({"start", "scale"})
    operations = [purge(0, 1), change("scale", 2, 3, 2), change("stop", 4, 5), change("start", 6, 7)]
    end = ended(started=True, seeded=True, instances=2)
    assert is_explained(STARTED, operations, replace(end, events_by_process=((either, frozenset({"stop"}), either),)))
    assert not is_explained(STARTED, operations, replace(end, events_by_process=((either, frozenset({"stop"})),)))


def test_state_by_others_is_told() -> None:
    """A state that no operation leads to is somebody else's."""
    assert not is_state_reachable(STARTED, [purge(0, 1)], ended(started=False, seeded=True))


def test_shortest_timeline_is_needed() -> None:
    """Of many operations those are left without which the contradiction is gone, and no others."""
    lost = change("stop", 21, 22)
    purged = purge(20, 30)
    operations = [change("scale", 0, 1, 3), purge(2, 3), change("scale", 4, 5, 1), purged, lost]
    assert smallest_unexplained(STARTED, operations, ended(started=False, seeded=True)) == (purged, lost)


def test_shortest_timeline_of_a_doubled_event() -> None:
    """An event that is told twice is shown with its change and the purge, whatever came before."""
    stop = change("stop", 4, 5)
    operations = [change("scale", 0, 1, 1), change("start", 2, 3), purge(2, 6), stop]
    assert smallest_unexplained(STARTED, operations, ended(started=False, seeded=True, told=("stop", "stop"))) == (
        purge(2, 6),
        stop,
    )


@EXAMPLES
@given(programs(), st.data())
def test_shortest_timeline_holds(program: tuple[AppState, list[Task], Server], data: st.DataObject) -> None:
    """What is left contradicts the end, whatever the others did, and nothing shorter that tells of it does."""
    begin, tasks, server = program
    end = replace(
        server.end(),
        has_seed=data.draw(st.booleans()),
        events_by_process=((frozenset({"stop"}),),),
        seed_instances=None,
    )
    found = operations(tasks)
    assume(not is_explained(begin, found, end))
    kept = smallest_unexplained(begin, found, end)
    loose = [x if x in kept else x.unconstrained() for x in found]
    assert not is_explained(begin, loose, end)
    for one in kept:
        fewer = [x for x in kept if x is not one]
        told = could_produce(begin, fewer, end)
        assert not told or is_explained(begin, [x if x in fewer else x.unconstrained() for x in found], end)
