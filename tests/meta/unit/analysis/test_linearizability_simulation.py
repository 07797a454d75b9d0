"""The linearizability check against an independent simulator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

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
    """A simulated operation: where it fails, and the times of its steps."""

    kind: str
    instances: int | None = None
    breaks: int = 9  # the number of steps after which it fails; a response, if any, reports the failure
    times: dict[str, int] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of its kind."""
        return MOMENTS.get(self.kind, ("send", "act", "answer"))

    @property
    def operation(self) -> Operation:
        """The client's view of it."""
        done = self.breaks >= len(self.steps) - 1
        return Operation(self.kind, self.times["send"], self.times.get("answer", inf), done, self.instances)


@dataclass
class Server:
    """A sequential server with one app."""

    started: bool
    instances: int
    seed: int | None = None
    events: list[str] = field(default_factory=list)
    old: bool = True

    def execute(self, task: Task, moment: str) -> None:
        """Execute a task at a moment; a change without an effect is not recorded."""
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

    def final_state(self) -> FinalObservation:
        """Return the visible state."""
        recorded = (tuple(frozenset({kind}) for kind in self.events),)
        return FinalObservation(self.started, self.instances, self.seed is not None, self.seed, self.old, recorded)


CHANGES = st.one_of(
    st.builds(Task, st.sampled_from(["start", "stop"])),
    st.builds(Task, st.just("scale"), st.integers(1, 4)),
)
PURGES = st.lists(st.builds(Task, st.just("purge")), min_size=1, max_size=2)


@st.composite
def programs(draw: st.DrawFn, *, failing: bool = False) -> tuple[AppState, list[Task], Server]:
    """Draw an app, sequential changes, sequential purges, and their interleaving."""
    begin = AppState(draw(st.booleans()), draw(st.integers(1, 4)))
    threads = [draw(st.lists(CHANGES, max_size=3)), draw(PURGES)]
    tasks = [task for thread in threads for task in thread]
    for task in tasks if failing else []:
        task.breaks = draw(st.sampled_from([1, 2, 9]))
    server = Server(begin.started, begin.instances or 0)
    left = [[(task, place) for task in thread for place in range(len(task.steps))] for thread in threads]
    clock = 0
    while any(left):
        task, place = draw(st.sampled_from([thread for thread in left if thread])).pop(0)
        moment = task.steps[place]
        clock += draw(st.integers(0, 1))  # moments may fall together
        if place < task.breaks or moment == "answer":
            server.execute(task, moment)
            task.times[moment] = clock
    return begin, tasks, server


def operations(tasks: list[Task]) -> list[Operation]:
    """Return the client's view."""
    return [task.operation for task in tasks]


@EXAMPLES
@given(programs())
def test_successful_history_is_linearizable(program: tuple[AppState, list[Task], Server]) -> None:
    """Any result of successful changes and purges is explained by some order, with early and late events."""
    begin, tasks, server = program
    assert is_explained(begin, operations(tasks), server.final_state())
    assert is_explained(begin, operations(tasks), server.final_state(), delayed_recording=True)
    assert is_state_reachable(begin, operations(tasks), server.final_state())


@EXAMPLES
@given(programs(failing=True))
def test_failed_operations_are_linearizable(program: tuple[AppState, list[Task], Server]) -> None:
    """A result with failed operations is explained too: before any effect, after it, or with half a purge."""
    begin, tasks, server = program
    assert is_explained(begin, operations(tasks), server.final_state())


@EXAMPLES
@given(programs())
def test_missing_event_is_rejected(program: tuple[AppState, list[Task], Server]) -> None:
    """The event of a change that was sent after every purge was answered cannot be missing.

    Two events of a kind cannot be distinguished, so it must be the only change of its kind.
    """
    begin, tasks, server = program
    kind = "stop" if server.started else "start"
    assume(all(task.kind != kind for task in tasks))
    over = 1 + max(task.times["answer"] for task in tasks)
    last = Task(kind, times={"send": over, "answer": over})
    server.execute(last, "act")
    tasks.append(last)
    assert is_explained(begin, operations(tasks), server.final_state())
    server.events.remove(kind)
    assert not is_explained(begin, operations(tasks), server.final_state())
    assert not is_explained(begin, operations(tasks), server.final_state(), delayed_recording=True)


@EXAMPLES
@given(programs(), st.data())
def test_duplicate_event_is_rejected(program: tuple[AppState, list[Task], Server], data: st.DataObject) -> None:
    """There cannot be more events of a kind than changes of it."""
    begin, tasks, server = program
    assume(server.events)
    kind = data.draw(st.sampled_from(server.events))
    server.events += [kind] * (1 + sum(task.kind == kind for task in tasks) - server.events.count(kind))
    assert not is_explained(begin, operations(tasks), server.final_state())
    assert not is_explained(begin, operations(tasks), server.final_state(), delayed_recording=True)


@EXAMPLES
@given(st.booleans(), PURGES)
def test_unchanged_app_is_seeded(started: bool, purges: list[Task]) -> None:  # noqa: FBT001 -- drawn
    """An app without changes is seeded if it is started, not if it is stopped, and has no old event."""
    server = Server(started, 1)
    moments = [(task, moment) for task in purges for moment in task.steps]
    for clock, (task, moment) in enumerate(moments):
        server.execute(task, moment)
        task.times[moment] = clock
    begin, end = AppState(started, 1), server.final_state()
    assert is_explained(begin, operations(purges), end)
    assert not is_explained(begin, operations(purges), replace(end, has_seed=not end.has_seed))
    assert not is_explained(begin, operations(purges), replace(end, has_old_events=True))


@EXAMPLES
@given(programs(), st.data())
def test_shortest_timeline_still_contradicts(program: tuple[AppState, list[Task], Server], data: st.DataObject) -> None:
    """The timeline contradicts the final state, whatever the others did, and nothing shorter does."""
    begin, tasks, server = program
    end = replace(
        server.final_state(),
        has_seed=data.draw(st.booleans()),
        events_by_process=((frozenset({"stop"}),),),
        seed_instances=None,
    )
    found = operations(tasks)
    assume(not is_explained(begin, found, end))
    shortest = smallest_unexplained(begin, found, end)
    loose = [x if x in shortest else x.unconstrained() for x in found]
    assert not is_explained(begin, loose, end)
    for one in shortest:
        fewer = [x for x in shortest if x is not one]
        can_occur = could_produce(begin, fewer, end)
        assert not can_occur or is_explained(begin, [x if x in fewer else x.unconstrained() for x in found], end)
