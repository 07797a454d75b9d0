"""A line that a POSIX shell runs."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def run_in_shell(
    line: str, cwd: Path | None = None, program: str = "sh", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell, with these variables beside those of the test."""
    return subprocess.run(
        [program, "-c", line],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
