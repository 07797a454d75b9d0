"""A list of events that causes a warning before the first purge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance.config.settings import Limits, Settings, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meta.support.stub import StubServer

ADMIN = "--token=admin=env:ADMIN_SECRET"


def list_body(rows: Sequence[Mapping[str, Any]], total: int | None = None) -> bytes:
    """Return a page without a next page."""
    return json.dumps({"pagination": {"total_results": total or len(rows)}, "resources": rows}).encode()


def settings(stub_server: StubServer, **limits: int) -> Settings:
    """Return settings of a run against the stub, under a host name that does not count as local."""
    return Settings(
        Target(stub_server.url.replace("127.0.0.1", "127.1")), {"admin": "an-opaque-secret"}, limits=Limits(**limits)
    )
