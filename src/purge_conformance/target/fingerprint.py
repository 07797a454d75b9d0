"""What tells one foundation from another: the links of its root document, which need no token to be read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from purge_conformance.client.client import Client
from purge_conformance.client.credentials import NOBODY
from purge_conformance.client.guard import Guard
from purge_conformance.errors import ConsentMissing
from purge_conformance.evidence.journal import Unwritten
from purge_conformance.evidence.listing import member

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

ROOT = "/"


def of_root(root: Exchange) -> str | None:
    """Return the SHA-256 of the names and addresses of the links in a root document; None where it has none.

    What else stands beside them, such as versions, changes with an upgrade, and the foundation stays the same.
    """
    links = member(root.json, "links") if isinstance(root.json, dict) else None
    if not isinstance(links, dict) or not links:
        return None
    places = {name: member(link, "href") if isinstance(link, dict) else link for name, link in links.items()}
    return hashlib.sha256(json.dumps(places, sort_keys=True).encode()).hexdigest()


def require_pinned(settings: Settings) -> None:
    """Return if the target is the one whose fingerprint was pinned, or none was; the token is not sent.

    Raises:
        ConsentMissing: it is another, or shows no links.
        TargetLost: it gives no answer.
    """
    if not settings.fingerprint:
        return
    with Unwritten() as journal:
        client = Client(settings, journal, Guard(settings.limits, reads_only=True), lambda *_: None)
        root = client.get(ROOT, "root", by=NOBODY)
    found = of_root(root)
    if found != settings.fingerprint:
        got = found or f"no links in the answer to GET / ({root.status or root.error})"
        raise ConsentMissing(
            f"{settings.target.url} is not the foundation that was pinned: got {got}, expected {settings.fingerprint}. "
            "Nothing was destroyed. If it is the one you mean, pin what was got: `fingerprint` in the configuration."
        )
