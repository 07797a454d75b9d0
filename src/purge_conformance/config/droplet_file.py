"""A droplet's file, sent as the field of a form, piece by piece, and recorded nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 1024**3  # of a file
CHUNK_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"  # how a gzip compressed file begins
BOUNDARY = "purge-conformance-7f1d0c1e5b9a4c36"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FILENAME = "droplet.tgz"  # Cloud Controller goes by its end; nobody need know what the file is called here
MULTIPART_HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="bits"; filename="{FILENAME}"\r\n'
    "Content-Type: application/gzip\r\n\r\n"
).encode()
MULTIPART_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
CURL_FORM = f"bits=@{FILENAME}"  # the form, as curl is told of it


@dataclass(frozen=True, slots=True)
class Upload:
    """The body of a request that uploads a file; the file is read anew whenever it is sent.

    Attributes:
        path: of the file.
        size: of the file in bytes, as it was checked.
    """

    path: Path
    size: int

    def __len__(self) -> int:
        """Return how many bytes are sent."""
        return len(MULTIPART_HEAD) + self.size + len(MULTIPART_TAIL)

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is sent.

        Raises:
            OSError: the file can no longer be read, or is no longer as long as it was.
        """
        yield MULTIPART_HEAD
        remaining = self.size
        with self.path.open("rb") as file:
            while remaining:
                chunk = file.read(min(CHUNK_BYTES, remaining))
                if not chunk:
                    raise OSError(f"{self.path} has become shorter since it was checked")
                remaining -= len(chunk)
                yield chunk
        yield MULTIPART_TAIL


def check_droplet_file(option: str, path: Path) -> Upload:
    """Return the upload of a file that may be a droplet's, by its size and its beginning.

    Raises:
        BadSetting: it cannot be read, is too large, or is no gzip compressed file; nothing was sent by then.
    """
    try:
        with path.open("rb") as file:
            magic, size = file.read(len(GZIP_MAGIC)), path.stat().st_size
    except OSError as error:
        raise BadSetting(f"{option} {path} cannot be read: {error.strerror}. Name the file of a droplet.") from None
    if magic != GZIP_MAGIC:
        raise BadSetting(f"{option} wants a gzip compressed tarball, as `cf download-droplet` gives; {path} is none.")
    if size > MAX_BYTES:
        raise BadSetting(f"{option} wants a file of at most {MAX_BYTES:,} bytes; {path} has {size:,}.")
    return Upload(path, size)
