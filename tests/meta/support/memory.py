"""The memory that a command and its children hold."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTERVAL_S = 0.05  # from one look at a process to the next


def run_measured(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, int]:
    """Run a command and return its exit code, and the most MB that it and its children held at a time."""
    null, peak = subprocess.DEVNULL, 0
    with subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=environment) as process:
        while True:
            peak = max(peak, _resident_kb(process.pid))
            with suppress(subprocess.TimeoutExpired):
                return process.wait(INTERVAL_S), peak // 1024


def _resident_kb(pid: int) -> int:
    folder, held = Path("/proc", str(pid)), 0
    with suppress(OSError, ValueError):
        held += sum(_resident_kb(int(child)) for child in (folder / "task" / str(pid) / "children").read_text().split())
        lines = (folder / "status").read_text().splitlines()
        held += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return held
