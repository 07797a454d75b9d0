"""Connections to the target: they mend nothing, try nothing twice, and read past interim answers."""

from __future__ import annotations

import http.client
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

INTERIM = range(HTTPStatus.CONTINUE, HTTPStatus.OK)


class _Answer(http.client.HTTPResponse):
    """An answer as HTTP has it, where http.client reads less.

    What comes before it with a status of 1xx is none (RFC 9110, 15.2): http.client skips 100 alone. White space after
    the value of a header does not belong to it (RFC 9112, 5): http.client keeps it, and then knows no `chunked `.
    """

    def begin(self) -> None:
        super().begin()
        fields = [(name, value.strip(" \t")) for name, value in self.headers.items()]
        for name in set(self.headers):
            del self.headers[name]
        for name, value in fields:
            self.headers[name] = value
        if not self.chunked and self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            self.chunked, self.chunk_left, self.length = True, None, None

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc] # it has no public name
        is_interim = status in INTERIM and status != HTTPStatus.SWITCHING_PROTOCOLS
        return version, HTTPStatus.CONTINUE if is_interim else status, reason


class _Connection(HTTPConnection):
    response_class = _Answer


class _TlsConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 -- as requests has it
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def connected(ca_bundle: str | None) -> requests.Session:
    """Return a session that takes nothing from the environment and never sends a request twice behind our back."""
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace the token that is being tried
    session.verify = ca_bundle or True
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(max_retries=0))
    return session
