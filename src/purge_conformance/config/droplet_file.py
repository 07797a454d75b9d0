"""A droplet's file, sent as the field of a form, piece by piece, and recorded nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 1024**3  # of a file
PIECE = 64 * 1024
GZIP = b"\x1f\x8b"  # how a gzip compressed file begins
BOUNDARY = "purge-conformance-7f1d0c1e5b9a4c36"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
NAME = "droplet.tgz"  # Cloud Controller goes by its end; nobody need know what the file is called here
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="bits"; filename="{NAME}"\r\n'
    "Content-Type: application/gzip\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
CURL = f"bits=@{NAME}"  # the form, as curl is told of it


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
        return len(HEAD) + self.size + len(TAIL)

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is sent.

        Raises:
            OSError: the file can no longer be read, or is no longer as long as it was.
        """
        yield HEAD
        left = self.size
        with self.path.open("rb") as file:
            while left:
                piece = file.read(min(PIECE, left))
                if not piece:
                    raise OSError(f"{self.path} has become shorter since it was checked")
                left -= len(piece)
                yield piece
        yield TAIL


def checked(option: str, path: Path) -> Upload:
    """Return the upload of a file that may be a droplet's, by its size and its beginning.

    Raises:
        BadSetting: it cannot be read, is too large, or is no gzip compressed file; nothing was sent by then.
    """
    try:
        with path.open("rb") as file:
            begin, size = file.read(len(GZIP)), path.stat().st_size
    except OSError as error:
        raise BadSetting(f"{option} {path} cannot be read: {error.strerror}. Name the file of a droplet.") from None
    if begin != GZIP:
        raise BadSetting(f"{option} wants a gzip compressed tarball, as `cf download-droplet` gives; {path} is none.")
    if size > MOST_BYTES:
        raise BadSetting(f"{option} wants a file of at most {MOST_BYTES:,} bytes; {path} has {size:,}.")
    return Upload(path, size)
