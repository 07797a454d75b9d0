"""The API's own names: paths, operation ids, and which requests a server may treat as a purge."""

from __future__ import annotations

import re
from functools import lru_cache
from posixpath import normpath
from typing import TypeGuard
from urllib.parse import quote, unquote

from purge_conformance.errors import UnusableGuid

EVENTS_PATH = "/v3/app_usage_events"


PURGE_PATH = f"{EVENTS_PATH}/actions/destructively_purge_all_and_reseed"


PURGE_OPERATION = "purgeAndSeedAppUsageEvents"
LIST_OPERATION = "listAppUsageEvents"
GET_OPERATION = "getAppUsageEvent"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


MAX_GUID_CHARS = 200


def is_usable_guid(guid: object) -> TypeGuard[str]:
    """Whether a guid of a target can be a segment of a path, whatever a proxy does to the path.

    It is a text that is neither empty nor longer than `MAX_GUID_CHARS`, and of whose parts between slashes, also
    percent-encoded ones, none is `.` or `..`.
    """
    if not isinstance(guid, str) or not 0 < len(guid) <= MAX_GUID_CHARS:
        return False
    return not any(part.partition(";")[0].strip() in {".", ".."} for part in re.split(r"[/\\]", unquote(guid)))


def resource_path(collection: str, guid: object) -> str:
    """Return the path of a resource whose guid the target chose: `collection`, and the guid as one quoted segment.

    Raises:
        UnusableGuid: the guid cannot be a segment of a path.
    """
    if not is_usable_guid(guid):
        raise UnusableGuid(
            f"The target gave a guid that cannot be a part of a path below {collection}: {guid!r:.80}. "
            f"Let the target give guids of at most {MAX_GUID_CHARS} characters without slashes."
        )
    return f"{collection}/{quote(guid, safe='', errors='replace')}"


def guid_in_path(route: str) -> str:
    """Return the guid in a path that begins with `resource_path`, for example an app's in `/v3/apps/GUID/actions`."""
    return unquote(route.split("/")[3])


def event_path(guid: object) -> str:
    """Return the path of an event.

    Raises:
        UnusableGuid: as `resource_path`.
    """
    return resource_path(EVENTS_PATH, guid)


@lru_cache(maxsize=4096)  # judgments call it many times with the same arguments
def is_purge(method: str, path: str) -> bool:
    """Whether a server could treat the request as a purge: POST on the path or an alternative spelling of it."""
    decoded = re.sub(r";[^/]*", "", unquote(re.split(r"[?#]", path, maxsplit=1)[0])).replace("\\", "/")
    route = "/" + normpath(decoded).strip("/ \0\n").lower()
    return method == "POST" and (route == PURGE_PATH or route.startswith(PURGE_PATH + "."))
