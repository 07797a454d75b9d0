"""A relay: a port at another address of this machine whose connections go on to a server."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 65_536


@contextmanager
def relay(address: str, url: str) -> Iterator[str]:
    """Yield the URL at an address that a server at another URL answers."""
    parts = urlsplit(url)
    with socket.create_server((address, 0)) as listening:
        place = (parts.hostname or "", parts.port or 80)
        Thread(target=_accept, args=(listening, place), daemon=True).start()
        yield f"http://{address}:{listening.getsockname()[1]}"


def _accept(listening: socket.socket, place: tuple[str, int]) -> None:
    with suppress(OSError):  # the test has ended
        while True:
            client, _ = listening.accept()
            Thread(target=_serve, args=(client, place), daemon=True).start()


def _serve(client: socket.socket, place: tuple[str, int]) -> None:
    with client, socket.create_connection(place) as server:
        sending = Thread(target=_copy, args=(client, server), daemon=True)
        sending.start()
        _copy(server, client)
        sending.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
