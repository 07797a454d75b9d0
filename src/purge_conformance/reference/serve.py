"""Serving the application: one socket, one process, any number of instances under path prefixes."""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from purge_conformance.reference import asgi
from purge_conformance.reference.api import auth
from purge_conformance.reference.app import create_app
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.registry import behaviour_with
from purge_conformance.reference.store.database import EPHEMERAL, opened_database
from purge_conformance.reference.wire import WiredProtocol

if TYPE_CHECKING:
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send

KEEP_ALIVE_S = 75  # longer than any client keeps an idle connection for use
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
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        host: address to listen on, unless a variant has another.
        port: 0 takes a free one.
        database_url: SQLAlchemy's; None is an SQLite database in memory.
        faults: ids of `spec/faults.yaml`; the more, the less it conforms.
        on_ready: is called once with the URL and one token for each role, when requests are answered.
        variants: ids of `spec/variants.yaml`; it differs and conforms.
        mounts: further instances, by path prefix (`/name`), with their faults and variants. Each has a fresh database
            in memory; all take the same tokens, unless a variant makes them others.
        states: path, below that of each instance, where it takes provider states (`spec/hook.md`), or None.

    Raises:
        BadSetting: a fault or a variant is unknown, or the database cannot be opened.
        OSError: the address is not to be had.
    """
    secret = auth.new_secret()
    names = (*faults, *variants)
    behaviour = behaviour_with(names)
    with ExitStack() as open_things:
        listener = open_things.enter_context(_listening(behaviour.host or host, port))
        # asyncio would set it, but not on sockets that were made without naming TCP; connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = _url(listener)

        def instance(place: str, names: Sequence[str], database: str) -> ASGIApp:
            sessions = open_things.enter_context(opened_database(database))
            return create_app(
                sessions, secret=secret, base_url=url + place, behaviour=behaviour_with(names), states_path=states
            )

        instances = {behaviour.place: instance(behaviour.place, names, database_url or EPHEMERAL)}
        for prefix, changes in (mounts or {}).items():
            place = "/" + prefix.strip("/")
            instances[place] = instance(place, changes, EPHEMERAL)
        ready = partial(on_ready, url + behaviour.place, behaviour.tokens(secret))
        _run(under_prefixes(instances), listener, ready)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def under_prefixes(instances: Mapping[str, ASGIApp]) -> ASGIApp:
    """Serve each instance below its prefix, the longest first; what is below none of them is not found."""
    most = max(prefix.count("/") for prefix in instances)
    nothing = Reply(status=404, body="Not found", content_type="text/plain; charset=utf-8")

    async def by_prefix(scope: Scope, receive: Receive, send: Send) -> None:
        segments = scope["path"].split("/")
        for number in range(most, -1, -1):
            prefix = "/".join(segments[: number + 1])
            if prefix in instances:
                await instances[prefix]({**scope, "root_path": prefix}, receive, send)
                return
        await asgi.write(nothing, send)

    return by_prefix


class _Announcing(uvicorn.Server):
    """A uvicorn server that tells when it answers; uvicorn itself has no such hook."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # many instances are much to look through for garbage, and stay to the end
        self._announce()


def _run(app: ASGIApp, listener: socket.socket, announce: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http=WiredProtocol,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # each instance has a clock of its own
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal that ended it once more; a server that was asked to stop has ended well.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
    _Announcing(config, announce).run(sockets=[listener])
