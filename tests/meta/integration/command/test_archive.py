"""A run whose archive fails purges nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from meta.support.archive import ROWS, archive_metadata, paged_list
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}


@pytest.mark.parametrize("failure", ["full", "dies"])
def test_failed_archive_blocks_purges(
    failure: str, command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """A run that cannot write its archive, or loses its target meanwhile, purges nothing and says why."""
    answer = paged_list(stub_server, ROWS, max_rows=30)
    out = tmp_path / "out"

    def die(handler: BaseHTTPRequestHandler) -> None:
        if failure == "dies" and handler.path.startswith(f"{EVENTS_PATH}?per_page=20&page=2"):
            stub_server.answer = lambda handler: setattr(handler, "close_connection", True)
        stub_server.answer(handler) if stub_server.answer is not die else answer(handler)

    stub_server.answer = die
    out.mkdir()
    if failure == "full":
        (out / f"{archive.FILE_NAME}.part").symlink_to("/dev/full")
    result = command(
        "run", stub_server.url, ADMIN, "--select=PURGE-*", "--out", out, folder=out, env=os.environ | SECRET
    )
    assert (result.code, result.report["verdict"], stub_server.purges) == (3, "inconclusive", 0)
    assert not [line for line, _ in stub_server.received if PURGE_PATH in line and line.startswith("POST")]
    words = {"full": "No space left", "dies": "did not respond"}[failure]
    assert words in "\n".join(result.report["notes"])
    assert failure == "full" or not archive_metadata(out / archive.FILE_NAME)["complete"]
