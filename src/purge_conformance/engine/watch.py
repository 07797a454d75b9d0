"""Judges a target again whenever its version or a file changes; a look at it only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting, TargetUnreachable
from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOOK_EVERY_S = 10.0  # between reads of the version, or the interval, if that is shorter
MAX_LINE_CHARS = 300


@dataclass(frozen=True, slots=True)
class State:
    """What a look at a target and a file finds.

    Attributes:
        versions: name of a version -> the version.
        file: modification time in nanoseconds, size and inode of the file; None: no file is watched.
    """

    versions: Mapping[str, str]
    file: tuple[int, int, int] | None = None

    @classmethod
    def read(cls, read_versions: Callable[[], Mapping[str, str]], file: Path | None) -> State:
        """Return the present state.

        Raises:
            TargetUnreachable: the target does not respond.
            OSError: the file is missing.
        """
        about = file.stat() if file else None
        return cls(read_versions(), (about.st_mtime_ns, about.st_size, about.st_ino) if about else None)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: its exit code.
        is_interrupted: whether a signal ended it, or came while it was judged.
    """

    code: int
    is_interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """How time passes.

    Attributes:
        now: the seconds of a clock that never goes back.
        sleep: waits so many seconds.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Watcher:
    """Looks at a target until it has changed."""

    def __init__(self, look: Callable[[], State], interval: float, clock: Clock, say: Callable[[str], None]) -> None:
        """Look at nothing yet.

        Args:
            look: finds the present state.
            interval: the least seconds between the starts of two runs.
            clock: how time passes.
            say: prints a line.
        """
        self._look, self._interval, self._clock, self._say = look, interval, clock, say
        self._away = False

    def look(self, before: State | None = None) -> State | None:
        """Return the present state; None while there is none, which is printed once.

        Args:
            before: an earlier state, whose documents have to be there.
        """
        try:
            state, reason = self._look(), ""
        except TargetUnreachable as error:
            state, reason = None, str(error)
        except OSError as error:
            state, reason = None, f"{error.filename}: {error.strerror}."
        if state and before and not _documents(before) <= _documents(state):
            state, reason = None, "The target names no version now."
        if not self._away and reason:
            self._say(one_line(f"{reason} Waiting.", MAX_LINE_CHARS))
        if self._away and state:
            self._say("There again.")
        self._away = state is None
        return state

    def next_change(self, judged: State | None, begun: float) -> State:
        """Return the next state that differs from the judged one, at the earliest an interval after a run has begun.

        Args:
            judged: the state that was judged; None: the first one that is found has to be judged.
            begun: when the last run began.
        """
        previous: State | None = None
        while True:
            self._clock.sleep(min(self._interval, LOOK_EVERY_S))
            state = self.look(judged)
            has_changed = state is not None and state == previous and state != judged
            if state and has_changed and self._clock.now() - begun >= self._interval:
                return state
            previous = state


def require_visible(read_versions: Callable[[], Mapping[str, str]], file: Path | None, url: str) -> None:
    """Require that a change can be seen: a file is watched, or the target names a version.

    Raises:
        BadSetting: neither.
        TargetUnreachable: the target does not respond.
    """
    if not file and not read_versions():
        raise BadSetting(
            f"--watch would see no change: {url} names no version in its root document and in /v3/info. "
            "Give --watch-file FILE, for example the program that is deployed."
        )


def watch(
    judge: Callable[[], Ended],
    look: Callable[[], State],
    interval: float,
    clock: Clock,
    say: Callable[[str], None],
) -> int:
    """Judge a target, and again after each change, until a signal comes; return the exit code of the last run.

    A change counts once two successive reads find the same: while a deployment replaces one instance after the other,
    or a file is being written, nothing is judged. A change during a run is judged after it.

    Args:
        judge: runs and judges once. It raises TargetUnreachable if the target does not respond; as the first run that
            ends the command, later the target is waited for.
        look: finds the present state; raises TargetUnreachable or OSError while there is none.
        interval: the least seconds between the starts of two runs.
        clock: how time passes.
        say: prints a line.

    Raises:
        SuiteError: a run could not start, for example since a token has expired.
    """
    watcher = Watcher(look, interval, clock, say)
    judged = watcher.look()
    begun = clock.now()
    ended = judge()
    try:
        if not ended.is_interrupted:
            say(f"Watching: judges again after a change, at most every {interval:g} s. Interrupt to end.")
        while not ended.is_interrupted:
            state = watcher.next_change(judged, begun)
            say(one_line(f"Changed: {_difference(judged, state)}. Judging again.", MAX_LINE_CHARS))
            begun = clock.now()
            try:
                ended, judged = judge(), state
            except TargetUnreachable as error:
                say(one_line(f"{error} Waiting.", MAX_LINE_CHARS))
                judged = None
    except KeyboardInterrupt:
        pass
    return ended.code


def _documents(state: State) -> set[str]:
    return {name.partition(" ")[0] for name in state.versions}


def _difference(before: State | None, after: State) -> str:
    """Return what changed, in words."""
    old = before.versions if before else {}
    names = [name for name in dict.fromkeys([*old, *after.versions]) if old.get(name) != after.versions.get(name)]
    parts = [f"{name} {old.get(name, 'unknown')} -> {after.versions.get(name, 'unknown')}" for name in names]
    if before is None or before.file != after.file:
        parts += ["the file"] if after.file else []
    return ", ".join(parts) or "the target is there again"
