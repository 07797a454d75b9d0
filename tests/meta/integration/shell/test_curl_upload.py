"""A curl line uploads a droplet."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from meta.support.uploads import BITS, PATH, droplet_file, upload_request
from purge_conformance.config.droplet_file import FILENAME
from purge_conformance.evidence import curl
from purge_conformance.evidence.records import Header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.config.droplet_file import Upload

    Connect = Callable[..., Client]


@pytest.fixture
def file(tmp_path: Path) -> Upload:
    """The file of a droplet."""
    return droplet_file(tmp_path)


def test_curl_uploads_file(file: Upload, make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """The curl line of an upload sends a form with the file of that name."""
    line = curl.command(make_client().send(upload_request(file)), Header("0", {}, stub_server.url, {}, ""))
    shutil.copy(file.path, tmp_path / FILENAME)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, timeout=20, check=True)
    (_, (again, headers)) = stub_server.received
    assert again.startswith(f"POST {PATH} ")
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert int(headers["Content-Length"]) > len(BITS)
