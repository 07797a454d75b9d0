"""A droplet file: checked, and streamed as a multipart form; its content is not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 1024**3
CHUNK_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"  # the first bytes of a gzip file
BOUNDARY = "purge-conformance-7f1d0c1e5b9a4c36"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FILENAME = "droplet.tgz"  # Cloud Controller checks the suffix; the name on this machine is not sent
MULTIPART_HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="bits"; filename="{FILENAME}"\r\n'
    "Content-Type: application/gzip\r\n\r\n"
).encode()
MULTIPART_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
CURL_FORM = f"bits=@{FILENAME}"  # curl's --form argument


@dataclass(frozen=True, slots=True)
class Upload:
    """The body of a request that uploads a file; each request reads the file again.

    Attributes:
        path: the file.
        size: its size in bytes when it was checked.
    """

    path: Path
    size: int

    def __len__(self) -> int:
        """Return the number of bytes of the body."""
        return len(MULTIPART_HEAD) + self.size + len(MULTIPART_TAIL)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in chunks.

        Raises:
            OSError: the file can no longer be read, or is shorter than when it was checked.
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
    """Return the upload of a file whose size and first bytes are those of a droplet.

    Raises:
        BadSetting: the file cannot be read, is too large, or is not a gzip file.
    """
    try:
        with path.open("rb") as file:
            magic, size = file.read(len(GZIP_MAGIC)), path.stat().st_size
    except OSError as error:
        raise BadSetting(
            f"{option}: {path} cannot be read: {error.strerror}. Give a droplet file that you may read."
        ) from None
    if magic != GZIP_MAGIC:
        raise BadSetting(f"{option} expects a gzip tarball, as `cf download-droplet` writes it; {path} is not one.")
    if size > MAX_BYTES:
        raise BadSetting(f"{option} expects a file of at most {MAX_BYTES:,} bytes; {path} has {size:,}.")
    return Upload(path, size)
