"""`run --watch`: what makes it judge again, how often, and how it ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.engine.watch import Clock, Ended, State, require_visible, watch
from purge_conformance.errors import BadSetting, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INTERVAL = 60.0
A, B, C = (State({"/ version": name, "/v3/info build": "1"}) for name in "abc")
AWAY = TargetUnreachable("http://t does not respond.")
GONE = FileNotFoundError(2, "No such file or directory", "server.jar")
END = KeyboardInterrupt()


class Story:
    """A watched target: what each look finds and how each run ends; time passes only while the command waits."""

    def __init__(self, looks: Iterable[State | BaseException], runs: Iterable[int | BaseException] = (0,) * 9) -> None:
        """Remember what happens; after the last look a signal comes."""
        self._looks, self._runs = [*looks, END], list(runs)
        self._seen: State | None = None
        self.time = 0.0
        self.judged: list[tuple[float, State | None]] = []
        self.lines: list[str] = []

    def look(self) -> State:
        """Find the next state."""
        found = self._looks.pop(0)
        self._seen = found if isinstance(found, State) else None
        if isinstance(found, BaseException):
            raise found
        return found

    def judge(self) -> Ended:
        """Run once: a negative exit code is that of a run that a signal ended."""
        self.judged.append((self.time, self._seen))
        end = self._runs.pop(0)
        if isinstance(end, BaseException):
            raise end
        return Ended(abs(end), is_interrupted=end < 0)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds

    def watch(self, interval: float = INTERVAL) -> int:
        """Watch to the end; return the exit code."""
        return watch(self.judge, self.look, interval, Clock(lambda: self.time, self.sleep), self.lines.append)


def lines(story: Story) -> list[str]:
    """Return what was printed after the line that says what is watched."""
    assert story.lines.pop(0).startswith("Watching: judges again after a change, at most")
    return story.lines


def versions(story: Story) -> list[str | None]:
    """Return the version that each run found."""
    return [state.versions["/ version"] if state else None for _, state in story.judged]


def test_same_version_is_judged_once() -> None:
    """As long as nothing changes, the target is only looked at; a signal ends with the exit code of the run."""
    story = Story([A] * 50, runs=[1])
    assert (story.watch(), versions(story), lines(story)) == (1, ["a"], [])


def test_each_change_is_judged() -> None:
    """Each change is judged, the last exit code counts, and a line says what changed."""
    story = Story([A, *[B] * 20, *[C] * 20], runs=[0, 1, 0])
    assert (story.watch(), versions(story)) == (0, ["a", "b", "c"])
    assert lines(story) == [
        "Changed: / version a -> b. Judging again.",
        "Changed: / version b -> c. Judging again.",
    ]


def test_at_most_once_per_interval() -> None:
    """Runs begin at least an interval apart, however often the target changes; a look is at most ten seconds later."""
    story = Story([A, *[B] * 3, *[C] * 3, *[A] * 3, *[B] * 30])
    story.watch()
    starts = [start for start, _ in story.judged]
    assert all(later - earlier >= INTERVAL for earlier, later in pairwise(starts))
    assert versions(story) == ["a", "c", "b"]
    assert story.time == 10.0 * 40


def test_short_interval_looks_more_often() -> None:
    """With an interval below ten seconds the target is looked at once per interval."""
    story = Story([A, *[B] * 5])
    story.watch(interval=1.0)
    assert [start for start, _ in story.judged] == [0.0, 2.0]


def test_instances_that_alternate_are_not_judged() -> None:
    """While instances of two versions answer in turn, nothing is judged; once one remains, it is."""
    story = Story([A, *[B, A] * 10, B, B, B])
    story.watch()
    assert versions(story) == ["a", "b"]


def test_change_during_a_run_is_judged_after_it() -> None:
    """A version that changed while the run was on its way is judged next, also if it was gone at the first look."""
    assert versions_of([A, *[B] * 8]) == ["a", "b"]
    assert versions_of([AWAY, *[B] * 8]) == [None, "b"]


def versions_of(looks: list[State | BaseException]) -> list[str | None]:
    """Return the version that each run of a story found."""
    story = Story(looks)
    story.watch()
    return versions(story)


@pytest.mark.parametrize("absence", [AWAY, GONE, State({}), State({"/v3/info build": "1"})])
def test_absence_is_waited_for(absence: State | BaseException) -> None:
    """A target that does not respond or names no version, and a missing file, are waited for; one line says so."""
    story = Story([A, *[absence] * 30, *[A] * 3])
    story.watch()
    assert versions(story) == ["a"]
    assert [line.rpartition(" ")[2] for line in lines(story)] == ["Waiting.", "again."]


def test_new_version_after_absence_is_judged() -> None:
    """A target that is away while it is deployed is judged when it is back with another version."""
    story = Story([A, *[AWAY] * 30, *[B] * 3])
    story.watch()
    assert versions(story) == ["a", "b"]
    assert lines(story)[0] == "http://t does not respond. Waiting."


def test_file_change_is_judged() -> None:
    """A file that has another time, size or inode is a change; one that is still being written is waited for."""
    first, second, third = (State(A.versions, (time, 1, 1)) for time in (1, 2, 3))
    story = Story([first, second, *[third] * 20])
    story.watch()
    assert [state.file for _, state in story.judged if state] == [(1, 1, 1), (3, 1, 1)]
    assert lines(story) == ["Changed: the file. Judging again."]


def test_unreachable_target_of_later_run_is_waited_for() -> None:
    """A target that is away when a later run begins is waited for and judged; of the first run it is the end."""
    story = Story([A, *[B] * 40], runs=[0, AWAY, 1])
    assert (story.watch(), versions(story)) == (1, ["a", "b", "b"])
    with pytest.raises(TargetUnreachable):
        Story([A], runs=[AWAY]).watch()


def test_signal_during_a_run_ends_with_its_code() -> None:
    """A run that a signal ended is the last one, and its exit code counts."""
    story = Story([A, *[B] * 40], runs=[0, -3])
    assert (story.watch(), versions(story)) == (3, ["a", "b"])


def test_signal_before_a_later_run_ends_with_the_last_code() -> None:
    """A signal while a later run prepares ends with the exit code of the run before; before the first it is raised."""
    assert Story([A, *[B] * 40], runs=[1, END]).watch() == 1
    with pytest.raises(KeyboardInterrupt):
        Story([A], runs=[END]).watch()


def test_refused_run_ends_the_watch() -> None:
    """A later run that is refused, for example since a token has expired, ends the command with that error."""
    with pytest.raises(BadSetting):
        Story([A, *[B] * 40], runs=[0, BadSetting("The token has expired.")]).watch()


def test_change_has_to_be_visible(tmp_path: Path) -> None:
    """Without a version of the target and without a file, nothing could start a further run: that is refused."""
    require_visible(lambda: A.versions, None, "http://t")
    require_visible(dict, tmp_path, "http://t")
    with pytest.raises(BadSetting, match=r"http://t names no version .* Give --watch-file FILE"):
        require_visible(dict, None, "http://t")


def test_state_of_a_file(tmp_path: Path) -> None:
    """A file that is written again, or replaced by another one, has another state; a missing one has none."""
    path = tmp_path / "server.jar"
    with pytest.raises(FileNotFoundError):
        State.read(dict, path)
    path.write_text("1", encoding="utf-8")
    first = State.read(dict, path)
    assert State.read(dict, path) == first
    (tmp_path / "new").write_text("1", encoding="utf-8")
    (tmp_path / "new").replace(path)
    assert State.read(dict, path) != first


def test_lines_are_bounded() -> None:
    """A target cannot fill the terminal with its versions."""
    long = State({f"/ {number}.version": "x" * 100 for number in range(100)})
    story = Story([A, *[long] * 8])
    story.watch()
    assert all(len(line) < 400 and line.isprintable() for line in story.lines)
