"""Packages, builds and droplets; a build stages its package at once."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.apps import LIFECYCLE_DATA
from purge_conformance.reference.api.bodies import find_file, read_object, read_related_guid
from purge_conformance.reference.api.labels import metadata_to_json, read_labels
from purge_conformance.reference.api.pagination import page_to_json
from purge_conformance.reference.api.query import ListRules, parse_query
from purge_conformance.reference.api.visibility import fetch_page, find_resource, job_reply, require_admin
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.lists import Listing
from purge_conformance.reference.store.tables import (
    AWAITING_UPLOAD,
    BUILDPACK,
    DOCKER,
    STAGED,
    App,
    Build,
    Droplet,
    Package,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES, BUILDS, DROPLETS = "/v3/packages", "/v3/builds", "/v3/droplets"
DROPLET_LIST = Listing(
    table=Droplet,
    filters={"guids": Droplet.guid.in_, "states": Droplet.state.in_},
    rules=ListRules(filters=("guids", "states"), orders=("created_at", "updated_at")),
)


def create_package(call: Call) -> Reply:
    """`POST /v3/packages`: create a package of a docker image, which needs no upload."""
    require_admin(call)
    body = read_object(call.body, ("type", "data", "relationships", "metadata"))
    image = _nested_value(body, "data", "image")
    if body.get("type") != DOCKER or not isinstance(image, str) or not image:
        raise problems.unprocessable("Type must be docker, and data must name an image")
    package = Package(app=_related_app(call, body), image=image, labels=read_labels(body))
    call.session.add(package)
    call.session.flush()
    return Reply(status=HTTPStatus.CREATED, body=package_to_json(package, call))


def get_package(call: Call) -> Reply:
    """`GET /v3/packages/{guid}`."""
    return Reply(body=package_to_json(find_resource(call, Package, resource_name="Package"), call))


def create_build(call: Call) -> Reply:
    """`POST /v3/builds`: stage a package; its droplet exists at once."""
    require_admin(call)
    body = read_object(call.body, ("package", "lifecycle", "staging_memory_in_mb", "staging_disk_in_mb", "metadata"))
    guid = _nested_value(body, "package", "guid")
    package = find_by_guid(call.session, Package, guid) if isinstance(guid, str) else None
    if package is None:
        raise problems.unprocessable("Unable to use package. Ensure that the package exists and you have access to it.")
    droplet = Droplet(app=package.app, image=package.image)
    call.session.add(droplet)
    call.session.flush()
    build = Build(app=package.app, package_guid=package.guid, droplet_guid=droplet.guid, labels=read_labels(body))
    call.session.add(build)
    call.session.flush()
    return Reply(status=HTTPStatus.CREATED, body=build_to_json(build, call))


def get_build(call: Call) -> Reply:
    """`GET /v3/builds/{guid}`."""
    return Reply(body=build_to_json(find_resource(call, Build, resource_name="Build"), call))


def list_droplets(call: Call) -> Reply:
    """`GET /v3/droplets`."""
    query, total, rows = fetch_page(call, DROPLET_LIST)
    return Reply(body=page_to_json(call.url(DROPLETS), query, total, [droplet_to_json(row, call) for row in rows]))


def create_droplet(call: Call) -> Reply:
    """`POST /v3/droplets`: copy the droplet `source_guid` to an app, or create a droplet that awaits its upload."""
    require_admin(call)
    source = parse_query(call.query_string).get("source_guid")
    droplet = _new_droplet(call) if source is None else _copy_droplet(call, source)
    call.session.add(droplet)
    call.session.flush()
    return Reply(status=HTTPStatus.CREATED, body=droplet_to_json(droplet, call))


def _new_droplet(call: Call) -> Droplet:
    body = read_object(call.body, ("relationships", "process_types"))
    types = body.get("process_types", {"web": ""})
    if not isinstance(types, dict):
        raise problems.unprocessable("Process types must be an object")
    return Droplet(app=_related_app(call, body), state=AWAITING_UPLOAD, process_types=types)


def _copy_droplet(call: Call, guid: str) -> Droplet:
    source = find_by_guid(call.session, Droplet, guid)
    if source is None:
        raise problems.not_found("Droplet")
    if source.state != STAGED:
        raise problems.unprocessable("source droplet is not staged")
    return Droplet(
        app=_related_app(call, read_object(call.body, ("relationships",))),
        image=source.image,
        sha256=source.sha256,
        process_types=source.process_types,
    )


def upload_droplet(call: Call) -> Reply:
    """`POST /v3/droplets/{guid}/upload`: stage the droplet at once; the reply still shows it as being processed."""
    require_admin(call)
    name, content = find_file(call.raw_body, call.content_type, "bits") or ("", b"")
    if error := _upload_error(name, content):
        raise problems.unprocessable(f"Uploaded droplet file is invalid: {error}")
    droplet = find_resource(call, Droplet, resource_name="Droplet")
    if droplet.state != AWAITING_UPLOAD:
        raise problems.unprocessable("Droplet may be uploaded only once. Create a new droplet to upload bits.")
    droplet.state, droplet.sha256 = STAGED, sha256(content).hexdigest()
    job = job_reply(call, "droplet.upload")
    call.session.flush()
    return replace(job, body={**droplet_to_json(droplet, call), "state": "PROCESSING_UPLOAD"})


def _upload_error(name: str, content: bytes) -> str:
    if not name:
        return "A droplet tgz file must be uploaded as 'bits'"
    if not name.endswith((".tgz", ".tar.gz")):
        return f"{name} is not a tgz"
    return "" if content else f"{name} cannot be empty"


def get_droplet(call: Call) -> Reply:
    """`GET /v3/droplets/{guid}`."""
    return Reply(body=droplet_to_json(find_resource(call, Droplet, resource_name="Droplet"), call))


def get_current_droplet(call: Call) -> Reply:
    """`GET /v3/apps/{guid}/droplets/current`."""
    droplet = find_by_guid(call.session, Droplet, find_resource(call, App, resource_name="App").droplet_guid or "")
    if droplet is None:
        raise problems.not_found("Droplet")
    return Reply(body=droplet_to_json(droplet, call))


def set_current_droplet(call: Call) -> Reply:
    """`PATCH /v3/apps/{guid}/relationships/current_droplet`."""
    app = find_resource(call, App, resource_name="App")
    require_admin(call)
    guid = _nested_value(read_object(call.body, ("data",)), "data", "guid")
    droplet = find_by_guid(call.session, Droplet, guid) if isinstance(guid, str) else None
    if droplet is None or droplet.app is not app:
        detail = "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
        raise problems.unprocessable(detail)
    if droplet.state != STAGED:
        raise problems.unprocessable("Droplet must be in staged state")
    app.droplet_guid = droplet.guid
    links = {"self": {"href": call.url(f"/v3/apps/{app.guid}/relationships/current_droplet")}}
    return Reply(body={"data": {"guid": droplet.guid}, "links": links})


def _related_app(call: Call, body: Mapping[str, Any]) -> App:
    app = find_by_guid(call.session, App, read_related_guid(body, "app"))
    if app is None:
        raise problems.unprocessable("App is invalid. Ensure it exists and you have access to it.")
    return app


def _nested_value(body: Mapping[str, Any], name: str, key: str) -> Any:  # noqa: ANN401 - any JSON value
    value = body.get(name)
    return value.get(key) if isinstance(value, dict) else None


def package_to_json(package: Package, call: Call) -> dict[str, object]:
    """Return the JSON of a package."""
    details = {"type": DOCKER, "data": {"image": package.image}, "state": "READY"}
    return _to_json(package, PACKAGES, call, **details, metadata=metadata_to_json(package))


def build_to_json(build: Build, call: Call) -> dict[str, object]:
    """Return the JSON of a build."""
    return _to_json(
        build,
        BUILDS,
        call,
        state="STAGED",
        error=None,
        lifecycle={"type": DOCKER, "data": {}},
        package={"guid": build.package_guid},
        droplet={"guid": build.droplet_guid},
        metadata=metadata_to_json(build),
    )


def droplet_to_json(droplet: Droplet, call: Call) -> dict[str, object]:
    """Return the JSON of a droplet."""
    kind = DOCKER if droplet.image else BUILDPACK
    return _to_json(
        droplet,
        DROPLETS,
        call,
        state=droplet.state,
        error=None,
        lifecycle={"type": kind, "data": LIFECYCLE_DATA[kind]},
        process_types=droplet.process_types,
        image=droplet.image,
        checksum={"type": "sha256", "value": droplet.sha256} if droplet.sha256 else None,
        metadata=metadata_to_json(droplet),
    )


def _to_json(row: Package | Build | Droplet, path: str, call: Call, **more: object) -> dict[str, object]:
    return {
        "guid": row.guid,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        **more,
        "relationships": {"app": {"data": {"guid": row.app.guid}}},
        "links": {
            "self": {"href": call.url(f"{path}/{row.guid}")},
            "app": {"href": call.url(f"/v3/apps/{row.app.guid}")},
        },
    }
