"""Apps: list, get, create, rename, delete, start, stop, restart."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import read_name, read_new_name, read_object, read_related_guid
from purge_conformance.reference.api.labels import LABEL_SELECTOR, label_condition, metadata_to_json, read_labels
from purge_conformance.reference.api.pagination import page_to_json
from purge_conformance.reference.api.query import ListRules
from purge_conformance.reference.api.visibility import fetch_page, find_resource, job_reply, require_admin
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.lists import Listing
from purge_conformance.reference.store.tables import BUILDPACK, DOCKER, App, Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "/v3/apps"
LIFECYCLE_DATA: Mapping[str, Mapping[str, object]] = {
    BUILDPACK: {"buildpacks": [], "stack": "cflinuxfs4"},
    DOCKER: {},
}
FIELDS = ("name", "relationships", "lifecycle", "environment_variables", "metadata")


def _in_organizations(guids: Sequence[str]) -> ColumnElement[bool]:
    return App.space.has(Space.organization_guid.in_(guids))


APPS = Listing(
    table=App,
    filters={
        "names": App.name.in_,
        "guids": App.guid.in_,
        LABEL_SELECTOR: label_condition(App),
        "space_guids": App.space_guid.in_,
        "organization_guids": _in_organizations,
    },
    rules=ListRules(
        filters=("names", "guids", "space_guids", "organization_guids", LABEL_SELECTOR),
        orders=("created_at", "updated_at", "name", "state"),
    ),
)


def list_apps(call: Call) -> Reply:
    """`GET /v3/apps`."""
    query, total, rows = fetch_page(call, APPS)
    return Reply(body=page_to_json(call.url(PATH), query, total, [app_to_json(row, call) for row in rows]))


def get_app(call: Call) -> Reply:
    """`GET /v3/apps/{guid}`."""
    return Reply(body=app_to_json(find_resource(call, App, resource_name="App"), call))


def create_app(call: Call) -> Reply:
    """`POST /v3/apps`: create a stopped app in a space."""
    require_admin(call)
    body = read_object(call.body, FIELDS)
    name = read_name(body)
    space = find_by_guid(call.session, Space, read_related_guid(body, "space"))
    if space is None:
        raise problems.unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
    _require_new_name(call, space, name)
    app = store.add_app(call.session, space, name, labels=read_labels(body), lifecycle=_lifecycle(body))
    return Reply(status=HTTPStatus.CREATED, body=app_to_json(app, call))


def update_app(call: Call) -> Reply:
    """`PATCH /v3/apps/{guid}`: rename the app; nothing is recorded."""
    app = _find_app_for_change(call)
    name = read_new_name(call.body, app.name)
    if name != app.name:
        _require_new_name(call, app.space, name)
    app.name = name
    return _app_reply(call, app)


def delete_app(call: Call) -> Reply:
    """`DELETE /v3/apps/{guid}`: stop the app, if it is started, and delete it."""
    require_admin(call)
    store.delete_app(call.session, find_resource(call, App, resource_name="App"), call.behaviour.record)
    return job_reply(call, "app.delete")


def start_app(call: Call) -> Reply:
    """`POST /v3/apps/{guid}/actions/start`."""
    app = _find_app_for_change(call)
    store.start(call.session, app, call.behaviour.record)
    return _app_reply(call, app)


def stop_app(call: Call) -> Reply:
    """`POST /v3/apps/{guid}/actions/stop`."""
    app = _find_app_for_change(call)
    store.stop(call.session, app, call.behaviour.record)
    return _app_reply(call, app)


def restart_app(call: Call) -> Reply:
    """`POST /v3/apps/{guid}/actions/restart`: stop the app, if it is started, and start it."""
    app = _find_app_for_change(call)
    store.stop(call.session, app, call.behaviour.record)
    store.start(call.session, app, call.behaviour.record)
    return _app_reply(call, app)


def _require_new_name(call: Call, space: Space, name: str) -> None:
    if call.session.scalar(select(App).where(App.space_guid == space.guid, App.name == name)):
        raise problems.unprocessable(f"App with the name '{name}' already exists.")


def _find_app_for_change(call: Call) -> App:
    app = find_resource(call, App, resource_name="App")
    require_admin(call)
    return app


def _app_reply(call: Call, app: App) -> Reply:
    call.session.flush()  # sets updated_at
    return Reply(body=app_to_json(app, call))


def _current_droplet(app: App) -> dict[str, object]:
    return {"data": {"guid": app.droplet_guid} if app.droplet_guid else None}


def _lifecycle(body: Mapping[str, Any]) -> str:
    lifecycle = body.get("lifecycle", {"type": BUILDPACK})
    name = lifecycle.get("type") if isinstance(lifecycle, dict) else None
    if name not in LIFECYCLE_DATA:
        raise problems.unprocessable(f"Lifecycle type is not one of: {', '.join(LIFECYCLE_DATA)}")
    return str(name)


def app_to_json(app: App, call: Call) -> dict[str, object]:
    """Return the JSON of an app."""
    path = f"{PATH}/{app.guid}"
    return {
        "guid": app.guid,
        "created_at": app.created_at,
        "updated_at": app.updated_at,
        "name": app.name,
        "state": app.state,
        "lifecycle": {"type": app.lifecycle, "data": LIFECYCLE_DATA[app.lifecycle]},
        "relationships": {"space": {"data": {"guid": app.space_guid}}, "current_droplet": _current_droplet(app)},
        "metadata": metadata_to_json(app),
        "links": {
            "self": {"href": call.url(path)},
            "space": {"href": call.url(f"/v3/spaces/{app.space_guid}")},
            "processes": {"href": call.url(f"{path}/processes")},
            "start": {"href": call.url(f"{path}/actions/start"), "method": "POST"},
            "stop": {"href": call.url(f"{path}/actions/stop"), "method": "POST"},
        },
    }
