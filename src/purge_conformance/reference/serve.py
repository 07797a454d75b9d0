"""Serves the application: one process with one socket, and any number of instances under path prefixes."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import uvicorn

from purge_conformance.errors import BadSetting
from purge_conformance.reference import asgi
from purge_conformance.reference.api import auth
from purge_conformance.reference.app import create_app
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.registry import behaviour_with
from purge_conformance.reference.store.database import IN_MEMORY_URL, open_database
from purge_conformance.reference.store.initial_data import furnished
from purge_conformance.reference.wire import WireProtocol

if TYPE_CHECKING:
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour

KEEP_ALIVE_S = 75  # longer than clients reuse an idle connection
BACKLOG = 256

OnReady = Callable[[str, Mapping[str, str]], None]


def serve(  # noqa: PLR0913 -- the options of a command
    host: str,
    port: int,
    database_url: str | None,
    faults: Sequence[str],
    on_ready: OnReady,
    *,
    variants: Sequence[str] = (),
    mounts: Mapping[str, Sequence[str]] | None = None,
    states: str | None = None,
    apps: int = 0,
    events: int = 0,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        host: address to listen on, unless a variant replaces it.
        port: 0 selects a free port.
        database_url: of SQLAlchemy; None is an SQLite database in memory.
        faults: ids of `spec/faults.yaml`.
        on_ready: called once, when the server accepts requests, with its URL and one token for each role.
        variants: ids of `spec/variants.yaml`.
        mounts: further instances, by path prefix (`/name`), with the ids of their faults and variants. Each has a new
            database in memory; all accept the same tokens, unless a variant replaces them.
        states: path of the endpoint for provider states (`spec/hook.md`), below that of each instance, or None.
        apps: number of started apps that an empty database gets; further instances get none.
        events: number of the events of their history.

    Raises:
        BadSetting: a fault or variant is unknown, the database cannot be opened or filled, or the port is in use.
    """
    secret = auth.new_secret()
    behaviour = behaviour_with((*faults, *variants))
    if apps:
        behaviour = furnished(apps=apps, events=events)(behaviour)
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(behaviour.host or host, port))
        url = _url(listener)

        def create_instance(prefix: str, behaviour: Behaviour, database: str = IN_MEMORY_URL) -> ASGIApp:
            sessions = stack.enter_context(open_database(database))
            return create_app(sessions, secret=secret, base_url=url + prefix, behaviour=behaviour, states_path=states)

        main_prefix = behaviour.path_prefix
        instances = {main_prefix: create_instance(main_prefix, behaviour, database_url or IN_MEMORY_URL)}
        for prefix, changes in (mounts or {}).items():
            path_prefix = "/" + prefix.strip("/")
            instances[path_prefix] = create_instance(path_prefix, behaviour_with(changes))
        on_started = partial(on_ready, url + behaviour.path_prefix, behaviour.sign_tokens(secret))
        _run(mount_at_prefixes(instances), listener, on_started)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise BadSetting(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or errno.EINVAL)}. "
            "Give another --port; 0 selects a free one."
        ) from None
    # asyncio sets it only on sockets that were created with IPPROTO_TCP; connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def mount_at_prefixes(instances: Mapping[str, ASGIApp]) -> ASGIApp:
    """Return the application that serves each instance below its prefix, the longest first, and 404 elsewhere."""
    max_segments = max(prefix.count("/") for prefix in instances)
    not_found = Reply(status=HTTPStatus.NOT_FOUND, body="Not found", content_type="text/plain; charset=utf-8")

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        segments = scope["path"].split("/")
        for number in range(max_segments, -1, -1):
            prefix = "/".join(segments[: number + 1])
            if prefix in instances:
                await instances[prefix]({**scope, "root_path": prefix}, receive, send)
                return
        await asgi.send_reply(not_found, send)

    return dispatch


class _NotifyingServer(uvicorn.Server):
    """A uvicorn server that calls a function once it accepts requests; uvicorn itself has no such hook."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # the instances live to the end; collecting garbage need not traverse them
        self._on_started()


def _run(app: ASGIApp, listener: socket.socket, on_started: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        log_level="error",  # a request for another protocol is worth no line
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http=WireProtocol,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # each instance has its own clock
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    server = _NotifyingServer(config, on_started)
    if threading.current_thread() is threading.main_thread():
        # uvicorn handles the first two while it serves, and raises them again after its shutdown.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run(sockets=[listener])
