"""The API's own names: paths, operation ids, and which requests a server may treat as a purge."""

from __future__ import annotations

import re
from functools import lru_cache
from posixpath import normpath
from urllib.parse import quote, unquote

EVENTS_PATH = "/v3/app_usage_events"


PURGE_PATH = f"{EVENTS_PATH}/actions/destructively_purge_all_and_reseed"


PURGE_OPERATION = "purgeAndSeedAppUsageEvents"
LIST_OPERATION = "listAppUsageEvents"
GET_OPERATION = "getAppUsageEvent"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def event_path(guid: object) -> str:
    """Return the path of an event; the guid may contain any characters."""
    return f"{EVENTS_PATH}/{quote(str(guid), safe='', errors='replace')}"


@lru_cache(maxsize=4096)  # judgments call it many times with the same arguments
def is_purge(method: str, path: str) -> bool:
    """Whether a server could treat the request as a purge: POST on the path or an alternative spelling of it."""
    decoded = re.sub(r";[^/]*", "", unquote(re.split(r"[?#]", path, maxsplit=1)[0])).replace("\\", "/")
    route = "/" + normpath(decoded).strip("/ \0\n").lower()
    return method == "POST" and (route == PURGE_PATH or route.startswith(PURGE_PATH + "."))
