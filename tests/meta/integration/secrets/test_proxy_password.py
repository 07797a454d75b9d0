"""A run neither prints nor writes the password of its proxy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from meta.support.invoke import ADMIN, SECRET
from meta.support.proxy import ENCODED, PASSWORD, QUOTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer


def test_proxy_password_is_redacted(
    stub_server: StubServer, proxy: Proxy, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """No file and no output of a run contains the password of the proxy, even if the target repeats it."""

    def echo(handler: Any) -> None:  # noqa: ANN401 -- a handler
        is_deleted = (handler.command, handler.path) == ("GET", "/v3/apps/g")
        page = '"pagination": {"total_results": 0}, "resources": []'
        body = f'{{"guid": "g", "state": "STARTED", {page}, "x": "{PASSWORD} {QUOTED} {ENCODED}"}}'
        stub_server.respond(handler, 404 if is_deleted else 200, body.encode())

    stub_server.answer, proxy.password = echo, ENCODED
    environ = os.environ | SECRET | {"PURGE_CONFORMANCE_PROXY": f"http://user:{QUOTED}@127.0.0.1:{proxy.port}"}
    asked = ("run", stub_server.url, ADMIN, "--verbose", "--select=ROUTE-01", "--max-requests=60", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=environ)
    assert proxy.received != []
    files = (path for path in tmp_path.rglob("*") if path.is_file())
    texts = [path.read_text("utf-8", "replace") for path in files] + [done.stdout, done.stderr]
    assert [secret for text in texts for secret in (PASSWORD, QUOTED, ENCODED) if secret in text] == []
