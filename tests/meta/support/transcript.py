"""The transcript of one session that shows every fault and every variant of a reference server."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from meta.support.reference_api import EVENTS, PURGE
from meta.support.transcript_steps import (
    UNSIGNED,
    bypass_attempts,
    purges,
    race,
    reads,
    rejected_purges,
    repetitions,
    sequence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meta.support.reference_api import Answer, Api


Exchange = tuple[int, str, str, str]
ODD = "漢字" * 40  # a name
MORE_THAN_A_PAGE = 52  # events


def transcript(api: Api) -> Iterator[Exchange]:
    """Send every request whose response a fault or a variant may change; yield what a client receives."""
    with suppress(KeyError, ValueError):  # no app can be created, or a body is compressed
        for answer in _session(api):
            headers = {name: value for name, value in answer.headers.items() if name != "x-vcap-request-id"}
            yield answer.status, str(headers), answer.text, answer.wire


def _session(api: Api) -> Iterator[Answer]:
    yield api.get("/v3")
    apps = _foundation(api)
    yield from reads(api)
    yield from rejected_purges(api)
    yield from bypass_attempts(api)
    yield from purges(api, apps)
    yield from purges(api, apps)
    yield from race(api, apps)
    yield from repetitions(api, apps)
    yield api.post(PURGE, role="space_developer")
    yield from sequence(api, apps)
    yield api.get(f"{EVENTS}?order_by=-created_at&per_page=3")
    yield api.call("POST", PURGE, b"a=b", headers={"content-type": "application/x-www-form-urlencoded"})
    yield api.call("POST", PURGE, headers={"origin": "https://browser.example", "cookie": "a=b"})
    yield api.call("POST", PURGE, headers={"x-http-method-override": "GET"})
    yield api.call("GET", EVENTS, headers={"x-name": "caf\u00e9"})
    forged = {"authorization": f"bearer {UNSIGNED}"}
    yield api.call("POST", PURGE, role=None, headers=forged, second=f"bearer {UNSIGNED}")
    yield api.call("POST", PURGE, role="space_developer", second=f"bearer {UNSIGNED}")
    yield api.call("POST", PURGE, role=None, headers=forged, second=f"bearer {api.tokens['space_developer']}")


def _foundation(api: Api) -> dict[str, str]:
    """Create apps of every kind in two organizations, with many events; return their guids by kind."""
    here, beside, there = api.space(), api.space("beside"), api.space("there", "elsewhere")
    spaces = {"idle": here, "busy": here, "empty": here, "gone": here, "newest": here}
    spaces |= {"beside": beside, "there": there, ODD: there}
    apps = {name: api.app_in(space, name, started=name != "idle") for name, space in spaces.items()}
    for name in ("idle", "empty"):
        api.post(f"/v3/processes/{apps[name]}/actions/scale", {"instances": 0})
    api.call("DELETE", f"/v3/apps/{apps['gone']}")
    for _ in range(MORE_THAN_A_PAGE // 2):
        api.post(f"/v3/apps/{apps['beside']}/actions/restart")
    return apps
