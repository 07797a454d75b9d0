"""Consent to destroy the billing data of a host other than this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.config.settings import Target
from purge_conformance.config.transport import host_of, is_loopback
from purge_conformance.errors import ConsentMissing, TargetUnreachable
from purge_conformance.target.root_document import API_LINKS, remote_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user has to consent to before a run.

    Attributes:
        host: the host to name with --allow-purge.
        names: the names that are accepted, in lower case.
        reason: why a target that looks like this machine is another one, as a sentence; empty for any other target.
    """

    host: str
    names: frozenset[str]
    reason: str = ""

    @property
    def consequence(self) -> str:
        """What a run destroys, as a sentence without its full stop."""
        destroys = f"A run destroys all app usage events (billing data) of {self.host}"
        return f"{self.reason} {destroys}" if self.reason else destroys


def require_consent(
    settings: Settings,
    read_root: Callable[[], Exchange],
    allowed_hosts: Iterable[str],
    ask: Callable[[str], str] | None = None,
) -> None:
    """Require that the target is this machine, or that the user has named its host a second time.

    Args:
        settings: the target, and how it is reached.
        read_root: reads the target's root document; called only for a target on loopback.
        allowed_hosts: values of --allow-purge: `HOST`, which allows each port, or `HOST:PORT`.
        ask: asks the user a question and returns the typed text; None: the run is not interactive.

    Raises:
        ConsentMissing: the user has not named the host.
    """
    is_root_needed = settings.is_loopback and not (settings.is_read_only or settings.owns_target)
    consent = needed_consent(settings, _try(read_root) if is_root_needed else None)
    allowed = {host.lower() for host in allowed_hosts}
    if consent is None or allowed & consent.names:
        return
    if allowed or not ask:
        got = f"; --allow-purge names another host: {', '.join(sorted(allowed))}" if allowed else ""
        raise ConsentMissing(f"{consent.consequence}{got}. To allow it, give --allow-purge {consent.host}")
    if ask(f"{consent.consequence}. To allow it, type the host name").strip().lower() not in consent.names:
        raise ConsentMissing(f"Expected the host name {consent.host}, got something else. No purge was sent.")


def needed_consent(settings: Settings, root: Exchange | None) -> Consent | None:
    """Return what the user has to consent to; None: the run only reads, or the target is its own or this machine.

    The host that is connected to decides: a loopback URL behind the proxy of another machine is another machine. A
    target on loopback may be the end of a tunnel: links of its root document to another machine say so.

    Args:
        settings: the target, and how it is reached.
        root: the answer to a request for the target's root document; None: there is none.
    """
    target, proxy = settings.target, settings.transport.proxy_for(settings.target.url)
    if settings.is_read_only or settings.owns_target:
        return None
    if settings.is_loopback:
        return _consent_for_links(target, root) if root else None
    if proxy and is_loopback(host_of(target.url)):
        hop = Target(proxy)
        return Consent(hop.host, hop.names, f"{target.url} through the proxy {hop.address} is another machine.")
    return Consent(target.host, target.names)


def _consent_for_links(target: Target, root: Exchange) -> Consent | None:
    """Return the consent to purge the foundation that the root document links to; None: it links to this machine."""
    links = remote_links(root)
    if not links:
        return None
    named = [link.host for link in links if link.host]
    if not named:
        return Consent(
            target.host, target.names, f"The root document of {target.url} has a link from which no host can be read."
        )
    of_api = [link.host for link in links if link.host and link.name in API_LINKS]
    names = frozenset[str]().union(*(host.names for host in of_api or named))
    reason = f"{target.url} stands for another machine: its root document links to {named[0].host}."
    return Consent(named[0].host, names, reason)


def _try(read_root: Callable[[], Exchange]) -> Exchange | None:
    try:
        return read_root()
    except TargetUnreachable:
        return None  # the run will get no answer either
