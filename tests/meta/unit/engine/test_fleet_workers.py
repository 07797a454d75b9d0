"""Both ends of the connection to a worker, each with a channel that a test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import execnet
import pytest

from purge_conformance import __version__
from purge_conformance.engine.fleet import worker as protocol
from purge_conformance.engine.fleet.processes import NOT_STARTED, Ended, Processes, Task
from purge_conformance.engine.fleet.target_run import TargetRun
from purge_conformance.engine.fleet.workers import Worker, WorkerRunner, is_local, parse_specs
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from execnet.gateway_base import Channel

Message = tuple[Any, ...]
GOOD: list[Message] = [
    (protocol.STARTED, "t"),
    (protocol.FILE, "run.log"),
    (protocol.DATA, b"one "),
    (protocol.DATA, b"two"),
    (protocol.FILE, "scripts/ID.sh"),
    (protocol.ENDED, 1, 2.5, ""),
]


class PlayedChannel:
    """Gives messages, then says that nothing comes, or that the connection is lost."""

    TimeoutError = execnet.TimeoutError

    def __init__(self, *messages: Message | BaseException) -> None:
        """Take what `receive` gives."""
        self.messages = list(messages)
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        """Remember a message."""
        self.sent.append(message)

    def receive(self, _timeout: float) -> Message:
        """Return the next message, or raise it."""
        message = self.messages.pop(0) if self.messages else EOFError()
        if isinstance(message, BaseException):
            raise message
        return message


def run_of(name: str) -> TargetRun:
    """Return the run of a target."""
    return TargetRun(name, ("http://h", "--allow-purge=h"), "{}", {"TOKEN": "a"}, ("OTHER",), 60.0)


def run_on(
    folder: Path,
    channels: Sequence[PlayedChannel],
    names: Sequence[str],
    on_start: Callable[[str], None] = lambda _: None,
) -> tuple[list[Ended], WorkerRunner]:
    """Return how runs on these workers end, and the runner."""
    runner = WorkerRunner([Worker("popen", cast("Channel", channel), "/there") for channel in channels])
    return runner.run([run_of(name) for name in names], folder, on_start, lambda *_: None), runner


def test_files_of_a_run_are_written(tmp_path: Path) -> None:
    """A worker gets a run with its variables; its files arrive in the private folder of the target."""
    channel, started = PlayedChannel(*GOOD, *GOOD), list[str]()
    ended, _ = run_on(tmp_path, [channel], ["one", "two"], started.append)
    assert ended == [Ended(1, 2.5), Ended(1, 2.5)]
    assert channel.sent[0] == (
        *(protocol.RUN, "one", ["http://h", "--allow-purge=h"], "{}"),
        *({"TOKEN": "a"}, ["OTHER"], 60.0),
    )
    assert [message[0] for message in channel.sent] == [protocol.RUN, protocol.KEPT] * 2
    for name in ("one", "two"):
        assert (tmp_path / name / "run.log").read_text(encoding="utf-8") == "one two"
        assert (tmp_path / name / "run.log").stat().st_mode & 0o077 == 0
        assert (tmp_path / name / "scripts" / "ID.sh").read_bytes() == b""
    assert started == ["t", "t"]


def test_lost_worker_costs_one_run(tmp_path: Path) -> None:
    """A run whose worker is lost is not repeated; what waits is not started if no other worker is left."""
    (alone, rest), _ = run_on(tmp_path, [PlayedChannel(GOOD[0])], ["one", "two"])
    assert (alone.code, "The worker popen was lost" in alone.problem) == (None, True)
    assert "/there/one" in alone.problem
    assert "purge-conformance cleanup http://h --dry-run" in alone.problem
    assert rest.problem == "It was not started, as no worker was left."


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", ""])
def test_file_outside_is_refused(name: str, tmp_path: Path) -> None:
    """A name that leads out of the folder of the target ends the worker; nothing is written."""
    channel = PlayedChannel((protocol.FILE, name), (protocol.DATA, b"x"), GOOD[-1])
    (ended,), _ = run_on(tmp_path / "out", [channel], ["one"])
    assert "it sent a file named" in ended.problem
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "one"]


def test_signal_asks_workers_to_end(tmp_path: Path) -> None:
    """After a signal a worker is asked once to end its run in order; its files still come, and no other run starts."""
    channel = PlayedChannel(execnet.TimeoutError(), *GOOD)
    runner = WorkerRunner([Worker("popen", cast("Channel", channel), "/there")])
    runs = [run_of("one"), run_of("two")]
    first, second = runner.run(runs, tmp_path, lambda _: runner.end(2), lambda *_: None)
    assert (first.code, second.problem) == (1, NOT_STARTED)
    assert [message[0] for message in channel.sent] == [protocol.RUN, protocol.END, protocol.KEPT]


def test_specifications() -> None:
    """N*SPEC stands for several workers; only some of them are certainly on this machine."""
    assert parse_specs(["2*popen", "ssh=a//python=p"]) == ("popen", "popen", "ssh=a//python=p")
    with pytest.raises(BadSetting, match="--worker python=p cannot be used: it names no way to the worker"):
        parse_specs(["python=p"])
    assert [is_local(spec) for spec in ("popen", "socket=127.0.0.1:8888", "socket=h:1", "ssh=a")] == [
        True,
        True,
        False,
        False,
    ]


class AskingChannel(PlayedChannel):
    """Asks a worker for these things at once."""

    def setcallback(self, callback: Callable[[Message | None], None], endmarker: None) -> None:
        """Give all messages, then the end."""
        for message in [*self.messages, endmarker]:
            callback(cast("Message | None", message))


@pytest.mark.parametrize("is_kept", [True, False])
def test_worker_sends_files_and_deletes_what_was_kept(
    is_kept: bool,  # noqa: FBT001 -- a column of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker sends each file of a run, and deletes them once they are kept; without its connection it keeps them."""
    seen: list[Task] = []

    def run(_self: Processes, tasks: Sequence[Task], on_start: Callable[[str], None], _on_end: object) -> list[Ended]:
        (task,) = tasks
        seen.append(task)
        on_start(task.name)
        task.log.write_text("said", encoding="utf-8")
        return [Ended(0, 1.0)]

    monkeypatch.setattr(Processes, "run", run)
    monkeypatch.setattr(protocol, "mkdtemp", lambda prefix: str(tmp_path) if prefix else "")
    monkeypatch.setenv("OTHER", "secret")
    asked = (protocol.RUN, "one", ["http://h"], '{"seed": 1}', {"TOKEN": "a"}, ["OTHER"], 60.0)
    channel = AskingChannel(asked, *([(protocol.KEPT,)] if is_kept else []))
    protocol.serve(cast("Channel", channel))
    assert channel.sent == [
        (protocol.READY, __version__, str(tmp_path)),
        (protocol.STARTED, "one"),
        (protocol.FILE, "run.log"),
        (protocol.DATA, b"said"),
        (protocol.ENDED, 0, 1.0, ""),
    ]
    assert (tmp_path / "one" / "run.log").exists() is not is_kept
    assert (seen[0].environment["TOKEN"], "OTHER" in seen[0].environment) == ("a", False)
    assert {"run", "http://h", f"--out={tmp_path / 'one'}"} <= set(seen[0].command)
