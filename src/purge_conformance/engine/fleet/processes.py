"""Runs commands side by side, each in a process and a session of its own; none can end, block or fill another."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.errors import environment_message
from purge_conformance.evidence import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

NOT_STARTED = "It was not started, as the fleet was interrupted."
GRACE_S = 180.0  # from a signal to the end: deleting the apps and judging what was collected


@dataclass(frozen=True, slots=True)
class Task:
    """A command to run.

    Attributes:
        name: for messages.
        command: its words.
        environment: all its environment variables.
        log: a new file for all that it prints.
        limit: seconds after which it is ended; it has limits of its own, so that this is never reached unless it hangs.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    limit: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; negative: the number of the signal that killed it; None: it was not started.
        seconds: how long it ran.
        problem: why it was not started, or why it was ended, as a sentence; empty otherwise.
    """

    code: int | None
    seconds: float = 0.0
    problem: str = ""


class Processes:
    """Runs tasks, at most so many at the same time, until a signal ends them."""

    def __init__(self, jobs: int, grace: float = GRACE_S) -> None:
        """Start nothing yet.

        Args:
            jobs: most processes at the same time.
            grace: seconds from a signal to a process until the process is killed.
        """
        self._jobs, self._grace = jobs, grace
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.RLock()  # no process starts while a signal is passed on; a second one may interrupt that
        self.is_closed = False

    def run(
        self, tasks: Sequence[Task], on_start: Callable[[str], None], on_end: Callable[[str, Ended], None]
    ) -> list[Ended]:
        """Run all tasks in their order and return how each ended.

        Args:
            tasks: what to run.
            on_start: is called with the name of a task, in another thread, when it starts.
            on_end: the same when it has ended.
        """

        def work(task: Task) -> Ended:
            ended = self._run_one(task, on_start)
            on_end(task.name, ended)
            return ended

        with ThreadPoolExecutor(self._jobs) as threads:
            return list(threads.map(work, tasks))

    def end(self, number: int) -> None:
        """Pass a signal on to all processes, and start no more."""
        with self._lock:
            self.is_closed = True
            for process in self._running:
                process.send_signal(number)

    def _run_one(self, task: Task, on_start: Callable[[str], None]) -> Ended:
        try:
            with files.open_new(task.log) as log:
                process = self._start(task, log.fileno())
        except OSError as error:
            return Ended(None, problem=environment_message(error) or f"{error.strerror}.")
        if process is None:
            return Ended(None, problem=NOT_STARTED)
        on_start(task.name)
        begin = time.monotonic()
        problem = self._wait(process, task.limit)
        with self._lock:
            self._running.remove(process)
        return Ended(process.returncode, time.monotonic() - begin, problem)

    def _start(self, task: Task, log: int) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self.is_closed:
                return None
            process = subprocess.Popen(  # noqa: S603 -- this package's own command
                task.command,
                env=dict(task.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal sends its signals to the fleet, which passes each on once
            )
            self._running.append(process)
            return process

    def _wait(self, process: subprocess.Popen[bytes], limit: float) -> str:
        """Wait for the end of a process, and end it after its limit; return why it was ended."""
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        else:
            return ""
        try:
            process.wait(self._grace)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"It did not end within {limit + self._grace:,.0f} s and was killed."
        return f"It did not end within {limit:,.0f} s and was interrupted."
