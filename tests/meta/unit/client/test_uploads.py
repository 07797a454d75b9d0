"""The client uploads a droplet without recording it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from meta.support.uploads import BITS, PATH, droplet_file, upload_request
from purge_conformance.client import connection
from purge_conformance.config.apps import AppSettings
from purge_conformance.config.droplet_file import CURL_FORM, GZIP_MAGIC, Upload
from purge_conformance.evidence.jsonl import FILE_NAME
from purge_conformance.evidence.steps import Tag
from purge_conformance.target.apps.droplets import DropletProvider, DropletUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


@pytest.fixture
def file(tmp_path: Path) -> Upload:
    """The file of a droplet."""
    return droplet_file(tmp_path)


def test_file_is_not_recorded(file: Upload, make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """The evidence contains the request with its headers, but neither a byte nor the path of the file."""
    found = make_client().send(upload_request(file))
    assert (found.status, found.request_body, found.tags) == (200, None, {Tag.FORM: CURL_FORM})
    ((_, headers),) = stub_server.received
    assert int(headers["Content-Length"]) == len(file) > len(BITS)
    journal = (tmp_path / "client-0" / FILE_NAME).read_text()
    assert PATH in journal
    assert "of-mine" not in journal
    assert "bits-of-a-droplet" not in journal


def test_retry_reads_file_again(file: Upload, make_client: Connect, stub_server: StubServer) -> None:
    """A retried upload sends the whole file again."""
    statuses = [429, 202]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, statuses.pop(0), Retry_After="0")

    stub_server.answer = answer
    assert make_client().send(upload_request(file)).status == 202
    assert [headers["Content-Length"] for _, headers in stub_server.received] == [str(len(file))] * 2


def test_redirected_upload_is_not_followed(
    file: Upload, make_client: Connect, stub_server: StubServer, second_stub_server: StubServer
) -> None:
    """A redirected upload sends neither file nor token to the new host, and the reason is reported."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        elsewhere = {"Location": f"{second_stub_server.url}/blobs"} if handler.path.endswith("/upload") else {}
        stub_server.respond(handler, 307 if elsewhere else 201, b'{"guid": "one"}', **elsewhere)

    stub_server.answer = answer
    with pytest.raises(DropletUnavailable, match=f"POST {PATH}: 307"):
        DropletProvider(make_client(), AppSettings(droplet_file=file), "0123abcd").provide("app")
    assert second_stub_server.received == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "FileNotFoundError"),
        (lambda path: path.write_bytes(GZIP_MAGIC), "has become shorter since it was checked"),
    ],
)
def test_missing_file_is_reported(
    spoil: Callable[[Path], object], why: str, file: Upload, make_client: Connect, stub_server: StubServer
) -> None:
    """A file that is missing or truncated at the upload leaves the apps without a droplet, with the reason."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 201, json.dumps({"guid": "one"}).encode())
    spoil(file.path)
    with pytest.raises(DropletUnavailable, match=f"POST {PATH}: .*{why}"):
        DropletProvider(make_client(), AppSettings(droplet_file=file), "0123abcd").provide("app")


def test_upload_does_not_count_to_timeout(file: Upload, make_client: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout of the response starts after the upload, however long that takes."""
    now = 0.0

    def pieces(_: Upload) -> Iterator[bytes]:
        nonlocal now
        for piece in whole(file):
            now += 1000.0
            yield piece

    whole = Upload.__iter__
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(Upload, "__iter__", pieces)
    assert make_client(max_time=1_000_000).send(upload_request(file)).status == 200
    assert now > 2000.0
