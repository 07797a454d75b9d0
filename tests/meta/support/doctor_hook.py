"""The doctor's check of a hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from purge_conformance.target.doctor import Check

SECRET = "a-secret-of-the-admin"  # noqa: S105 -- it opens nothing


def check_hook(url: str, hook: str, timeout: float = 20, token: str = SECRET) -> Check:
    """Return what the doctor finds about a hook."""
    asked = Settings(Target(url), {"admin": token}, hook=parse_hook(hook), limits=Limits(timeout=timeout))
    (check,) = (check for check in run_checks(asked) if check.name == "hook")
    return check
