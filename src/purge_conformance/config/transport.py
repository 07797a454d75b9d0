"""How requests reach a target: TLS trust, client certificate, proxies."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined] # it is there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCALHOST = {"localhost", "localhost."}
# A URL in which every parser finds the same host: no backslash, white space or escape can move its end.
PLAIN_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^\\/?#@\[\]\s]*@)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]*)?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE,
)


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
    def secrets(self) -> list[tuple[str, str]]:
        """The secrets of the proxies: name, secret."""
        return [pair for proxy in {self.proxy or "", *self.proxies.values()} for pair in _proxy_secrets(proxy)]

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
        if self.proxy or is_loopback(host_of(url)) or proxy_bypass_environment(parts.netloc, dict(self.proxies)):
            return self.proxy
        return self.proxies.get(parts.scheme) or self.proxies.get("all")

    def is_loopback(self, url: str) -> bool:
        """Return whether a request to a URL stays on this machine: its host is loopback, and so is its proxy, if any.

        This is the one rule for consent and for every exemption of a target on this machine.
        """
        return all(is_loopback(host_of(each)) for each in (url, self.proxy_for(url) or url))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, judged by its name or address without a DNS query.

    Only `localhost` and addresses in their usual form count: what else may mean loopback depends on the reader.
    """
    if host.lower() in LOCALHOST:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host and (getattr(address, "ipv4_mapped", None) or address).is_loopback


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case and without brackets; empty if two parsers might find two hosts."""
    match = PLAIN_URL.fullmatch(url)
    return match["host"].lower().strip("[]") if match else ""


def proxies_from_environment() -> dict[str, str]:
    """Return the proxies of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
    return {
        name: url if name == "no" or "://" in url else f"http://{url}" for name, url in getproxies_environment().items()
    }


def _proxy_secrets(proxy: str) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(proxy)
    except ValueError:
        return
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.password:
        yield from (("PROXY_PASSWORD", password), ("PROXY_QUOTED", parts.password))
    elif user:
        yield "PROXY_USER", user  # it may be a token
    if user or password:
        yield "PROXY_AUTHORIZATION", base64.b64encode(f"{user}:{password}".encode()).decode()
