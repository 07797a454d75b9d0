"""Sends one token request to a login server, with limits of time and size."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from purge_conformance.client.connection import SEND_ERRORS, Connection
from purge_conformance.errors import TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client.auth.uaa import Ask
    from purge_conformance.config.transport import Transport

MAX_BYTES = 256 * 1024
LOGIN_TIMEOUT_S = 15.0  # without a byte of the response


def token_requester(transport: Transport, timeout: float) -> Ask:
    """Return a function that sends one request, follows no redirect and records nothing.

    Args:
        transport: certificates and proxy.
        timeout: seconds to wait for the next byte of a response, at most `LOGIN_TIMEOUT_S`.
    """

    def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = Connection(f"{parts.scheme}://{parts.netloc}", transport)
        try:
            prepared = connection.prepare(method, parts.path, {**headers, "Connection": "close"}, body)
            with connection.send(prepared, min(timeout, LOGIN_TIMEOUT_S)) as answer:
                return answer.status, answer.read(MAX_BYTES, decode_content=True)
        except SEND_ERRORS as error:
            raise TargetUnreachable(
                f"{url} did not respond ({type(error).__name__}). Check the network and that server, then run again."
            ) from None

    return ask
