"""A few of the kills of `benchmarks/kill.py`, which tries a hundred."""

from __future__ import annotations

import re
import subprocess
import sys

from meta.support.paths import ROOT


def test_archive_is_whole_whenever_a_purge_was_sent() -> None:
    """Whatever is killed, and whenever: no file is cut off, `judge` calls the run killed, `cleanup` leaves nothing."""
    command = [sys.executable, str(ROOT / "benchmarks" / "kill.py"), "6", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"6 attempts; killed: .*; (\d+) after a purge; 0 not as they must be", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 1
