"""The file of a droplet is checked before any request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.droplet_file import GZIP_MAGIC, MAX_BYTES, check_droplet_file
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


def write_sparse_file(path: Path) -> None:
    """Write a sparse file that is larger than the limit."""
    with path.open("wb") as file:
        file.write(GZIP_MAGIC)
        file.truncate(MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "cannot be read: No such file or directory. Give a droplet file"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b""), "expects a gzip tarball"),
        (lambda path: path.write_bytes(b"PK\3\4"), "expects a gzip tarball"),
        (write_sparse_file, "at most 1,073,741,824 bytes; .* has 1,073,741,825"),
    ],
)
def test_invalid_file_is_rejected(make: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    """A file that is not readable, too large, or not gzip is rejected before any request."""
    path = tmp_path / "no-droplet"
    make(path)
    with pytest.raises(BadSetting, match=f"--app-droplet-file.*{words}"):
        check_droplet_file("--app-droplet-file", path)
