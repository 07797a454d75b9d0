"""Asks a server for a token, within bounds of time and size."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3

from purge_conformance.client.connection import Connection
from purge_conformance.errors import TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client.auth.uaa import Ask
    from purge_conformance.config.transport import Transport

MAX_BYTES = 256 * 1024
LOGIN_TIMEOUT_S = 15.0  # seconds without a byte, at most


def token_requester(transport: Transport, timeout: float) -> Ask:
    """Return what sends one request, follows no redirect, and leaves no record.

    Args:
        transport: how that server is reached.
        timeout: seconds that the next byte of an answer may take.
    """

    def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = Connection(f"{parts.scheme}://{parts.netloc}", transport)
        try:
            prepared = connection.prepare(method, parts.path, {**headers, "Connection": "close"}, body)
            with connection.send(prepared, min(timeout, LOGIN_TIMEOUT_S)) as answer:
                return answer.status, answer.read(MAX_BYTES, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise TargetUnreachable(
                f"{url} gave no answer ({type(error).__name__}). Check the network and that server, then run again."
            ) from None

    return ask
