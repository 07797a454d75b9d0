"""Identifies a foundation by the links of its root document, which is readable without a token."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import ConsentMissing
from purge_conformance.evidence.listing import dig
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

ROOT_PATH = "/"


def fingerprint_of(root: Exchange) -> str | None:
    """Return the SHA-256 of the links in a root document, by name and address; None if it has no links.

    Other members, such as versions, are ignored: they change with an upgrade of the same foundation.
    """
    links = dig(root.json, "links") if isinstance(root.json, dict) else None
    if not isinstance(links, dict) or not links:
        return None
    addresses = {name: dig(link, "href") if isinstance(link, dict) else link for name, link in links.items()}
    return hashlib.sha256(json.dumps(addresses, sort_keys=True).encode()).hexdigest()


def require_fingerprint(settings: Settings) -> None:
    """Require the fingerprint that the user pinned, if any; the request has no token.

    Raises:
        ConsentMissing: the target has another fingerprint, or none.
        TargetUnreachable: the target does not respond.
    """
    if not settings.fingerprint:
        return
    with unrecorded_client(settings) as client:
        root = client.get(ROOT_PATH, Step.ROOT, credential=ANONYMOUS)
    fingerprint = fingerprint_of(root)
    if fingerprint != settings.fingerprint:
        got = f"the fingerprint {fingerprint}" if fingerprint else f"{root.status or root.error} without links"
        hint = f" If it is right, set `fingerprint` in the configuration to {fingerprint}." if fingerprint else ""
        raise ConsentMissing(
            f"{settings.target.url} is not the foundation that the configuration pins: GET / got {got}, "
            f"expected the fingerprint {settings.fingerprint}. Nothing was destroyed. Check the URL.{hint}"
        )
