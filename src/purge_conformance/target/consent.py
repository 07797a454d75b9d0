"""Consent to destroy the billing data of a host that is not this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.errors import ConsentMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.config.settings import Target


def require_consent(target: Target, allowed_hosts: Iterable[str], ask: Callable[[str], str] | None = None) -> None:
    """Return if the target may be purged: it is this machine, or its host was named once more.

    Args:
        target: that would be purged.
        allowed_hosts: `HOST`, for each of its ports, or `HOST:PORT`.
        ask: puts a question to a person, if there is one, and returns what was typed; None: nobody is there.

    Raises:
        ConsentMissing: neither is so.
    """
    allowed = {host.lower() for host in allowed_hosts}
    if target.is_loopback or allowed & target.names:
        return
    consequence = f"A run destroys all app usage events (billing data) of {target.host}"
    if allowed or not ask:
        hint = f", and {', '.join(sorted(allowed))} is another host" if allowed else ", and nobody has allowed that"
        raise ConsentMissing(f"{consequence}{hint}. If you may: --allow-purge {target.host}")
    if ask(f"{consequence}. If you may, type that host name").strip().lower() not in target.names:
        raise ConsentMissing(f"{target.host} was to be typed, and something else was. Nothing was sent.")
