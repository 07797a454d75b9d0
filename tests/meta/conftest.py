"""What the suite's own tests share: one whole run, a stub server that counts, and evidence made by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from purge_conformance.analysis.assertions import JudgmentView
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence import records as evidence
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Evidence, Exchange, Header, Note

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

Row = dict[str, Any]
NOON = 1_782_907_200.0  # 2026-07-01T12:00:00Z, when hand-made evidence begins
HEADER = Header(
    suite="0",
    digests={},
    target="http://target.test",
    settings={"profiles": ["core"], "select": [], "admin_scope": True, "seed": 1},
    started_at="2026-07-01T12:00:00Z",
)


def event(guid: str, app: str | None = None, created_at: str = "2026-07-01T12:00:00Z") -> Row:
    """Return an event in a list; it names an app, or none."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


def an_app(guid: str, state: str = "STARTED", updated_at: str = "2026-07-01T11:00:00Z") -> Row:
    """Return an app in a list."""
    return {"guid": guid, "state": state, "updated_at": updated_at}


def a_process(guid: str, app: str, instances: int = 1) -> Row:
    """Return a process in a list."""
    owner = {"app": {"data": {"guid": app}}}
    return {"guid": guid, "instances": instances, "memory_in_mb": 64, "relationships": owner}


class Story:
    """Evidence made by hand, exchange by exchange; one a second, each answered after half of one."""

    event, app, process = staticmethod(event), staticmethod(an_app), staticmethod(a_process)

    def __init__(self) -> None:
        """Begin with nothing."""
        self.exchanges: list[Exchange] = []
        self.notes: list[Note] = []

    def say(  # noqa: PLR0913 -- the parts of an exchange
        self,
        experiment: str,
        step: str,
        *,
        method: str = "GET",
        path: str = EVENTS_PATH,
        status: int | None = 200,
        data: object = None,
        body: bytes | None = None,
        **more: Any,  # noqa: ANN401 -- of Story.look
    ) -> Exchange:
        """Add an exchange; `data` is the answer's JSON, `body` its bytes."""
        n = len(self.exchanges) + 1
        parts = {"role": "admin", "request_headers": (), "request_body": None, "response_headers": ()} | more
        content = json.dumps(data).encode() if body is None else body
        parts = {"sent_at": NOON + n, "elapsed": 0.5, **parts}
        self.exchanges.append(
            Exchange(n, experiment, step, method=method, path=path, status=status, body=content, **parts)
        )
        return self.exchanges[-1]

    def purge(self, experiment: str, *, status: int = 200, **more: Any) -> Exchange:  # noqa: ANN401 -- as in say
        """Add the purge of an experiment."""
        return self.say(experiment, "purge", method="POST", path=PURGE_PATH, status=status, data={}, **more)

    def page(self, experiment: str, step: str, rows: Sequence[Row], **query: Any) -> Exchange:  # noqa: ANN401 -- any query
        """Add a page that holds these rows and is the last one."""
        asked = {"per_page": 500, "page": 1, **query}
        data = {"pagination": {"total_results": len(rows), "total_pages": 1, "next": None}, "resources": list(rows)}
        return self.say(experiment, step, path=f"{EVENTS_PATH}?{urlencode(asked)}", data=data)

    def walk(self, experiment: str, step: str, rows: Sequence[Row], *, complete: bool = True) -> None:
        """Add a walk over a list of one page."""
        self.page(experiment, step, rows)
        self.note(experiment, f"{step}.complete", complete)

    def look(
        self,
        experiment: str,
        step: str,
        events: Sequence[Row] = (),
        apps: Sequence[Row] = (),
        processes: Sequence[Row] = (),
    ) -> None:
        """Add a look at everything."""
        for name, rows in (("apps", apps), ("processes", processes), ("events", events)):
            self.walk(experiment, f"{step}.{name}", rows)

    def note(self, experiment: str, name: str, value: object) -> None:
        """Add a note."""
        self.notes.append(Note(experiment, name, value))

    @property
    def evidence(self) -> Evidence:
        """All that was said, of a run that came to its end."""
        return Evidence(HEADER, tuple(self.exchanges), (*self.notes, Note("demolish", "finished", value=True)))

    @property
    def seen(self) -> JudgmentView:
        """The same, for a judgment."""
        return JudgmentView(self.evidence)


@pytest.fixture
def story() -> Story:
    """Hand-made evidence, still empty."""
    return Story()


@dataclass
class Stub:
    """A server that answers as it is told.

    Attributes:
        url: where it is.
        answer: writes one answer; a bare one is `say(handler, status, body)`.
        got: request lines and headers, as they came.
    """

    url: str
    answer: Callable[[BaseHTTPRequestHandler], None] = field(default=lambda handler: Stub.say(handler))  # noqa: PLW0108
    got: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @staticmethod
    def say(handler: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        """Write a whole answer; `_` in a header's name stands for `-`."""
        handler.send_response(status)
        for name, value in {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(b"" if handler.command == "HEAD" else body)

    @property
    def targets(self) -> list[str]:
        """The paths that were asked for, as they stood on the wire."""
        return [line.split(" ")[1] for line, _ in self.got]

    @property
    def purges(self) -> int:
        """How many purges came."""
        return sum(line.startswith(f"POST {PURGE_PATH} ") for line, _ in self.got)


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[Stub]]:
    """Further stubs: `serving_stub`."""
    return serving_stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A stub server on a free loopback port, which answers everything with 200 and `{}`."""
    with serving_stub() as made:
        yield made


@pytest.fixture
def other_stub() -> Iterator[Stub]:
    """A second one."""
    with serving_stub() as made:
        yield made


@contextmanager
def serving_stub(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Serve a stub in threads of its own, at that address, and with TLS if it is told how."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or the client's machine waits for the second
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.got.append((self.requestline, dict(self.headers)))
            made.answer(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 -- its names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up are meant to
        made = Stub(f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{server.server_port}")
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()


@pytest.fixture
def connect(stub: Stub, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Make a client of the stub; keyword arguments are `Limits`, `tokens` and `on_send`."""
    journals: list[Journal] = []

    def make(*, tokens: Mapping[str, str] | None = None, on_send: Any = None, **limits: Any) -> Client:  # noqa: ANN401
        settings = Settings(Target(stub.url), tokens or {"admin": "an-opaque-secret"}, limits=Limits(**limits))
        journals.append(Journal(tmp_path / f"client-{len(journals)}", HEADER))
        guard = Guard(settings.limits)
        guard.is_archived = True
        return Client(settings, journals[-1], guard, on_send or (lambda *_: None))

    yield make
    for journal in journals:
        with journal:
            pass


@dataclass(frozen=True)
class Done:
    """A run of the command that came to its end: where its reports are, its exit code and what it wrote."""

    folder: Path
    code: int
    stdout: str
    stderr: str

    @property
    def evidence(self) -> Evidence:
        """What it saw."""
        return evidence.read(self.folder)

    @property
    def report(self) -> Any:  # noqa: ANN401 -- JSON
        """What its report.json says."""
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each requirement."""
        return {row["id"]: row["outcome"] for row in self.report["requirements"]}

    @property
    def blames(self) -> set[str]:
        """What all that is open is put down to, save what no run can judge."""
        return {row["cause"] for row in self.report["requirements"] if row["outcome"] in {"inconclusive", "failed"}}


def run_command(*arguments: str | Path, folder: Path, **more: Any) -> Done:  # noqa: ANN401 -- of subprocess.run
    """Run the installed command as a user does; `folder` is where its reports are expected."""
    command = [str(Path(sys.executable).with_name("purge-conformance")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)
    return Done(folder, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def command() -> Callable[..., Done]:
    """The command: `run_command`."""
    return run_command


@dataclass(frozen=True)
class Whole(Done):
    """The one whole run, in both profiles, against a reference server that has ended since.

    Attributes:
        tokens: role -> token that it was given.
    """

    tokens: Mapping[str, str]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Run everything once, verbosely, with tokens from a file and from the environment."""
    place = tmp_path_factory.mktemp("whole")
    with embedded.server() as (url, tokens):
        (place / "admin").write_text(f"bearer {tokens['admin']}\n", encoding="utf-8")
        others = {role: token for role, token in tokens.items() if role != "admin"}
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in others]
        environment = {f"{role.upper()}_SECRET": token for role, token in others.items()}
        done = run_command(
            *("run", url, "--verbose", "--profile=core", "--profile=upstream", "--out", place / "out"),
            *(f"--token=admin=file:{place / 'admin'}", *sources, f"--hook={embedded.hook_url(url)}"),
            folder=place / "out",
            env=os.environ | environment,
        )
    return Whole(done.folder, done.code, done.stdout, done.stderr, tokens)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """A reference server for tests that only read, or do not mind what others did: URL, and role -> token."""
    with embedded.server() as found:
        yield found
