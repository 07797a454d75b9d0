"""What a worker of a fleet does on its machine: runs a target after the other, and sends the files of each.

execnet starts it there, with the Python that its specification names. Messages are tuples of a word and values. Without
its connection a worker ends the run in progress in order; the files stay there until the fleet has all of them.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from purge_conformance import __version__
from purge_conformance.engine.fleet.processes import Ended, Processes
from purge_conformance.engine.fleet.target_run import TargetRun

if TYPE_CHECKING:
    from execnet.gateway_base import Channel

CHUNK_BYTES = 1024 * 1024
# Words of messages to a worker, and of a worker.
RUN, KEPT, END = "run", "kept", "end"
READY, STARTED, FILE, DATA, ENDED = "ready", "started", "file", "data", "ended"


def serve(channel: Channel) -> None:
    """Run what the channel asks for until its other end is closed."""
    processes = Processes(1)
    asked: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()

    def receive(message: tuple[Any, ...] | None) -> None:
        if message is None or message[0] == END:
            processes.end(signal.SIGTERM)
        if message is None or message[0] != END:
            asked.put(message)

    channel.setcallback(receive, endmarker=None)
    folder = Path(mkdtemp(prefix="purge-conformance-"))
    channel.send((READY, __version__, str(folder)))
    while (message := asked.get()) is not None:
        place = folder / message[1]
        ended = _run(channel, processes, TargetRun(*message[1:]), place)
        _send_files(channel, place)
        channel.send((ENDED, ended.code, ended.seconds, ended.problem))
        if asked.get() is None:  # instead of KEPT
            return
        shutil.rmtree(place)
    folder.rmdir()


def _run(channel: Channel, processes: Processes, run: TargetRun, place: Path) -> Ended:
    with TemporaryDirectory(prefix="purge-conformance-") as configs:
        task = run.task(place, Path(configs))
        (ended,) = processes.run([task], lambda name: channel.send((STARTED, name)), lambda *_: None)
    return ended


def _send_files(channel: Channel, place: Path) -> None:
    """Send each file of a folder and the folders below it: its name, then its content."""
    for path in sorted(place.rglob("*")):
        if path.is_file() and not path.is_symlink():
            channel.send((FILE, path.relative_to(place).as_posix()))
            with path.open("rb") as file:
                while data := file.read(CHUNK_BYTES):
                    channel.send((DATA, data))
