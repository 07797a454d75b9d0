"""The root document of a target, and the links in it to other machines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import Target
from purge_conformance.config.transport import host_of, is_loopback
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

ROOT_PATH = "/"
MAX_BYTES = 1024 * 1024  # of a document that is read before the user has consented
MAX_HOST_CHARS = 253  # of a name in DNS
API_LINKS = ("cloud_controller_v3", "self")  # these name the API itself
# A path, a query or a fragment: it names no host. No parser takes a backslash, white space or a dotted name for one.
RELATIVE = re.compile(r"(?!.*[\\\s\x00-\x1f\x7f])(?:[?#].*|/(?!/).*|\.{1,2}/.*|[^./:?#]+(?:[/?#].*)?)?", re.DOTALL)
WITHOUT_SCHEME = re.compile(r"[a-z0-9._-]+(?::[0-9]+)?(?:[/?#].*)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A link to another machine.

    Attributes:
        name: a key of `links`.
        host: what the link names; None: no host can be read from it.
    """

    name: str
    host: Target | None


def read_root(settings: Settings) -> Exchange:
    """Read the root document without a token.

    Raises:
        TargetUnreachable: the target does not respond.
    """
    limits = replace(settings.limits, max_body_bytes=MAX_BYTES)
    with unrecorded_client(replace(settings, limits=limits)) as client:
        return client.get(ROOT_PATH, Step.ROOT, credential=ANONYMOUS)


def remote_links(root: Exchange) -> list[RemoteLink]:
    """Return the links to hosts that are not loopback, those of the API itself first.

    A link from which no host can be read is one of them, unless it is relative.
    """
    links = root.json.get("links") if isinstance(root.json, dict) else None
    by_name = links if isinstance(links, dict) else {"links": links}
    addresses = [(name, address) for name, link in by_name.items() for address in _addresses(link)]
    found = [RemoteLink(name, _parse(address)) for name, address in addresses if not _is_relative(address)]
    remote = [link for link in found if link.host is None or not is_loopback(link.host.host)]
    return sorted(remote, key=lambda link: API_LINKS.index(link.name) if link.name in API_LINKS else len(API_LINKS))


def _addresses(link: object) -> Iterator[object]:
    """Yield each `href` in a link, however deep, and the link itself if it is neither an object nor a list."""
    pending: list[Any] = [link]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from (x for name, x in value.items() if name == "href" and x is not None)
            pending += [x for name, x in value.items() if name != "href" and isinstance(x, dict | list)]
        elif isinstance(value, list):
            pending += [x for x in value if isinstance(x, dict | list)]
        elif value is not None:
            yield value


def _is_relative(address: object) -> bool:
    return isinstance(address, str) and bool(RELATIVE.fullmatch(address))


def _parse(address: object) -> Target | None:
    """Return what a link names; `HOST:PORT` names a host as well: Cloud Foundry gives the address of SSH that way."""
    if not isinstance(address, str):
        return None
    url = f"//{address}" if WITHOUT_SCHEME.fullmatch(address) else address
    host = Target(url)
    try:
        is_named = bool(host.names) and 0 < len(host.host) <= MAX_HOST_CHARS
    except ValueError:  # of a port, or of an address in brackets
        return None
    return host if is_named and host.host == host_of(url) else None
