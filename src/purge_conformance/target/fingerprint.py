"""What tells one foundation from another: the links of its root document, which need no token to be read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from purge_conformance.client.credentials import ANONYMOUS
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import ConsentMissing
from purge_conformance.evidence.listing import dig

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

ROOT_PATH = "/"


def fingerprint_of(root: Exchange) -> str | None:
    """Return the SHA-256 of the names and addresses of the links in a root document; None where it has none.

    What else stands beside them, such as versions, changes with an upgrade, and the foundation stays the same.
    """
    links = dig(root.json, "links") if isinstance(root.json, dict) else None
    if not isinstance(links, dict) or not links:
        return None
    addresses = {name: dig(link, "href") if isinstance(link, dict) else link for name, link in links.items()}
    return hashlib.sha256(json.dumps(addresses, sort_keys=True).encode()).hexdigest()


def require_fingerprint(settings: Settings) -> None:
    """Return if the target is the one whose fingerprint was pinned, or none was; the token is not sent.

    Raises:
        ConsentMissing: it is another, or shows no links.
        TargetLost: it gives no answer.
    """
    if not settings.fingerprint:
        return
    with unrecorded_client(settings) as client:
        root = client.get(ROOT_PATH, "root", credential=ANONYMOUS)
    fingerprint = fingerprint_of(root)
    if fingerprint != settings.fingerprint:
        got = fingerprint or f"no links in the answer to GET / ({root.status or root.error})"
        raise ConsentMissing(
            f"{settings.target.url} is not the foundation that was pinned: got {got}, expected {settings.fingerprint}. "
            "Nothing was destroyed. If it is the one you mean, pin what was got: `fingerprint` in the configuration."
        )
