"""The checks of the doctor, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.support.api_stub import ADMIN
from purge_conformance.config.settings import Settings, Target
from purge_conformance.target.doctor.duration import Work
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from purge_conformance.target.doctor import Check


def checks_by_name(
    url: str,
    tokens: dict[str, str] | None = None,
    requests: int = 0,
    **more: Any,  # noqa: ANN401 -- settings
) -> dict[str, Check]:
    """Return the checks of the doctor by name, for a run that sends so many requests."""
    settings = Settings(Target(url), tokens or {"admin": ADMIN}, **more)
    return {check.name: check for check in run_checks(settings, Work(requests))}
