"""Connections that send a request unchanged and once, skip interim responses and wait a bounded time."""

from __future__ import annotations

import http.client
import math
import time
from collections import defaultdict
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from io import BufferedReader, RawIOBase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import default_headers
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.client.cookies import CookieJar
from purge_conformance.config.transport import LOCALHOST, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from socket import socket

    from urllib3 import BaseHTTPResponse, ProxyManager

    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.config.transport import Transport

LENGTH = "Content-Length"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
# After these a server may not have read the body of the request, and would read its rest as the next request.
UNSETTLING = frozenset({"upgrade", "expect"})
SEND_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)  # what sending and reading may raise
INTERIM = range(HTTPStatus.CONTINUE, HTTPStatus.OK)
SHORTEST_TIMEOUT_S = 0.001  # zero would be an error
RESPONSE_DEADLINE_FACTOR = 2  # a complete response may take this many timeouts


class ResponseDeadlineExceeded(TimeoutError):
    """A response started in time and was incomplete at its deadline."""


class _DeadlineReader(RawIOBase):
    """Reads a socket until a deadline; no single read waits longer than the socket's own timeout."""

    def __init__(self, raw: RawIOBase, source: socket, seconds: float, deadline: float) -> None:
        self._raw, self._source, self._seconds, self._deadline = raw, source, seconds, deadline
        self._socket_timeout = source.gettimeout() or seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 -- as io has it
        remaining = self._deadline - time.monotonic()
        if remaining < self._socket_timeout:
            self._source.settimeout(max(remaining, SHORTEST_TIMEOUT_S))
        try:
            if remaining > 0:
                return self._raw.readinto(buffer)
        except TimeoutError:
            if time.monotonic() < self._deadline:
                raise
        raise ResponseDeadlineExceeded(f"the response was incomplete after {self._seconds:g} s")

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response read as HTTP defines it where http.client deviates, and within a deadline.

    A response with a status of 1xx is interim (RFC 9110, 15.2), but http.client skips only 100. White space after a
    header's value is no part of it (RFC 9112, 5), but http.client keeps it and then does not recognize `chunked `.
    """

    def __init__(self, source: socket, *args: Any, seconds: float, latest: float, **kwargs: Any) -> None:  # noqa: ANN401 -- as http.client has it
        super().__init__(source, *args, **kwargs)
        deadline = min(latest, time.monotonic() + seconds)  # starts now, after the request is sent
        self.fp = BufferedReader(_DeadlineReader(self.fp.detach(), source, seconds, deadline))

    def begin(self) -> None:
        super().begin()
        fields = list(self.headers.raw_items())
        if any(value.strip(" \t") != value for _, value in fields):
            for name in set(self.headers):
                del self.headers[name]
            for name, value in fields:
                self.headers[name] = value.strip(" \t")
        if not self.chunked and self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            self.chunked, self.chunk_left, self.length = True, None, None

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc] # there is no public name
        is_interim = status in INTERIM and status != HTTPStatus.SWITCHING_PROTOCOLS
        return version, HTTPStatus.CONTINUE if is_interim else status, reason


class _KeepAlive(HTTPConnection):
    """A persistent connection; an unsafe method gets a new one, and what follows a request that unsettles it.

    The target may close an idle connection at any moment, and then it is unknown whether it executed the request.
    """

    is_used = False
    is_unsettled = False  # whether the last request had one of the headers `UNSETTLING`
    declares_length = True  # whether the request has a Content-Length of its own; urllib3 adds none of 0 otherwise
    latest = math.inf  # when the response must be complete, as `time.monotonic` counts

    def connect(self) -> None:
        self._bound_response()  # that of a proxy to CONNECT
        super().connect()
        self.is_used = False

    def _new_conn(self) -> socket:
        """Return a new socket; `localhost`, which consent takes for this machine, MUST NOT be another one in DNS."""
        made = super()._new_conn()
        if self.host.lower() in LOCALHOST and not is_loopback(peer := made.getpeername()[0]):
            made.close()
            raise urllib3.exceptions.NewConnectionError(self, f"{self.host} is {peer} here, which is not loopback")
        return made

    def request(self, method: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- handed on
        if self.is_unsettled or (self.is_used and method not in SAFE_METHODS):
            self.close()
        self._bound_response()
        names = {name.lower() for name in kwargs.get("headers") or ()}
        self.declares_length, self.is_unsettled = "content-length" in names, not names.isdisjoint(UNSETTLING)
        super().request(method, *args, **kwargs)
        self.is_used = True

    def putheader(self, header: Any, *values: Any) -> None:  # noqa: ANN401 -- as http.client has it
        if self.declares_length or str(header).lower() != "content-length":
            super().putheader(header, *values)

    def send(self, data: Any) -> None:  # noqa: ANN401 -- as http.client has it
        if self.latest < math.inf and self.sock:  # a body is sent in parts, each with the whole timeout
            self.sock.settimeout(max(SHORTEST_TIMEOUT_S, min(float(self.timeout or 0), self.latest - time.monotonic())))
        super().send(data)

    def _bound_response(self) -> None:
        seconds = RESPONSE_DEADLINE_FACTOR * float(self.timeout or 0)
        self.response_class = partial(_Response, seconds=seconds, latest=self.latest)  # type: ignore[assignment] # a factory


class _TlsKeepAlive(_KeepAlive, HTTPSConnection):
    pass


class _BoundedPool(HTTPConnectionPool):
    """Hands the time of the latest response on to its connections."""

    latest = math.inf

    def _get_conn(self, timeout: float | None = None) -> Any:  # noqa: ANN401 -- as urllib3 has it
        connection = super()._get_conn(timeout)
        connection.latest = self.latest  # type: ignore[attr-defined] # of both classes above
        return connection


class _Pool(_BoundedPool):
    """Connections to the target or to a proxy, which gets the URL unchanged: urllib3 would normalize it."""

    ConnectionCls = _KeepAlive
    absolute_url = ""

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- handed on
        self.absolute_url = url if self.proxy else ""
        return super().urlopen(method, url, *args, **kwargs)

    def _make_request(self, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- handed on
        return super()._make_request(conn, method, self.absolute_url or url, *args, **kwargs)


class _TlsPool(_BoundedPool, HTTPSConnectionPool):
    ConnectionCls = _TlsKeepAlive

    def _validate_conn(self, conn: Any) -> None:  # noqa: ANN401 -- as urllib3 has it
        if conn.is_closed:
            conn.connect()  # without urllib3's warning about --insecure per request: the report has it once


POOL_CLASSES = {"http": _Pool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """Sends to one target through one pool, without the work that requests does for a general response."""

    pool: _BoundedPool | None = None
    latest = math.inf

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- as requests has it
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOL_CLASSES

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:  # noqa: ANN401 -- as above
        manager = cast("ProxyManager", super().proxy_manager_for(*args, **kwargs))
        manager.pool_classes_by_scheme = POOL_CLASSES
        return manager

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:  # noqa: ANN401 -- as above
        if self.pool is None:
            self.pool = cast("_BoundedPool", super().get_connection_with_tls_context(*args, **kwargs))
        self.pool.latest = self.latest
        return self.pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ANN401 -- as above
        path = request.path_url
        return f"http://{urlsplit(request.url or '').netloc}{path}" if "http" in proxies else path

    def build_response(self, _: object, resp: BaseHTTPResponse) -> requests.Response:
        response = requests.Response()
        response.raw = resp
        return response


def _with_second(headers: Mapping[str, str], second: Mapping[str, str]) -> HTTPHeaderDict:
    """Return headers that urllib3 sends in this order, those of `second` last, in lines of their own."""
    every = HTTPHeaderDict(headers)
    for name, value in second.items():
        every.add(name, value)
    return every


class Connection:
    """One thread's connection to a target; it ignores the environment's proxy settings and never retries."""

    def __init__(self, base: str, transport: Transport) -> None:
        """Prepare a connection to the target at this URL; it is opened for the first request."""
        self._base = base
        self._transport = transport
        proxy = transport.proxy_for(base)
        self._proxies = {urlsplit(base).scheme: proxy} if proxy else {}
        self._adapter = _Adapter(max_retries=0)
        # Per Authorization: a cookie may authenticate its receiver, so no other role may send it.
        self._cookies: defaultdict[str | None, CookieJar] = defaultdict(CookieJar)
        self._default_headers = dict(requests.Request("GET", base, default_headers()).prepare().headers)

    def prepare(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | None],
        body: bytes | Upload,
        second: Mapping[str, str] = NO_HEADERS,
    ) -> requests.PreparedRequest:
        """Return a request with these headers and the default ones, without those whose value is None.

        That holds for Content-Length as well. A request with `Transfer-Encoding: chunked` has no Content-Length, but
        the end of a chunked body. `second` has headers that the request has already, and gets once more.

        Raises:
            RequestException: a header or the target's URL is invalid and cannot be sent.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        every = {**self._default_headers, **headers}
        prepared.prepare_headers({name: value for name, value in every.items() if value is not None})
        if cookies := self._cookies_for(prepared):
            prepared.url = self._base
            prepared.prepare_cookies(cookies)
        prepared.body = body or None  # type: ignore[assignment] # an upload is streamed
        prepared.prepare_content_length(prepared.body)
        if headers.get(LENGTH, "") is None or "Transfer-Encoding" in prepared.headers:
            del prepared.headers[LENGTH]
        if second:
            prepared.headers = _with_second(prepared.headers, second)  # type: ignore[assignment] # a mapping as well
        prepared.url = self._base + path  # unchanged: the suite sends malformed paths on purpose
        return prepared

    @contextmanager
    def send(
        self, prepared: requests.PreparedRequest, timeout: float, max_seconds: float = math.inf
    ) -> Iterator[BaseHTTPResponse]:
        """Send the request and yield the response once its headers are complete; redirects are not followed.

        Args:
            prepared: the request.
            timeout: seconds to connect, to send a part of the request, and to wait for the next byte of the response.
            max_seconds: for the request and the whole response, as far as it is less than the timeouts allow.

        Raises:
            RequestException: there is no response.
        """
        transport, timeout = self._transport, max(SHORTEST_TIMEOUT_S, min(timeout, max_seconds))
        self._adapter.latest = time.monotonic() + max_seconds
        with self._adapter.send(
            prepared, stream=True, timeout=timeout, verify=transport.verify, cert=transport.cert, proxies=self._proxies
        ) as response:
            if cookies := response.raw.headers.getlist("Set-Cookie"):
                self._cookies_for(prepared).store(cookies, prepared)
            yield response.raw

    def _cookies_for(self, prepared: requests.PreparedRequest) -> CookieJar:
        """Return the cookies that the target set for this request's credential."""
        return self._cookies[prepared.headers.get("Authorization")]
