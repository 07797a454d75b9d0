"""Which requests are a purge."""

from __future__ import annotations

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge

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
