"""Runs targets on workers: processes that execnet starts on this machine or on others, over SSH or a socket.

A run is never repeated on another worker: if a worker is lost, the purges of its run may have been sent.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import execnet

from purge_conformance import __version__
from purge_conformance.config.transport import is_loopback
from purge_conformance.engine.fleet import worker as protocol
from purge_conformance.engine.fleet.processes import NOT_STARTED, Ended
from purge_conformance.errors import BadSetting
from purge_conformance.evidence import files
from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from execnet.gateway_base import Channel

    from purge_conformance.engine.fleet.target_run import TargetRun

SERVE = "from purge_conformance.engine.fleet.worker import serve; serve(channel)"
LOOK_EVERY_S = 0.2  # at whether a signal came, while a run is in progress
CONNECT_TIMEOUT_S = 60.0
MAX_REASON_CHARS = 300
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP)
LOST = (execnet.RemoteError, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that is connected.

    Attributes:
        spec: as the user wrote it.
        channel: to it.
        folder: on its machine, of the files that it has not sent yet.
    """

    spec: str
    channel: Channel
    folder: str


def parse_specs(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the specification of each worker; `N*SPEC` stands for several.

    Raises:
        BadSetting: one is not a specification of execnet.
    """
    specs: list[str] = []
    for text in texts:
        number, spec = match.groups() if (match := re.fullmatch(r"([1-9][0-9]{0,2})\*(.+)", text)) else ("1", text)
        try:
            parsed = execnet.XSpec(spec)
        except (AttributeError, ValueError) as error:
            raise _unusable(text, error) from None
        if not (parsed.popen or parsed.ssh or parsed.socket):
            raise _unusable(text, "it names no way to the worker")
        specs += [spec] * int(number)
    return tuple(specs)


def is_local(spec: str) -> bool:
    """Whether a worker is on this machine, so that a loopback address means the same there."""
    parsed = execnet.XSpec(spec)
    return bool(parsed.popen) or bool(parsed.socket and is_loopback(str(parsed.socket).rpartition(":")[0]))


class WorkerRunner:
    """Runs targets on workers, one at a time on each."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        """Start nothing yet."""
        self._workers = workers
        self.is_closed = False

    @classmethod
    @contextmanager
    def connect(cls, specs: Sequence[str]) -> Iterator[WorkerRunner]:
        """Give the runner of these workers, connected until the block ends.

        Raises:
            BadSetting: one cannot be reached, or has another version of the suite.
        """
        group = execnet.Group()
        try:
            yield cls([_connect(group, spec) for spec in specs])
        finally:
            group.terminate(timeout=CONNECT_TIMEOUT_S)

    def end(self, _number: int) -> None:
        """End all runs in order, and start no more; workers get no signal of this machine, but a message."""
        self.is_closed = True

    def run(
        self,
        runs: Sequence[TargetRun],
        folder: Path,
        on_start: Callable[[str], None],
        on_end: Callable[[str, Ended], None],
    ) -> list[Ended]:
        """As `Runner.run`; the files of each run are then in its folder on this machine."""
        waiting: SimpleQueue[TargetRun] = SimpleQueue()
        for each in runs:
            files.create_folder(folder / each.name)
            waiting.put(each)
        found: dict[str, Ended] = {}

        def work(worker: Worker) -> None:
            while not self.is_closed:
                try:
                    run = waiting.get_nowait()
                except Empty:
                    return
                found[run.name], is_lost = self._run_on(worker, run, folder / run.name, on_start)
                on_end(run.name, found[run.name])
                if is_lost:
                    return

        threads = [threading.Thread(target=work, args=(worker,)) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rest = Ended(None, problem=NOT_STARTED if self.is_closed else "It was not started, as no worker was left.")
        return [found.get(each.name, rest) for each in runs]

    def _run_on(
        self, worker: Worker, run: TargetRun, place: Path, on_start: Callable[[str], None]
    ) -> tuple[Ended, bool]:
        """Return how a run on a worker ended, and whether the worker was lost."""
        begin = time.monotonic()
        words = (run.name, list(run.arguments), run.config, dict(run.variables), list(run.foreign), run.limit)
        try:
            worker.channel.send((protocol.RUN, *words))
            ended = self._receive(worker.channel, place, on_start)
            worker.channel.send((protocol.KEPT,))
        except LOST as error:
            problem = (
                f"The worker {worker.spec} was lost ({_reason(error)}). What it collected may be there in "
                f"{worker.folder}/{run.name}. To look for apps that are left: purge-conformance cleanup "
                f"{run.arguments[0]} --dry-run"
            )
            return Ended(None, time.monotonic() - begin, problem), True
        return ended, False

    def _receive(self, channel: Channel, place: Path, on_start: Callable[[str], None]) -> Ended:
        """Write the files that a worker sends for a run, and return how it ended."""
        messages = self._messages(channel)
        message = next(messages)
        while message[0] != protocol.ENDED:
            if message[0] == protocol.STARTED:
                on_start(message[1])
            if message[0] != protocol.FILE:
                message = next(messages)
                continue
            path = _path_in(place, message[1])
            files.create_folder(path.parent)
            with files.writing(path, replace=False) as file:
                while (message := next(messages))[0] == protocol.DATA:
                    file.write(message[1])
        return Ended(*message[1:])

    def _messages(self, channel: Channel) -> Iterator[tuple[Any, ...]]:
        """Yield what a worker sends; once a signal has come, ask it to end its run."""
        is_asked = False
        while True:
            if self.is_closed and not is_asked:
                is_asked = True
                channel.send((protocol.END,))
            with suppress(channel.TimeoutError):
                yield channel.receive(LOOK_EVERY_S)


def _connect(group: execnet.Group, spec: str) -> Worker:
    try:
        with _ignored_by_new_processes():
            gateway = group.makegateway(spec)
        channel = gateway.remote_exec(SERVE)
        _, version, folder = channel.receive(CONNECT_TIMEOUT_S)
    except (*LOST, execnet.HostNotFound, execnet.TimeoutError) as error:
        raise _unusable(spec, _reason(error)) from None
    if version != __version__:
        raise _unusable(spec, f"it has version {version} of the suite, this is {__version__}")
    return Worker(spec, channel, folder)


@contextmanager
def _ignored_by_new_processes() -> Iterator[None]:
    """Let processes that the block starts ignore what a terminal sends to all: the fleet ends its workers itself."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in TERMINAL_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _path_in(place: Path, name: str) -> Path:
    """Return the path of a file that a worker sends.

    Raises:
        OSError: it would not be in the folder.
    """
    parts = PurePosixPath(name).parts
    if not parts or any(part in {"/", "..", ""} for part in parts):
        raise OSError(f"it sent a file named {one_line(name, MAX_REASON_CHARS)!r}")
    return place.joinpath(*parts)


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return one_line(lines[-1], MAX_REASON_CHARS)


def _unusable(spec: str, why: object) -> BadSetting:
    return BadSetting(
        f"--worker {spec} cannot be used: {why}. Give a specification of execnet, for example "
        "ssh=USER@HOST//python=/PATH/TO/python of a Python that has this version of the suite."
    )
