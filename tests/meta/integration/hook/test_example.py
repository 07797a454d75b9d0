"""The example hook of spec/hook.md."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from meta.support.hook import hook
from meta.support.paths import EXAMPLES, SPEC
from purge_conformance.errors import StateUnsupported
from purge_conformance.scenarios.induced_errors import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


EXAMPLE = EXAMPLES / "hook_example.py"


def test_hook_document_contains_example() -> None:
    """spec/hook.md contains the example as the tests run it."""
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in (SPEC / "hook.md").read_text(encoding="utf-8")


@contextmanager
def serve_example(folder: Path) -> Iterator[str]:
    """Serve the example in a folder; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, EXAMPLE, str(port)], cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    continue
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.parametrize("way", ["endpoint", "command"])
def test_example_induces_error(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, over HTTP and as a command: one request gets the error, and an ended state induces none."""
    monkeypatch.chdir(tmp_path)
    with serve_example(tmp_path) as url:
        example_hook = hook(f"{url}/hook" if way == "endpoint" else f"command:{shlex.quote(sys.executable)} {EXAMPLE}")
        path = f"{url}/v3/app_usage_events"
        for status, state in STATES.items():
            example_hook.set_up(state, operation="list")
            assert [requests.get(path, timeout=10).status_code for _ in range(2)] == [status, 200]
            example_hook.set_up(state, operation="purge")
            example_hook.tear_down(state, operation="purge")
            assert requests.post(path, timeout=10).status_code == 200
        with pytest.raises(StateUnsupported):
            example_hook.set_up("the moon is full", operation="list")
