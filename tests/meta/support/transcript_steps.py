"""The parts of the transcript of a session with a reference server."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from meta.support.reference_api import EVENTS, PURGE, relationship

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meta.support.reference_api import Answer, Api


UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19."  # an admin, says alg none


def _some_event(api: Api) -> tuple[str, str]:
    """Return guid and created_at of an event in the middle, or fixed values where a fault left no event."""
    events = api.events() or [{"guid": "nobody", "created_at": "2026-01-01T00:00:00Z"}]
    middle = events[len(events) // 2]
    return middle["guid"], middle["created_at"]


def _some_app(api: Api) -> str:
    """Return the guid of the app of an event, or a fixed value where no event names an app."""
    apps = [event["app"]["guid"] for event in api.events() if event.get("app")]
    return str(apps[0] if apps else "nobody")


def _queries(guid: str, moment: str, app: str) -> tuple[str, ...]:
    """Return valid and invalid queries of a list."""
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


def reads(api: Api) -> Iterator[Answer]:
    """Read lists and events in every way, as several roles."""
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
    roles = ("admin_read_only", "global_auditor", "space_developer", "space_manager", "build_state_updater")
    for role in (None, "expired", *roles):
        yield api.get(EVENTS, role=role)
        yield api.get(f"{EVENTS}/{guid}", role=role)


def rejected_purges(api: Api) -> Iterator[Answer]:
    """Send purges that the server must reject, each with a list afterwards."""
    for role in (None, "expired", "admin_read_only", "global_auditor", "space_developer", "build_state_updater"):
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


def bypass_attempts(api: Api) -> Iterator[Answer]:
    """Try to bypass authorization without a token, or as a space developer, each with a list afterwards."""
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


def race(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Stop an app during a purge, if the purge takes time, and start it afterwards."""
    api.clock.meanwhile.append(lambda: api.post(f"/v3/apps/{apps['busy']}/actions/stop"))
    yield api.post(PURGE)
    api.clock.run_pending()
    yield api.get(EVENTS)
    yield api.post(f"/v3/apps/{apps['busy']}/actions/start")
    yield api.get(EVENTS)


def purges(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Purge twice, then change apps, each with a list afterwards."""
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
    yield api.call("PATCH", f"/v3/apps/{apps['busy']}", {"name": "renamed"})
    yield api.post(f"/v3/processes/{apps['busy']}/actions/scale", {"instances": 5})
    for change in ({"instances": 2}, {"memory_in_mb": 96}):
        yield api.post(f"/v3/processes/{apps['busy']}/actions/scale", change)
    for name, action in (("idle", "start"), ("idle", "stop"), ("beside", "stop"), ("busy", "stop"), ("busy", "start")):
        yield api.post(f"/v3/apps/{apps[name]}/actions/{action}")
    yield api.get(f"{EVENTS}?after_guid={apps['busy']}")
    yield api.get(f"{EVENTS}?after_guid={apps['busy']}", role="space_developer")
    yield api.get(EVENTS)
    yield from new_droplets(api, apps["busy"])


def new_droplets(api: Api, app: str) -> Iterator[Answer]:
    """Stage two droplets of a started app, assign one after the other, and purge."""
    for image in ("one", "two"):
        package = {"type": "docker", "data": {"image": image}, **relationship("app", app)}
        yield (staged := api.post("/v3/packages", package))
        if staged.status == HTTPStatus.CREATED:
            yield (staged := api.post("/v3/builds", {"package": {"guid": staged.json["guid"]}}))
        if staged.status == HTTPStatus.CREATED:
            data = {"guid": staged.json["droplet"]["guid"]}
            yield api.call("PATCH", f"/v3/apps/{app}/relationships/current_droplet", {"data": data})
    yield api.get(EVENTS)
    yield api.post(PURGE)
    yield api.get(EVENTS)


def repetitions(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Repeat the same requests, for intermittent faults: an event, a rejected purge, a list, a purge, a list."""
    for action in ("start", "stop") * 5:
        yield api.post(f"/v3/apps/{apps['idle']}/actions/{action}")
        for role in ("global_auditor", "admin"):
            yield api.post(PURGE, role=role)
            yield api.get(f"{EVENTS}?order_by=-created_at")


def sequence(api: Api, apps: dict[str, str]) -> Iterator[Answer]:
    """Change apps in every way between purges, each with a list afterwards."""
    newcomer, idle = api.app_in(api.space("late"), "newcomer", started=True), apps["idle"]
    scaling, flips = ("scale", {"instances": 4}), (("start", None), ("stop", None)) * 2
    for app, actions in (
        (newcomer, (scaling,)),
        (newcomer, ()),
        (newcomer, (("scale", {"instances": 3}), ("stop", None))),
        (newcomer, (*flips, ("start", None))),
        (idle, (scaling, ("start", None))),
        (idle, (("refuse", None), ("stop", None), ("start", None))),
        (idle, (("refuse", None),)),
        (newcomer, (("delete", None),)),
    ):
        for action, body in actions:
            yield _change_app(api, app, action, body)
        yield api.get(EVENTS) if actions[-1:] != (("refuse", None),) else api.get("/v3")
        yield api.post(PURGE)
        yield api.get(f"{EVENTS}?guids={newcomer}")
        yield api.get(EVENTS)


def _change_app(api: Api, app: str, action: str, body: object) -> Answer:
    if action == "refuse":
        return api.post(PURGE, role=None)
    if action == "delete":
        return api.call("DELETE", f"/v3/apps/{app}")
    place = f"/v3/processes/{app}" if action == "scale" else f"/v3/apps/{app}"
    return api.post(f"{place}/actions/{action}", body)
