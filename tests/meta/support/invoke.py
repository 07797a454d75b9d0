"""The command in this process."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner, Result

from purge_conformance.cli.group import main

SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ADMIN = "--token=admin=env:ADMIN_SECRET"


def invoke(*arguments: str, **more: Any) -> Result:  # noqa: ANN401 -- of click's runner
    """Invoke the command in this process."""
    return CliRunner().invoke(main, arguments, env=SECRET, **more)
