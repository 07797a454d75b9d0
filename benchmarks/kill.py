"""Kills runs, archives and cleanups with SIGKILL at random moments: whenever a purge was sent, the archive is whole.

`python benchmarks/kill.py [KILLS] [SEED]`; the defaults are 100 and 1. The purges are counted at the server, a
reference server in this process, where an app of another user is stopped and started meanwhile. After each kill no file
is cut off, `judge` says that the run was killed, and `cleanup` deletes what is left. A line is printed for each kill;
the exit code is 1 if one is not so.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import requests
import uvicorn

from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import RUN_LABEL
from purge_conformance.reference import behaviour_with, create_app, open_database, sign_tokens
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.wire import WireProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.reference.asgi import Receive, Scope, Send

KILLS, SEED = 100, 1
SECRET = "a secret of sixty-four bytes, which is as long as the longest digest"  # noqa: S105 -- nothing is behind it
# How many requests each command sends to this server, and how many seconds it takes, about.
REQUESTS = {"run": 900, "archive": 2, "cleanup": 20}
SECONDS = {"run": 10.0, "archive": 1.0, "cleanup": 1.0}
PURGES = 38  # of a run
INCONCLUSIVE, USAGE = 3, 2  # exit codes
FOREIGN_EVENT_S = 0.2  # between two events that the run did not cause
KILLED = -9
KINDS = ("purge", "request", "time")  # of moments
COMMANDS = ("run", "run", "run", "archive", "cleanup")
TIMEOUT_S = 300


@dataclass
class Target:
    """A reference server in a thread.

    Attributes:
        url: its address.
        token: of its admin.
        requests, purges: how many it received of the command under test.
        victim: what is killed, and when: at a request or a purge of this number, after so many seconds.
    """

    url: str
    token: str
    requests: int = 0
    purges: int = 0
    victim: tuple[subprocess.Popen[bytes], str, int, float] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def count(self, method: str, path: str) -> None:
        """Count a request, and kill the victim if it is its time."""
        self.requests += 1
        self.purges += is_purge(method, path)
        if self.victim:
            process, kind, number, delay = self.victim
            if (self.purges if kind == "purge" else self.requests) == number:
                self.victim = None
                threading.Timer(delay, process.kill).start()

    def ask(self, method: str, path: str) -> Any:  # noqa: ANN401 -- JSON
        """Send a request of our own, and return its JSON."""
        headers = {"Authorization": f"bearer {self.token}", "X-Own": "1"}
        return requests.request(method, self.url + path, headers=headers, timeout=TIMEOUT_S).json()

    def record_foreign_events(self) -> None:
        """Stop and start an app of another user until the block of `serve` ends."""
        guid = self.ask("GET", "/v3/apps?per_page=1")["resources"][0]["guid"]
        action = "stop"
        while not self.stopped.wait(FOREIGN_EVENT_S):
            self.ask("POST", f"/v3/apps/{guid}/actions/{action}")
            action = "start" if action == "stop" else "stop"

    def runs_left(self) -> set[str]:
        """Return the runs whose apps, spaces or organizations are still there."""
        kinds = ("apps", "spaces", "organizations")
        pages = [self.ask("GET", f"/v3/{kind}?label_selector={RUN_LABEL}&per_page=5000") for kind in kinds]
        return {row["metadata"]["labels"][RUN_LABEL] for page in pages for row in page["resources"]}


@contextmanager
def serve() -> Iterator[Target]:
    """Serve until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener, open_database("sqlite://") as sessions:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        behaviour = initial_data(restarts=50)(behaviour_with(()))
        app = create_app(sessions, secret=SECRET, base_url=url, behaviour=behaviour)
        target = Target(url, sign_tokens(SECRET)["admin"])

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if b"x-own" not in dict(scope["headers"]):
                target.count(scope["method"], scope["path"])
            await app(scope, receive, send)

        config = uvicorn.Config(
            counted, log_level="warning", lifespan="off", ws="none", loop="asyncio", http=WireProtocol
        )
        server = uvicorn.Server(config)
        threads = [
            threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True),
            threading.Thread(target=target.record_foreign_events, daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield target
        finally:
            target.stopped.set()
            threads[1].join(TIMEOUT_S)
            server.should_exit = True
            threads[0].join(TIMEOUT_S)


def start(target: Target, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the command; it has the admin's token."""
    command = [sys.executable, "-m", "purge_conformance", *arguments]
    environment = os.environ | {"ADMIN_TOKEN": target.token}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 -- ours


def finish(target: Target, *arguments: str) -> tuple[int, str]:
    """Run the command to its end, and return its exit code and output."""
    process = start(target, *arguments)
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, output.decode()


def kill_one(target: Target, dice: random.Random, kind: str, *arguments: str) -> bool:
    """Kill the command at a random purge, request or time; return whether it was killed before its end."""
    what = arguments[0]
    number = dice.randint(1, PURGES if kind == "purge" else REQUESTS[what])
    if kind == "purge" and dice.random() < 0.5:  # noqa: PLR2004 -- the first purges are the ones that an archive must precede
        number = 1
    delay = dice.uniform(0, SECONDS[what] if kind == "time" else 0.05)
    process = start(target, *arguments, target.url, "--token=admin=env:ADMIN_TOKEN")
    if kind == "time":
        threading.Timer(delay, process.kill).start()
    else:
        target.victim = (process, kind, number + (target.purges if kind == "purge" else target.requests), delay)
    process.communicate(timeout=TIMEOUT_S)
    target.victim = None
    return process.returncode == KILLED


def archive_problem(path: Path) -> str:
    """Return why an archive is not whole; empty if it is. Events that were added after its summary do no harm."""
    summary_path = path.with_name(f"{path.name}.json")
    if not (path.exists() and summary_path.exists()):
        return f"{path.name} or its summary is missing"
    summary = json.loads(summary_path.read_bytes())
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    for line in lines:
        json.loads(line)
    described = lines[: summary["events"]]
    digest = hashlib.sha256(b"".join(described)).hexdigest()
    is_whole = (len(described), digest, summary["complete"]) == (summary["events"], summary["sha256"], True)
    return "" if is_whole else f"{path.name} is not what its summary says"


def file_problems(folder: Path) -> Iterator[str]:
    """Yield which files that have the name of a complete one are cut off."""
    checks: dict[str, Callable[[bytes], object]] = {
        "report.json": json.loads,
        "archive.jsonl.gz.json": json.loads,
        "archive.jsonl.gz": gzip.decompress,
        "junit.xml": ET.fromstring,
        "report.html": lambda data: data.index(b"</html>"),
        "evidence.jsonl": lambda data: [json.loads(line) for line in data.split(b"\n")[:-1]],
    }
    for name, check in checks.items():
        if (folder / name).exists():
            try:
                check((folder / name).read_bytes())
            except Exception as error:  # noqa: BLE001 -- any says that the file is cut off
                yield f"{name} is cut off ({type(error).__name__})"


def judge_problems(target: Target, folder: Path, *, is_killed: bool) -> Iterator[str]:
    """Yield what is wrong with how the killed run is judged: it is called killed, or the message says why not."""
    code, output = finish(target, "judge", str(folder), "--out", str(folder / "again"))
    has_evidence = (folder / "evidence.jsonl").exists() and b"\n" in (folder / "evidence.jsonl").read_bytes()
    is_finished = has_evidence and b'"name":"finished"' in (folder / "evidence.jsonl").read_bytes()
    if has_evidence and is_killed and not is_finished and (code != INCONCLUSIVE or "The run was killed" not in output):
        yield f"judge exited with {code} and does not say that the run was killed: {output[-300:]}"
    if not has_evidence and code != USAGE:
        yield f"judge of a folder without evidence exited with {code}"
    if "Traceback" in output:
        yield f"judge ended with a traceback: {output[-300:]}"


def cleanup_problems(target: Target) -> Iterator[str]:
    """Yield what `cleanup` leaves of any run."""
    for run in target.runs_left():
        code, output = finish(target, "cleanup", target.url, "--token=admin=env:ADMIN_TOKEN", "--run", run)
        if code:
            yield f"cleanup exited with {code}: {output[-300:]}"
    if left := target.runs_left():
        yield f"cleanup left objects of {', '.join(left)}"


def try_once(number: int, seed: int, folder: Path) -> tuple[str, int, bool, list[str]]:
    """Kill one command; return which, the purges that the server received, whether it was killed, and the problems."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311 -- to be repeated, not to be secret
    what = COMMANDS[number % len(COMMANDS)]
    run, archive = folder / "run", folder / "archive.jsonl.gz"
    with serve() as target:
        if what == "archive":
            is_killed = kill_one(target, dice, dice.choice(KINDS[1:]), "archive", "--out", str(archive))
            problems = list(file_problems(folder))
        else:
            kind = "purge" if what == "cleanup" else dice.choice(KINDS)
            is_killed = kill_one(target, dice, kind, "run", "--out", str(run))
            problems = list(run_problems(target, run, is_killed=is_killed))
        if what == "cleanup":
            runs = target.runs_left()
            kills = [kill_one(target, dice, dice.choice(KINDS[1:]), "cleanup", "--run", name) for name in runs]
            is_killed = any(kills)
        problems += cleanup_problems(target)
        return what, target.purges, is_killed, problems


def run_problems(target: Target, run: Path, *, is_killed: bool) -> Iterator[str]:
    """Yield what a killed run left that is not as it must be."""
    yield from file_problems(run)
    if target.purges and (problem := archive_problem(run / "archive.jsonl.gz")):
        yield f"{target.purges} purges were sent, and {problem}"
    if run.exists():
        yield from judge_problems(target, run, is_killed=is_killed)


def main(kills: int, seed: int) -> None:
    """Print a line for each kill and the sum; exit with 1 if anything was not as it must be."""
    killed: Counter[str] = Counter()
    with_purges = bad = 0
    for number in range(kills):
        with TemporaryDirectory(ignore_cleanup_errors=True) as name:
            what, purges, is_killed, problems = try_once(number, seed, Path(name))
        killed[what] += is_killed
        with_purges += bool(purges and is_killed)
        bad += bool(problems)
        end = "killed" if is_killed else "ended before"
        print(f"{number + 1}: {what} {end}, {purges} purges{''.join(f'; {each}' for each in problems)}", flush=True)
    counts = ", ".join(f"{count} of {what}" for what, count in sorted(killed.items()))
    print(f"{kills} attempts; killed: {counts}; {with_purges} after a purge; {bad} not as they must be")
    sys.exit(bool(bad))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    main(*numbers, *(KILLS, SEED)[len(numbers) :])
