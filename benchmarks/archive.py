"""Measures `archive` against requests, which fetches the same pages and drops them.

    python benchmarks/archive.py [EVENTS ...] [--repeat N] [--out FILE] [--most-ratio RATIO]

EVENTS are sizes of the list: 1,000, 10,000 and 200,000 by default; 1,000,000 need 1 GB in the temporary folder.
A server in a process of its own sends ready-made pages, so that what reads them is what costs. Both readers are
processes of their own, and their start counts. Each size is measured N times, one reader after the other; the fastest
of each counts. The table is printed, and written to FILE, which docs/archives.md includes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from hashlib import blake2b
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PER_PAGE = 5000  # the most that Cloud Controller gives
SIZES = (1_000, 10_000, 200_000)
APPS = 2_000  # that the events are about
TABLE = Path(__file__).parents[1] / "reports" / "archive-speed.md"
PEER = """
import sys, requests
session, total, page = requests.Session(), 0, 1
session.headers["Authorization"] = "bearer " + sys.argv[3]
while page <= int(sys.argv[2]):
    total += len(session.get(sys.argv[1] + "/v3/app_usage_events?per_page=5000&page=%d" % page).content)
    page += 1
print(total)
"""
TEXT = """\
{table}

Measured by `python benchmarks/archive.py {sizes}`, each {repeat} times, on {cores} cores. Both read the same ready-made
pages of {per_page:,} events from a server on the same machine; the seconds are those of the whole process.
"""
HEADER = ("Events", "`archive`", "requests, which drops the pages", "Ratio", "Most memory of `archive`")


def token() -> str:
    """Return a token as long as those of a UAA, which has to be searched for in each page."""
    digests = [blake2b(bytes([number])).digest() for number in range(10)]
    parts = (b'{"alg":"RS256"}', b'{"scope":["cloud_controller.admin"]}' + b"".join(digests[:6]), b"".join(digests[6:]))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def guid(kind: int, number: int) -> str:
    """Return a guid of its own for each kind and number."""
    return str(UUID(int=(kind << 120) ^ (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 120)), version=4))


def event(number: int, url: str) -> dict[str, object]:
    """Return an event as the API lists it."""
    app, moment = number % APPS, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_780_000_000 + 7 * number))
    return {
        "guid": guid(1, number),
        "created_at": moment,
        "updated_at": moment,
        "state": {"current": "STARTED" if number // APPS % 2 else "STOPPED", "previous": "STARTED"},
        "app": {"guid": guid(2, app), "name": f"billing-service-{app}"},
        "process": {"guid": guid(2, app), "type": "web"},
        "space": {"guid": guid(3, app % 50), "name": f"space-{app % 50}"},
        "organization": {"guid": guid(4, app % 10)},
        "buildpack": {"guid": guid(5, app % 7), "name": "java_buildpack_offline"},
        "task": {"guid": None, "name": None},
        "memory_in_mb_per_instance": {"current": 1024, "previous": 512},
        "instance_count": {"current": 1 + app % 9, "previous": 1},
        "links": {"self": {"href": f"{url}/v3/app_usage_events/{guid(1, number)}"}},
    }


def page(number: int, events: int, url: str) -> bytes:
    """Return a page of the list, as Cloud Controller writes JSON."""
    last = -(-events // PER_PAGE)
    links = {"first": 1, "last": last, "next": number + 1, "previous": number - 1}
    pagination: dict[str, object] = {"total_results": events, "total_pages": last}
    for name, target in links.items():
        href = f"{url}/v3/app_usage_events?page={target}&per_page={PER_PAGE}"
        pagination[name] = {"href": href} if 1 <= target <= last else None
    rows = [event(n, url) for n in range((number - 1) * PER_PAGE, min(number * PER_PAGE, events))]
    text = json.dumps({"pagination": pagination, "resources": rows}, separators=(",", ":"))
    return text.replace("&", r"\u0026").encode()


class Pages(BaseHTTPRequestHandler):
    """Sends the pages from a file."""

    protocol_version = "HTTP/1.1"
    file: IO[bytes]
    starts: list[int]

    def do_GET(self) -> None:
        """Send the page that the query names, or the root document."""
        url = urlsplit(self.path)
        if not url.path.startswith("/v3/"):
            return self._send(HTTPStatus.OK, b'{"links": {}}')
        query = parse_qs(url.query)
        number = int(query["page"][0])
        if int(query["per_page"][0]) != PER_PAGE or not 1 <= number < len(self.starts):
            return self._send(HTTPStatus.UNPROCESSABLE_ENTITY, b'{"errors": []}')
        start, end = self.starts[number - 1 : number + 1]
        self._begin(HTTPStatus.OK, end - start)
        while start < end:
            start += os.sendfile(self.connection.fileno(), self.file.fileno(), start, end - start)
        return None

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self._begin(status, len(body))
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serve(events: int, path: Path) -> None:
    """Write the pages to a file, print the URL, and send them until the standard input ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server, path.open("w+b") as file:
        server.daemon_threads = True
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url, Pages.file, Pages.starts = f"http://127.0.0.1:{server.server_port}", file, [0]
        for number in range(1, -(-events // PER_PAGE) + 1):
            Pages.starts.append(Pages.starts[-1] + file.write(page(number, events, url)))
        file.flush()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(url, flush=True)
        sys.stdin.read()


@contextmanager
def server(events: int, folder: Path) -> Iterator[str]:
    """Give the URL of a server of so many events."""
    command = [sys.executable, __file__, "--serve", str(events), "--pages", str(folder / "pages")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- this file
        try:
            assert process.stdout  # noqa: S101 -- it is a pipe
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command and return its seconds, and the most MB of memory that it held."""
    start = time.perf_counter()
    silence = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=silence)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command[:3])} ended with {os.waitstatus_to_exitcode(status)}.")
    return seconds, usage.ru_maxrss / 1024


def row(events: int, repeat: int) -> tuple[int, float, float, float]:
    """Return the number of events, the seconds of `archive` and of the peer, and the MB of memory of `archive`."""
    os.environ["BENCHMARK_TOKEN"] = token()
    suite = str(Path(sys.executable).with_name("purge-conformance"))
    peer, ours, theirs = (sys.executable, "-c", PEER), [], []
    with TemporaryDirectory() as name, server(events, Path(name)) as url:
        for number in range(repeat):
            out = Path(name) / f"{number}.jsonl.gz"
            archive = [suite, "archive", url, "--token", "admin=env:BENCHMARK_TOKEN", "--out", str(out)]
            theirs.append(measure([*peer, url, str(-(-events // PER_PAGE)), os.environ["BENCHMARK_TOKEN"]]))
            ours.append(measure([*archive, "--max-events", "100000000"]))
            out.unlink()
    return events, min(ours)[0], min(theirs)[0], max(memory for _, memory in ours)


def table(rows: Sequence[tuple[int, float, float, float]]) -> str:
    """Return the measurements as Markdown."""
    lines = [HEADER, tuple("--:" for _ in HEADER)]
    for events, ours, theirs, memory in rows:
        lines.append((f"{events:,}", f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.1f}", f"{memory:.0f} MB"))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure each size, print and write the table, and fail where a ratio is above the most that is allowed."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("events", nargs="*", type=int, default=list(SIZES), metavar="EVENTS")
    parser.add_argument("--repeat", type=int, default=3, metavar="N")
    parser.add_argument("--out", type=Path, default=TABLE, metavar="FILE")
    parser.add_argument("--most-ratio", type=float, metavar="RATIO", help="exit with 1 where a ratio is above it")
    parser.add_argument("--serve", type=int, help="for the server's process")
    parser.add_argument("--pages", type=Path, help="for the server's process")
    option = parser.parse_args()
    if option.serve is not None:
        return serve(option.serve, option.pages)
    rows = []
    for events in option.events:
        rows.append(row(events, option.repeat))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    text = TEXT.format(
        table=table(rows),
        sizes=" ".join(map(str, option.events)),
        repeat=option.repeat,
        cores=len(os.sched_getaffinity(0)),
        per_page=PER_PAGE,
    )
    option.out.write_text(text, encoding="utf-8")
    print(text)
    if option.most_ratio and (slow := [line for line in rows if line[1] > option.most_ratio * line[2]]):
        sys.exit(
            f"Slower than {option.most_ratio} times the peer: {', '.join(f'{each[0]:,}' for each in slow)} events."
        )
    return None


if __name__ == "__main__":
    main()
