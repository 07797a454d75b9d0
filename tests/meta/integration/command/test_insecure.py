"""A run that verifies no certificate says so."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer


def test_insecure_is_in_every_report(
    tls_stub: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A run with --insecure says so on the terminal, and in each of its reports."""
    asked = ("run", tls_stub.url, ADMIN, "--insecure", "--select=ROUTE-01", "--max-requests=50", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=os.environ | SECRET)
    texts = {name: (tmp_path / name).read_text("utf-8") for name in ("report.json", "report.html", "summary.md")}
    for name, text in {"terminal": done.stdout, **texts}.items():
        assert re.search("certificates are not verified", text), name
