"""The doctor, asked through a transport."""

from __future__ import annotations
import socket
import ssl
import pytest
import trustme
from typing import Any, TYPE_CHECKING
from meta.support.api_stub import ADMIN
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.target.doctor.probe import run_checks
from dataclasses import dataclass, field
from threading import Thread
from purge_conformance.config.transport import Transport

if TYPE_CHECKING:
    from purge_conformance.target.doctor import Check
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from meta.support.stub import StubServer

    Serving = Callable[..., AbstractContextManager[StubServer]]


SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ADMIN = "--token=admin=env:ADMIN_SECRET"


def checks_by_name(url: str, tokens: dict[str, str] | None = None, **more: Any) -> dict[str, Check]:  # noqa: ANN401 -- settings
    """Return the checks of the doctor by name."""
    return {check.name: check for check in run_checks(Settings(Target(url), tokens or {"admin": ADMIN}, **more))}


def run_doctor(url: str, **way: Any) -> dict[str, Check]:  # noqa: ANN401 -- the parts of a transport
    """Return the checks of the doctor with that transport, by name."""
    settings = Settings(
        Target(url), {"admin": "an-opaque-secret"}, transport=Transport(**way), limits=Limits(timeout=9)
    )
    return {check.name: check for check in run_checks(settings)}


def statuses(checks: dict[str, Check]) -> set[str]:
    """Return the statuses of all checks."""
    return {str(check.status) for check in checks.values()}


def problem(checks: dict[str, Check]) -> tuple[str, str]:
    """Return the next step and the cause of the check that the target is reachable."""
    check = checks["reachable"]
    assert (str(check.status), check.is_fatal) == ("problem", True)
    return check.next_step, check.cause
