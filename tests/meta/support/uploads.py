"""A droplet to upload, and the request that uploads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.client.client import Request
from purge_conformance.config.droplet_file import (
    CHUNK_BYTES,
    CONTENT_TYPE,
    CURL_FORM,
    GZIP_MAGIC,
    Upload,
    check_droplet_file,
)
from purge_conformance.evidence.steps import Step, Tag

if TYPE_CHECKING:
    from pathlib import Path

BITS = GZIP_MAGIC + b"bits-of-a-droplet" * CHUNK_BYTES
PATH = "/v3/droplets/one/upload"


def droplet_file(folder: Path) -> Upload:
    """Return the file of a droplet, which has several chunks."""
    path = folder / "of-mine.tgz"
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
