"""An address that is not loopback and that this machine nevertheless answers: it stands for another machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def remote_address() -> Iterator[str]:
    """An address of documentation (RFC 5737) on the loopback interface, for as long as the tests of a file run."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("Only root can add an address to the loopback interface, with the program `ip`.")
    address = f"198.51.100.{os.getpid() % 250 + 2}"  # of this process alone, however many run at once
    change = ["ip", "addr", "add", f"{address}/32", "dev", "lo"]
    if subprocess.run(change, capture_output=True, check=False).returncode:
        pytest.skip(f"{address} could not be added to the loopback interface.")
    yield address
    subprocess.run([*change[:2], "del", *change[3:]], capture_output=True, check=False)
