"""The doctor, asked through a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.config.transport import Transport
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from meta.support.stub import StubServer
    from purge_conformance.target.doctor import Check

    Serving = Callable[..., AbstractContextManager[StubServer]]


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
    assert (str(check.status), str(check.effect)) == ("problem", "no judgment")
    return check.next_step, check.cause
