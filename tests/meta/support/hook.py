"""Hooks by address, and the doctor's check of a hook."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.scenarios.induced_errors import STATES
from purge_conformance.target.doctor.probe import run_checks
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from purge_conformance.client.time_limit import TimeLimit
    from purge_conformance.target.doctor import Check

STATE = STATES[503]
SECRET = "a-secret-of-the-admin"  # noqa: S105 -- it opens nothing


def hook(address: str, timeout: float = 20, time_limit: TimeLimit | None = None) -> Hook:
    """Return the hook at an address."""
    limits = Limits(timeout)
    settings = Settings(Target("http://target.test"), {"admin": SECRET}, hook=parse_hook(address), limits=limits)
    return Hook(settings, time_limit)


def python_command(code: str) -> str:
    """Return the address of a hook that is a Python program."""
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def check_hook(url: str, hook: str, timeout: float = 20, token: str = SECRET) -> Check:
    """Return what the doctor finds about a hook."""
    settings = Settings(Target(url), {"admin": token}, hook=parse_hook(hook), limits=Limits(timeout=timeout))
    (check,) = (check for check in run_checks(settings) if check.name == "hook")
    return check
