"""Identifies a foundation by the links of its root document, which is readable without a token."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from purge_conformance.errors import ConsentMissing
from purge_conformance.evidence.listing import dig

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def fingerprint_of(root: Exchange) -> str | None:
    """Return the SHA-256 of the links in a root document, by name and address; None if it has no links.

    Other members, such as versions, are ignored: they change with an upgrade of the same foundation.
    """
    links = dig(root.json, "links") if isinstance(root.json, dict) else None
    if not isinstance(links, dict) or not links:
        return None
    addresses = {name: dig(link, "href") if isinstance(link, dict) else link for name, link in links.items()}
    return hashlib.sha256(json.dumps(addresses, sort_keys=True).encode()).hexdigest()


def require_fingerprint(settings: Settings, read_root: Callable[[], Exchange]) -> None:
    """Require the fingerprint that the user pinned, if any.

    Args:
        settings: the pinned fingerprint.
        read_root: reads the target's root document; called only if a fingerprint is pinned.

    Raises:
        ConsentMissing: the target has another fingerprint, or none.
        TargetUnreachable: the target does not respond.
    """
    if not settings.fingerprint:
        return
    root = read_root()
    fingerprint = fingerprint_of(root)
    if fingerprint != settings.fingerprint:
        got = f"the fingerprint {fingerprint}" if fingerprint else f"{root.status or root.error} without links"
        hint = f" If it is right, set `fingerprint` in the configuration to {fingerprint}." if fingerprint else ""
        raise ConsentMissing(
            f"{settings.target.url} is not the foundation that the configuration pins: GET / got {got}, "
            f"expected the fingerprint {settings.fingerprint}. Nothing was destroyed. Check the URL.{hint}"
        )
