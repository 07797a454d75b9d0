"""Consent to destroy the billing data of a host other than this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.errors import ConsentMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.config.settings import Target


def require_consent(target: Target, allowed_hosts: Iterable[str], ask: Callable[[str], str] | None = None) -> None:
    """Require that the target is on loopback, or that the user has named its host a second time.

    Args:
        target: the server to purge.
        allowed_hosts: values of --allow-purge: `HOST`, which allows each port, or `HOST:PORT`.
        ask: asks the user a question and returns the typed text; None: the run is not interactive.

    Raises:
        ConsentMissing: the user has not named the host.
    """
    allowed = {host.lower() for host in allowed_hosts}
    if target.is_loopback or allowed & target.names:
        return
    consequence = f"A run destroys all app usage events (billing data) of {target.host}"
    if allowed or not ask:
        got = f"; --allow-purge names another host: {', '.join(sorted(allowed))}" if allowed else ""
        raise ConsentMissing(f"{consequence}{got}. To allow it, give --allow-purge {target.host}")
    if ask(f"{consequence}. To allow it, type the host name").strip().lower() not in target.names:
        raise ConsentMissing(f"Expected the host name {target.host}, got something else. Nothing was sent.")
