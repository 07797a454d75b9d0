"""Processes side by side: one that dies, hangs or cannot start spoils nothing for the others."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from purge_conformance.engine.fleet.processes import Ended, Processes, Task

if TYPE_CHECKING:
    from pathlib import Path

LONG, SHORT = 600.0, 0.01  # seconds
HANG = "import signal; signal.pause()"


def task(folder: Path, name: str, program: str, limit: float = LONG) -> Task:
    """Return a task that runs a Python program."""
    command = [sys.executable, "-c", program] if program else ["/no/such/program"]
    return Task(name, command, {"PATH": os.environ["PATH"], "OWN": name}, folder / f"{name}.log", limit)


def test_each_ends_for_itself(tmp_path: Path) -> None:
    """Exit codes, a signal, a missing program and a hang are distinguished, in the order of the tasks."""
    programs = {
        "good": "import os; print(os.environ['OWN'], flush=True)",
        "bad": "raise SystemExit(1)",
        "killed": "import os; os.kill(os.getpid(), 9)",
        "missing": "",
    }
    tasks = [task(tmp_path, name, program) for name, program in programs.items()]
    tasks += [task(tmp_path, "hangs", HANG, SHORT)]
    started: list[str] = []
    seen: dict[str, Ended] = {}
    ended = Processes(3).run(tasks, started.append, lambda name, end: seen.update({name: end}))
    assert [end.code for end in ended] == [0, 1, -signal.SIGKILL, None, -signal.SIGTERM]
    assert [seen[each.name] for each in tasks] == ended
    assert set(started) == {"good", "bad", "killed", "hangs"}
    assert "No such file" in ended[3].problem
    assert ended[4].problem == "It did not end within 0 s and was interrupted."
    assert (tmp_path / "good.log").read_text(encoding="utf-8") == "good\n"
    assert (tmp_path / "good.log").stat().st_mode & 0o077 == 0


def test_stubborn_process_is_killed(tmp_path: Path) -> None:
    """A process that ignores the signal is killed after the grace."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a new process inherits that
    try:
        (end,) = Processes(1, SHORT).run([task(tmp_path, "stubborn", HANG, SHORT)], lambda _: None, lambda *_: None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (end.code, end.problem) == (-signal.SIGKILL, "It did not end within 0 s and was killed.")


def test_signal_ends_all_and_starts_no_more(tmp_path: Path) -> None:
    """A signal reaches each process once; what waits is not started."""
    processes = Processes(2)
    tasks = [task(tmp_path, name, HANG) for name in ("one", "two", "three")]
    started: list[str] = []

    def on_start(name: str) -> None:
        started.append(name)
        if len(started) == 2:
            processes.end(signal.SIGINT)

    ended = processes.run(tasks, on_start, lambda *_: None)
    assert (sorted(started), [end.code is None for end in ended]) == (["one", "two"], [False, False, True])
    assert ended[2].problem == "It was not started, as the fleet was interrupted."
    assert processes.is_closed
