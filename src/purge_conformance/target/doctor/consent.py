"""Says whose consent a run needs, and whether it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.steps import Step
from purge_conformance.target.consent import needed_consent
from purge_conformance.target.doctor.check import Check, ok, refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def checks(exchanges: Sequence[Exchange], settings: Settings, allowed_hosts: Collection[str] = ()) -> Iterable[Check]:
    """Yield what the user has to consent to before a run, if it purges; another host's consent is a problem."""
    root = next((x for x in reversed(exchanges) if x.step is Step.ROOT and x.status is not None), None)
    if settings.is_read_only or root is None:
        return
    consent = needed_consent(settings, root)
    if consent is None:
        yield ok("consent", "a run needs none: the target is this machine")
    elif consent.names & (allowed := {host.lower() for host in allowed_hosts}):
        yield ok("consent", f"--allow-purge {consent.host} was given")
    elif allowed:
        got = f"{consent.reason} --allow-purge names {', '.join(sorted(allowed))}".lstrip()
        next_step = f"Give --allow-purge {consent.host}, if a run may destroy the app usage events there."
        yield refusal("consent", got, consent.host, next_step)
    else:
        yield ok("consent", f"{consent.reason} A run needs --allow-purge {consent.host}".lstrip())
