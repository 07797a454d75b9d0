"""`init` on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from purge_conformance.config.loader import merge

URL = "http://localhost:8080"


pytestmark = pytest.mark.usefixtures("empty_folder")


def test_terminal_prompts_for_values() -> None:
    """On a terminal `init` prompts for the target and each token source; an empty line skips a role.

    After an answer that is not usable it asks again, and keeps the answers before.
    """
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).with_name("purge-conformance")), "init"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        for question, answer in (
            ("Target", "ftp://localhost"),
            ("Give http(s)", URL),
            ("admin", "env:A"),
            ("global", ""),
            ("space", "a.bare.token"),
            ("not usable", "file:dev"),
            ("expired", "command:cat token"),
            ("The role expired needs", "uaa:password"),
            ("The role expired needs", ""),
        ):
            output = ""
            while f"{question}" not in output or not output.endswith(": "):
                output += os.read(ours, 1000).decode()
            os.write(ours, f"{answer}\n".encode())
        assert process.wait(30) == 0
    os.close(ours)
    assert merge({}, environ={}) == {"target": URL, "tokens": {"admin": "env:A", "space_developer": "file:dev"}}
