"""Says whose consent a run needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.steps import Step
from purge_conformance.target.consent import needed_consent
from purge_conformance.target.doctor.check import Check, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def checks(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield what the user has to consent to before a run, if it purges."""
    root = next((x for x in reversed(exchanges) if x.step is Step.ROOT and x.status is not None), None)
    if settings.is_read_only or root is None:
        return
    consent = needed_consent(settings, root)
    if consent is None:
        yield ok("consent", "a run needs none: the target is this machine")
    else:
        yield ok("consent", f"{consent.reason} A run needs --allow-purge {consent.host}".lstrip())
