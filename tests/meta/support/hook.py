"""Hooks by address."""

from __future__ import annotations

import shlex
import sys

from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.scenarios.induced_errors import STATES
from purge_conformance.target.hook import Hook

STATE = STATES[503]
SECRET = "a-secret-of-the-admin"  # noqa: S105 -- it opens nothing


def hook(address: str, timeout: float = 20) -> Hook:
    """Return the hook at an address."""
    return Hook(
        Settings(Target("http://target.test"), {"admin": SECRET}, hook=parse_hook(address), limits=Limits(timeout))
    )


def python_command(code: str) -> str:
    """Return the address of a hook that is a Python program."""
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
