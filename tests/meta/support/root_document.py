"""The root document of an API."""

from __future__ import annotations

import json


def root_document(**more: object) -> bytes:
    """Return a root document."""
    return json.dumps({"links": {"self": {"href": "http://api"}, "uaa": None, **more}}).encode()
