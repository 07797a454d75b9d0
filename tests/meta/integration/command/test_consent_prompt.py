"""The prompt for consent on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from meta.support.running_command import ADMIN, PROGRAM, SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer


@pytest.mark.parametrize(("typed", "is_prompted"), [("127.1", True), ("127.0.0.1", False), ("", False)])
def test_terminal_prompts_for_host(typed: str, is_prompted: bool, stub_server: StubServer, tmp_path: Path) -> None:  # noqa: FBT001
    """On a terminal a run prompts for the name of a host without consent, and sends nothing unless it is typed."""
    url = stub_server.url.replace("127.0.0.1", "127.1")
    person, terminal = pty.openpty()
    os.write(person, f"{typed}\n".encode())
    with subprocess.Popen(
        [PROGRAM, "run", url, ADMIN, "--out", str(tmp_path / "out")],
        env=os.environ | SECRET,
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        assert process.wait(60) == (3 if is_prompted else 2)
    output = os.read(person, 4096).decode()
    os.close(terminal)
    os.close(person)
    assert ("billing data" in output, bool(stub_server.received)) == (True, is_prompted)
