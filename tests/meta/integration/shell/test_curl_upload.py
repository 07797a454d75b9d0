"""A curl line uploads a droplet."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.client import Request
from purge_conformance.config import droplet_file as upload
from purge_conformance.config.droplet_file import (
    CHUNK_BYTES,
    CONTENT_TYPE,
    CURL_FORM,
    GZIP_MAGIC,
    Upload,
    check_droplet_file,
)
from purge_conformance.evidence import curl
from purge_conformance.evidence.records import Header
from purge_conformance.evidence.steps import Step, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


BITS = GZIP_MAGIC + b"bits-of-a-droplet" * CHUNK_BYTES
PATH = "/v3/droplets/one/upload"


@pytest.fixture
def file(tmp_path: Path) -> Upload:
    """The file of a droplet, which has several chunks."""
    path = tmp_path / "of-mine.tgz"
    path.write_bytes(BITS)
    return check_droplet_file("--file", path)


def upload_request(file: Upload) -> Request:
    """Return a request that uploads the file."""
    return Request(
        "POST",
        PATH,
        Step.PREPARE_DROPLET,
        headers={"Content-Type": CONTENT_TYPE},
        tags={Tag.FORM: CURL_FORM},
        upload=file,
    )


def test_curl_uploads_file(file: Upload, make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """The curl line of an upload sends a form with the file of that name."""
    line = curl.command(make_client().send(upload_request(file)), Header("0", {}, stub_server.url, {}, ""))
    shutil.copy(file.path, tmp_path / upload.FILENAME)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, timeout=20, check=True)
    (_, (again, headers)) = stub_server.received
    assert again.startswith(f"POST {PATH} ")
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert int(headers["Content-Length"]) > len(BITS)
