"""Which requests are a purge."""

from __future__ import annotations

import pytest

from purge_conformance.catalogue.api import (
    EVENTS_PATH,
    PURGE_PATH,
    guid_in_path,
    is_purge,
    is_usable_guid,
    resource_path,
)
from purge_conformance.errors import UnusableGuid

NAME = PURGE_PATH.rpartition("/")[2]


@pytest.mark.parametrize(
    "path",
    [
        PURGE_PATH,
        f"{PURGE_PATH}?async=true",
        f"{PURGE_PATH}/",
        f"{PURGE_PATH}//",
        f"{PURGE_PATH}.json",
        f"/{PURGE_PATH}",
        f"//{PURGE_PATH}",
        PURGE_PATH.upper(),
        PURGE_PATH.replace("/actions", "//actions"),
        PURGE_PATH.replace("_", "%5F"),
        PURGE_PATH.replace("/actions/", "%2Factions%2F"),
        PURGE_PATH.replace("/actions", "/./actions"),
        PURGE_PATH.replace("/actions", "/other/../actions"),
        f"{PURGE_PATH};v=1",
        f"{PURGE_PATH}%0A",
    ],
)
def test_purge_path_is_recognized(path: str) -> None:
    """A POST on the purge path is a purge, in any spelling of the path."""
    assert is_purge("POST", path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PURGE_PATH),
        ("DELETE", PURGE_PATH),
        ("POST", EVENTS_PATH),
        ("POST", f"{PURGE_PATH}/no_such_route"),
        ("POST", f"{EVENTS_PATH}/actions/no_such_action"),
        ("POST", f"/v3/service_usage_events/actions/{NAME}"),
        ("POST", f"/v3/apps?next={PURGE_PATH}"),
    ],
)
def test_other_requests_are_no_purge(method: str, path: str) -> None:
    """Other methods, other paths and the path within a query are no purges."""
    assert not is_purge(method, path)


@pytest.mark.parametrize("path", ["//[", "//[x/y", "/%", "/%zz", ""])
def test_malformed_path_is_no_purge(path: str) -> None:
    """A path that cannot be parsed is no purge and raises no error."""
    assert not is_purge("POST", path)


@pytest.mark.parametrize(
    "guid",
    ["", ".", "..", "../..", "x/../y", "..\\x", "%2e%2e", "%2E%2E%2Fx", "..;a=b/x", " .. ", "g" * 201, None, 7, ["a"]],
)
def test_unusable_guid_is_no_path(guid: object) -> None:
    """A guid that could lead a request to another resource has no path."""
    assert not is_usable_guid(guid)
    with pytest.raises(UnusableGuid, match="cannot be a part of a path below /v3/apps"):
        resource_path("/v3/apps", guid)


@pytest.mark.parametrize("guid", ["a", "a/b", "a?b=c#d", "50%", "...", "a..b", "\u202e", "\ud800", "a b", "g" * 200])
def test_odd_guid_is_one_segment(guid: str) -> None:
    """A guid with unusual characters is quoted, so that it stays one segment of the path."""
    path = resource_path("/v3/apps", guid)
    assert path.count("/") == 3
    assert path.isascii()
    assert not set("?# ") & set(path)
    assert guid_in_path(f"{path}/actions/start") == guid.replace("\ud800", "?")
