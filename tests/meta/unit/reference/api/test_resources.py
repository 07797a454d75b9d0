"""Organizations, spaces, apps and processes of the reference server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import BASE_URL, PURGE, relationship

if TYPE_CHECKING:
    from meta.support.reference_api import Api


@pytest.mark.parametrize("path", ["/", "/v3", "/v3/info"])
def test_roots_need_no_token(api: Api, path: str) -> None:
    """The roots respond without a token, with links."""
    answer = api.get(path, role=None)
    assert answer.status == 200
    assert answer.json["links"]["self"]["href"].startswith(BASE_URL)


@pytest.mark.parametrize("path", ["/nope", "/v3/nope", "/v3/app_usage_events/actions/nope", "/v2/info"])
def test_unknown_routes_answer_404(api: Api, path: str) -> None:
    """An unknown route responds with 404 and an error object, with or without a token."""
    for role in ("admin", None):
        answer = api.get(path, role=role)
        error = {"detail": "Unknown request", "title": "CF-NotFound", "code": 10000}
        assert (answer.status, answer.json) == (404, {"errors": [error]})


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("organizations", "Organization"),
        ("spaces", "Space"),
        ("apps", "App"),
        ("processes", "Process"),
        ("jobs", "Job"),
        ("packages", "Package"),
        ("builds", "Build"),
        ("droplets", "Droplet"),
        ("app_usage_events", "App usage event"),
    ],
)
@pytest.mark.parametrize("guid", ["nobody", "%00", "%ff"])
def test_unknown_guids_answer_404(api: Api, path: str, word: str, guid: str) -> None:
    """An unknown guid responds with 404, and the detail names the kind of resource."""
    answer = api.get(f"/v3/{path}/{guid}")
    assert (answer.status, answer.json["errors"][0]["detail"]) == (404, f"{word} not found")


def test_app_shares_guid_with_process(api: Api) -> None:
    """A new app is stopped, and its one process is `web` with the app's guid."""
    app = api.app_in(api.space(), "app", started=False)
    (process,) = api.get(f"/v3/apps/{app}/processes").json["resources"]
    assert api.get(f"/v3/apps/{app}").json["state"] == "STOPPED"
    assert (process["guid"], process["type"], process["instances"]) == (app, "web", 1)
    assert process == api.get(f"/v3/processes/{app}").json == api.get(f"/v3/apps/{app}/processes/web").json


def test_apps_are_filtered(api: Api) -> None:
    """Apps are found by name, guid, space and organization."""
    here, there = api.space(), api.space("there", "elsewhere")
    one, two = api.app_in(here, "one"), api.app_in(there, "two")
    organization = api.get(f"/v3/spaces/{there}").json["relationships"]["organization"]["data"]["guid"]
    for query, expected in {
        "names=one": [one],
        f"guids={two}": [two],
        f"space_guids={here},{there}": [one, two],
        f"organization_guids={organization}": [two],
        "order_by=-name&per_page=5000": [two, one],
    }.items():
        assert [app["guid"] for app in api.get(f"/v3/apps?{query}").json["resources"]] == expected


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
def test_duplicate_name_is_rejected(api: Api, kind: str) -> None:
    """A second resource with the same name in the same parent is rejected."""
    space = api.space("name", "name")
    api.app_in(space, "name")
    organization = api.get(f"/v3/spaces/{space}").json["relationships"]["organization"]["data"]["guid"]
    relations = {
        "organizations": {},
        "spaces": relationship("organization", organization),
        "apps": relationship("space", space),
    }
    answer = api.post(f"/v3/{kind}", {"name": "name", **relations[kind]})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, 10008)


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
@pytest.mark.parametrize(
    "body", [None, [], {}, {"name": 5}, {"name": " "}, {"name": "\0"}, {"name": "x" * 256}, {"unknown": 1}]
)
def test_invalid_bodies_are_rejected(api: Api, kind: str, body: object) -> None:
    """A body that describes no new resource is rejected with 422."""
    assert api.post(f"/v3/{kind}", body).status == 422


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
def test_resource_is_renamed(api: Api, kind: str) -> None:
    """A new name is shown, also by the next purge, and is no event; a body without a name changes nothing."""
    app = api.app_in(api.space(), "app")
    path, events = f"/v3/{kind}/{api.get(f'/v3/{kind}').json['resources'][0]['guid']}", api.events()
    assert [api.call("PATCH", path, body).json["name"] for body in ({"name": "new"}, {"name": "new"}, {})] == [
        "new"
    ] * 3
    assert (api.get(path).json["name"], api.events()) == ("new", events)
    api.post(PURGE)
    (seed,) = api.events()
    new_names = {"apps": ["new", "space"], "spaces": ["app", "new"], "organizations": ["app", "space"]}
    assert (seed["guid"], [seed["app"]["name"], seed["space"]["name"]]) == (app, new_names[kind])


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
@pytest.mark.parametrize("body", [[], {"name": "taken"}, {"name": ""}, {"name": 5}, {"unknown": 1}])
def test_invalid_name_is_rejected(api: Api, kind: str, body: object) -> None:
    """A name that is taken or is none is rejected with 422; another role may not rename."""
    for organization, space, app in (("organization", "space", "app"), ("taken", "space", "app")):
        api.app_in(api.space(space, organization), app)
    if kind != "organizations":
        parent = api.get("/v3/spaces?names=space").json["resources"][0]
        owner = parent["relationships"]["organization"]["data"]["guid"]
        relation = relationship("organization", owner) if kind == "spaces" else relationship("space", parent["guid"])
        assert api.post(f"/v3/{kind}", {"name": "taken", **relation}).status == 201
    path = f"/v3/{kind}/{api.get(f'/v3/{kind}').json['resources'][0]['guid']}"
    assert api.call("PATCH", path, body).status == 422
    assert api.call("PATCH", path, {"name": "x"}, role="space_developer").status in {403, 404}


@pytest.mark.parametrize("guid", ["nobody", "\0", None, 5])
def test_unknown_parent_is_rejected(api: Api, guid: str) -> None:
    """A space without an organization, and an app without a space, are rejected with 422."""
    assert api.post("/v3/spaces", {"name": "name", **relationship("organization", guid)}).status == 422
    assert api.post("/v3/apps", {"name": "name", **relationship("space", guid)}).status == 422


@pytest.mark.parametrize("value", [-1, 2**31, 10**30, 1.5, True, None, "2"])
def test_invalid_scale_is_rejected(api: Api, value: object) -> None:
    """An impossible number of instances is rejected with 422, and changes nothing."""
    app = api.app_in(api.space(), "app")
    assert api.post(f"/v3/processes/{app}/actions/scale", {"instances": value}).status == 422
    assert api.get(f"/v3/processes/{app}").json["instances"] == 1


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
def test_deletion_is_recursive(api: Api, kind: str) -> None:
    """A deletion responds with 202 and a finished job, and deletes what is inside."""
    space = api.space()
    apps = [api.app_in(space, name) for name in ("one", "two")]
    guid = api.get(f"/v3/{kind}").json["resources"][0]["guid"]
    answer = api.call("DELETE", f"/v3/{kind}/{guid}")
    job = api.get(answer.headers["location"].removeprefix(BASE_URL)).json
    assert (answer.status, answer.text, job["state"]) == (202, "", "COMPLETE")
    assert api.get(f"/v3/{kind}/{guid}").status == api.get(f"/v3/processes/{apps[0]}").status == 404


def test_request_id_is_given(api: Api) -> None:
    """Every response has a request id, which begins with the sanitized id of the client."""
    answer = api.call("GET", "/v3", headers={"x-vcap-request-id": "a b<c>-_9"})
    assert answer.headers["x-vcap-request-id"].startswith("abc-_9::")
