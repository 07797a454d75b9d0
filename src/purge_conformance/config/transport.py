"""How requests reach a target: TLS trust, client certificate, proxies."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined] # it is there

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests reach the target and its login server.

    Attributes:
        ca_bundle: file of the CA certificates to trust instead of the default ones, or None.
        client_cert: file of the client certificate, or None.
        client_key: file of its private key; None if `client_cert` contains it.
        insecure: whether the target's certificate is not verified.
        proxy: URL of the proxy for all requests, with its secrets; None: `proxies` decides.
        proxies: scheme -> proxy, and `no` -> hosts without one, from the environment.
    """

    ca_bundle: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False
    proxy: str | None = field(default=None, repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def verify(self) -> bool | str:
        """The argument `verify` of requests."""
        return not self.insecure and (self.ca_bundle or True)

    @property
    def cert(self) -> str | tuple[str, str] | None:
        """The argument `cert` of requests."""
        return (self.client_cert, self.client_key) if self.client_cert and self.client_key else self.client_cert

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of the proxies: name -> secret."""
        return {
            name: secret
            for proxy in {self.proxy or "", *self.proxies.values()}
            for name, secret in _proxy_secrets(proxy).items()
        }

    def describe(self, url: str) -> dict[str, str | bool]:
        """Return how a URL is reached, for the evidence: all but the defaults; proxy credentials as `$PROXY_USER`."""
        files = {name: getattr(self, name) for name in ("ca_bundle", "client_cert", "client_key")}
        options = {name: path for name, path in files.items() if path} | ({"insecure": True} if self.insecure else {})
        proxy = self.proxy_for(url)
        if proxy:
            scheme, _, rest = proxy.partition("://")
            _, at, address = rest.rpartition("@")
            return options | {"proxy": f"{scheme}://{'$PROXY_USER@' if at else ''}{address}"}
        return options | ({"no_proxy": True} if {urlsplit(url).scheme, "all"} & self.proxies.keys() else {})

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy for a URL; for this machine only `proxy` counts."""
        parts = urlsplit(url)
        if (
            self.proxy
            or is_loopback(parts.hostname or "")
            or proxy_bypass_environment(parts.netloc, dict(self.proxies))
        ):
            return self.proxy
        return self.proxies.get(parts.scheme) or self.proxies.get("all")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, judged by its name or address without a DNS query."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxies_from_environment() -> dict[str, str]:
    """Return the proxies of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
    return {
        name: url if name == "no" or "://" in url else f"http://{url}" for name, url in getproxies_environment().items()
    }


def _proxy_secrets(proxy: str) -> dict[str, str]:
    try:
        parts = urlsplit(proxy)
    except ValueError:
        return {}
    if not parts.password:
        return {}
    user, password = unquote(parts.username or ""), unquote(parts.password)
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"PROXY_PASSWORD": password, "PROXY_QUOTED": parts.password, "PROXY_AUTHORIZATION": encoded}
