"""One session with an instance that touches everything a fault or a variant may change."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .conftest import EVENTS, PURGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Answer, Api

Exchange = tuple[int, str, str, str]
UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19."  # an admin, says alg none

ODD = "漢字" * 40  # a name
MORE_THAN_A_PAGE = 52  # events


def transcript(api: Api) -> list[Exchange]:
    """Do everything once that may be changed, as far as the instance lets one; return what a client sees."""
    seen = []
    with suppress(KeyError, ValueError):  # no app can be made, or nothing can be read without unpacking
        for answer in _session(api):
            headers = {name: value for name, value in answer.headers.items() if name != "x-vcap-request-id"}
            seen.append((answer.status, str(headers), answer.text, answer.wire))
    return seen


def _session(api: Api) -> Iterator[Answer]:
    yield api.get("/v3")
    apps = _foundation(api)
    yield from _reading(api)
    yield from _refused(api)
    yield from _bypassing(api)
    yield from _purging(api, apps)
    yield from _purging(api, apps)
    yield from _racing(api, apps)
    yield from _repeating(api, apps)
    yield api.post(PURGE, role="space_developer")
    yield from _sequence(api, apps)
    yield api.get(f"{EVENTS}?order_by=-created_at&per_page=3")
    yield api.call("POST", PURGE, b"a=b", headers={"content-type": "application/x-www-form-urlencoded"})


def _foundation(api: Api) -> dict[str, str]:
    """Make apps of every kind in two organizations, with many events; return their guids by what is special."""
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


def _some_event(api: Api) -> tuple[str, str]:
    """Pick an event from the middle; return its guid and created_at, or others where a fault left no event."""
    events = api.events() or [{"guid": "nobody", "created_at": "2026-01-01T00:00:00Z"}]
    middle = events[len(events) // 2]
    return middle["guid"], middle["created_at"]


def _some_app(api: Api) -> str:
    """Pick the app of an event; return its guid, or another where there is no event of any."""
    apps = [event["app"]["guid"] for event in api.events() if event.get("app")]
    return str(apps[0] if apps else "nobody")


def _queries(guid: str, moment: str, app: str) -> tuple[str, ...]:
    """Return what a list may be asked for, rightly and wrongly."""
    return (
        "per_page=2",
        "per_page=2&page=2",
        "order_by=-created_at&per_page=2",
        f"guids={guid}",
        f"after_guid={guid}",
        f"created_ats={moment}",
        f"created_ats[gt]={moment}",
        f"created_ats[lt]={moment}&per_page=1",
        f"created_ats[gte]={moment}",
        f"created_ats[lte]={moment}",
        f"created_ats[gt]={moment}&created_ats[lt]={moment}",
        f"created_ats=2020-01-01T00:00:00Z,{moment}",
        "order_by=created_at&per_page=2&page=2",
        "created_ats=2020-13-01T00:00:00Z",
        "created_ats=yesterday",
        "order_by=no_such_field",
        f"guids=nobody,{guid}",
        f"guids={guid[:8]}",
        f"guids={app}",
        "guids=%E2%82%AC",
        "guids=",
        f"guids={'x' * 2000}",
        "page=0",
        "page=1&page=2",
        "page=9223372036854775807",
        "per_page=3&page=9",
        "per_page=5000",
        "per_page=0",
        "per_page=200",
        "per_page=6000",
        "nonsense=1",
        "after_guid=nobody",
        "page=9",
        "page%5B%5D=1",
    )


def _reading(api: Api) -> Iterator[Answer]:
    guid, moment = _some_event(api)
    yield api.get(EVENTS)
    for query in _queries(guid, moment, _some_app(api)):
        yield api.get(f"{EVENTS}?{query}")
    yield api.get(f"{EVENTS}/{guid}")
    yield api.get(f"{EVENTS}/nobody")
    yield api.get(f"{EVENTS}/%C2%9B")
    yield api.get(f"{EVENTS}/")
    for name, value in (("accept", "text/html"), ("range", "bytes=0-9"), ("if-none-match", '"x"')):
        yield api.call("GET", EVENTS, headers={name: value})
    for name, value in (("if-modified-since", "12:00"), ("content-type", "application/x-no-such-type")):
        yield api.call("GET", f"{EVENTS}/{guid}", headers={name: value})
    yield api.get("/v3/apps")
    yield api.get("/v3/processes")
    yield api.get(f"{EVENTS}/actions/nope")
    for role in (None, "expired", "admin_read_only", "global_auditor", "space_developer", "space_manager"):
        yield api.get(EVENTS, role=role)
        yield api.get(f"{EVENTS}/{guid}", role=role)


def _refused(api: Api) -> Iterator[Answer]:
    """Ask for purges that must be refused, each with a look at what it left."""
    for role in (None, "expired", "admin_read_only", "global_auditor", "space_developer"):
        yield api.post(PURGE, role=role)
        yield api.get(EVENTS)
    for altered in (f"{api.tokens['admin']}x", f"{api.tokens['admin'][:-8]}AAAAAAAA"):
        yield api.call("POST", PURGE, role=None, headers={"authorization": f"bearer {altered}"})
    yield api.post(PURGE, b"{")
    yield api.get(EVENTS)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        yield api.call(method, PURGE)
        yield api.get(EVENTS)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        yield api.call(method, EVENTS)
        yield api.get(EVENTS)
    yield api.call("DELETE", f"{EVENTS}/{_some_event(api)[0]}")
    yield api.post(f"{EVENTS}/actions/no_such_action")
    yield api.get(EVENTS)


def _bypassing(api: Api) -> Iterator[Answer]:
    """Ask for purges as nobody, or as a space developer, in all other ways, each with a look at what it left."""
    here, action = PURGE.rsplit("/", 1)
    for path in (f"{PURGE}/", f"{PURGE}.json", f"{PURGE};x", f"{here}/{action.upper()}", f"{here}//{action}"):
        yield api.post(path, role=None)
        yield api.post(path, role="space_developer")
    yield api.post(f"{here}/./{action}", role=None)
    yield api.get(EVENTS)
    developer = api.tokens["space_developer"]
    for method, path, headers in (
        ("GET", PURGE, {"x-http-method-override": "POST"}),
        ("GET", f"{PURGE}?_method=POST", {}),
        ("POST", PURGE, {"x-forwarded-user": "admin"}),
        ("POST", PURGE, {"x-forwarded-for": "127.0.0.1"}),
        ("POST", f"{PURGE}?admin=true", {}),
        ("POST", EVENTS, {"x-original-url": PURGE}),
        ("POST", f"{PURGE}?access_token={developer}", {}),
        ("POST", PURGE, {"cookie": "token=x"}),
        ("POST", PURGE, {"x-auth-token": "x"}),
        ("POST", PURGE, {"authorization": ""}),
        ("POST", PURGE, {"authorization": "bearer"}),
        ("POST", PURGE, {"authorization": "Basic eDp4"}),
        ("POST", PURGE, {"authorization": f"bearer {UNSIGNED}"}),
        ("POST", PURGE, {"authorization": f"bearer {api.tokens['admin'].rpartition('.')[0]}"}),
    ):
        yield api.call(method, path, role=None, headers=headers)
        yield api.get(EVENTS)
    form = {"content-type": "application/x-www-form-urlencoded"}
    yield api.call("POST", PURGE, b"access_token=x", role=None, headers=form)


def _racing(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Stop an app while a purge is under way, if it lasts, and start it afterwards."""
    api.clock.meanwhile.append(lambda: api.post(f"/v3/apps/{apps['busy']}/actions/stop"))
    yield api.post(PURGE)
    api.clock.catch_up()
    yield api.get(EVENTS)
    yield api.post(f"/v3/apps/{apps['busy']}/actions/start")
    yield api.get(EVENTS)


def _purging(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Purge twice at a stretch, then make something happen, each with a look at what it left."""
    events = api.events() or [{"guid": "nobody"}]
    destroyed, moment = _some_event(api)
    yield api.post(f"{PURGE}?nonsense=1")
    yield api.get(EVENTS)
    bodies: tuple[object, ...] = (None, {})
    for body in bodies:
        yield api.post(PURGE, body)
        yield api.get(EVENTS)
    for guid in (destroyed, events[0]["guid"], events[-1]["guid"], apps["busy"]):
        yield api.get(f"{EVENTS}/{guid}")
    for query in (f"guids={destroyed}", f"after_guid={destroyed}", f"created_ats={moment}"):
        yield api.get(f"{EVENTS}?{query}")
    yield api.get(EVENTS)
    yield api.post(f"/v3/processes/{apps['busy']}/actions/scale", {"instances": 5})
    for change in ({"instances": 2}, {"memory_in_mb": 96}):
        yield api.post(f"/v3/processes/{apps['busy']}/actions/scale", change)
    for name, action in (("idle", "start"), ("idle", "stop"), ("beside", "stop"), ("busy", "stop"), ("busy", "start")):
        yield api.post(f"/v3/apps/{apps[name]}/actions/{action}")
    yield api.get(f"{EVENTS}?after_guid={apps['busy']}")
    yield api.get(EVENTS)


def _repeating(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Do the same again and again, for what goes wrong now and then: make an event, look, be refused, purge, look."""
    for action in ("start", "stop") * 5:
        yield api.post(f"/v3/apps/{apps['idle']}/actions/{action}")
        for role in ("global_auditor", "admin"):
            yield api.post(PURGE, role=role)
            yield api.get(f"{EVENTS}?order_by=-created_at")


def _sequence(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Go through what apps can go through from purge to purge, each with a look at what it left."""
    newcomer, idle = api.app_in(api.space("late"), "newcomer", started=True), apps["idle"]
    scaling, flips = ("scale", {"instances": 4}), (("start", None), ("stop", None)) * 2
    for app, deeds in (
        (newcomer, (scaling,)),
        (newcomer, ()),
        (newcomer, (("scale", {"instances": 3}), ("stop", None))),
        (newcomer, (*flips, ("start", None))),
        (idle, (scaling, ("start", None))),
        (idle, (("refuse", None), ("stop", None), ("start", None))),
        (idle, (("refuse", None),)),
        (newcomer, (("delete", None),)),
    ):
        for deed, body in deeds:
            yield _done(api, app, deed, body)
        yield api.get(EVENTS) if deeds[-1:] != (("refuse", None),) else api.get("/v3")
        yield api.post(PURGE)
        yield api.get(f"{EVENTS}?guids={newcomer}")
        yield api.get(EVENTS)


def _done(api: Api, app: str, deed: str, body: object) -> Answer:
    if deed == "refuse":
        return api.post(PURGE, role=None)
    if deed == "delete":
        return api.call("DELETE", f"/v3/apps/{app}")
    place = f"/v3/processes/{app}" if deed == "scale" else f"/v3/apps/{app}"
    return api.post(f"{place}/actions/{deed}", body)
