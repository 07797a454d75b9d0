"""The foundation around the usage events: roots, organizations, spaces, apps, processes, jobs."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from .conftest import BASE_URL, to

if TYPE_CHECKING:
    from .conftest import Api


@pytest.mark.parametrize("path", ["/", "/v3", "/v3/info"])
def test_roots_are_open(api: Api, path: str) -> None:
    """The roots answer without a token, with links."""
    answer = api.get(path, role=None)
    assert answer.status == 200
    assert answer.json["links"]["self"]["href"].startswith(BASE_URL)


@pytest.mark.parametrize("path", ["/nope", "/v3/nope", "/v3/app_usage_events/actions/nope", "/v2/info"])
def test_unknown_routes_answer_404(api: Api, path: str) -> None:
    """What no route answers to is 404 in the envelope, with or without a token."""
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
    """A guid that nothing has is 404, and the detail says what was looked for."""
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
def test_names_are_taken_once(api: Api, kind: str) -> None:
    """A second resource of the same name in the same place is refused."""
    space = api.space("name", "name")
    api.app_in(space, "name")
    organization = api.get(f"/v3/spaces/{space}").json["relationships"]["organization"]["data"]["guid"]
    relations = {"organizations": {}, "spaces": to("organization", organization), "apps": to("space", space)}
    answer = api.post(f"/v3/{kind}", {"name": "name", **relations[kind]})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, 10008)


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
@pytest.mark.parametrize(
    "body", [None, [], {}, {"name": 5}, {"name": " "}, {"name": "\0"}, {"name": "x" * 256}, {"unknown": 1}]
)
def test_bad_bodies_are_refused(api: Api, kind: str, body: object) -> None:
    """What does not describe a new resource is refused with 422."""
    assert api.post(f"/v3/{kind}", body).status == 422


@pytest.mark.parametrize("guid", ["nobody", "\0", None, 5])
def test_unknown_places_are_refused(api: Api, guid: str) -> None:
    """A space in no organization, and an app in no space, are refused with 422."""
    assert api.post("/v3/spaces", {"name": "name", **to("organization", guid)}).status == 422
    assert api.post("/v3/apps", {"name": "name", **to("space", guid)}).status == 422


@pytest.mark.parametrize("value", [-1, 2**31, 10**30, 1.5, True, None, "2"])
def test_bad_scales_are_refused(api: Api, value: object) -> None:
    """An impossible number of instances is refused with 422, and changes nothing."""
    app = api.app_in(api.space(), "app")
    assert api.post(f"/v3/processes/{app}/actions/scale", {"instances": value}).status == 422
    assert api.get(f"/v3/processes/{app}").json["instances"] == 1


@pytest.mark.parametrize("kind", ["organizations", "spaces", "apps"])
def test_deletion_takes_everything_inside(api: Api, kind: str) -> None:
    """A deletion answers 202 with a finished job, and what was inside is gone."""
    space = api.space()
    apps = [api.app_in(space, name) for name in ("one", "two")]
    guid = api.get(f"/v3/{kind}").json["resources"][0]["guid"]
    answer = api.call("DELETE", f"/v3/{kind}/{guid}")
    job = api.get(answer.headers["location"].removeprefix(BASE_URL)).json
    assert (answer.status, answer.text, job["state"]) == (202, "", "COMPLETE")
    assert api.get(f"/v3/{kind}/{guid}").status == api.get(f"/v3/processes/{apps[0]}").status == 404


def test_request_id_is_given(api: Api) -> None:
    """Every answer has an id, which begins with what the client sent, cleaned."""
    answer = api.call("GET", "/v3", headers={"x-vcap-request-id": "a b<c>-_9"})
    assert answer.headers["x-vcap-request-id"].startswith("abc-_9::")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier", {"web", "back"}),
        ("!tier", {"bare"}),
        ("tier=web", {"web"}),
        ("tier==back", {"back"}),
        ("tier!=web", {"back", "bare"}),
        ("tier in (web,back)", {"web", "back"}),
        ("tier notin (web)", {"back", "bare"}),
        ("tier,example.org/stage in (one,two)", {"web"}),
        ("tier=", set()),
    ],
)
def test_labels_select(api: Api, selector: str, found: set[str]) -> None:
    """A label selector finds what bears the label, by each of its operators and by several requirements at once."""
    space = api.space()
    every = {"web": {"tier": "web", "example.org/stage": "two"}, "back": {"tier": "back"}, "bare": {}}
    for name, labels in every.items():
        body = {"name": name, **to("space", space), "metadata": {"labels": labels}}
        assert api.post("/v3/apps", body).json["metadata"]["labels"] == labels
    rows = api.get(f"/v3/apps?label_selector={quote(selector)}").json["resources"]
    assert {row["name"] for row in rows} == found


@pytest.mark.parametrize(
    "labels", [{"no dots/key": "a"}, {"purge/key": "a"}, {"cloudfoundry.org/a": "b"}, {"a": "-b"}, {"a": 1}, ["a"]]
)
def test_wrong_labels_are_refused(api: Api, labels: object) -> None:
    """What is no label by Cloud Controller's rules answers 422; a prefix needs a dot, and one is reserved."""
    body = {"name": "a", **to("space", api.space()), "metadata": {"labels": labels}}
    assert api.post("/v3/apps", body).status == 422


def form(bits: bytes, name: str = "droplet.tgz", field: str = "bits") -> bytes:
    """Write a form with a text and a file."""
    text = b'--x\r\nContent-Disposition: form-data; name="bits"\r\n\r\na text\r\n'
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return text + head.encode() + bits + b"\r\n--x--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=x"}


def test_droplet_is_uploaded_once(api: Api) -> None:
    """A droplet without a source awaits its upload, is then staged as it was sent, and takes no other."""
    app = api.app_in(api.space(), "app", started=False)
    made = api.post("/v3/droplets", {**to("app", app), "process_types": {"web": "run"}}).json
    path, bits = f"/v3/droplets/{made['guid']}", b"\r\n--\0-\r\n"
    current = f"/v3/apps/{app}/relationships/current_droplet"
    assert (made["state"], made["process_types"], made["checksum"]) == ("AWAITING_UPLOAD", {"web": "run"}, None)
    assert api.call("PATCH", current, {"data": {"guid": made["guid"]}}).status == 422
    assert api.post(f"/v3/droplets?source_guid={made['guid']}", to("app", app)).status == 422
    answer = api.call("POST", f"{path}/upload", form(bits), headers=FORM)
    assert (answer.status, answer.json["state"]) == (202, "PROCESSING_UPLOAD")
    assert api.get(answer.headers["location"].removeprefix(BASE_URL)).json["state"] == "COMPLETE"
    found = api.get(path).json
    assert (found["state"], found["checksum"]["value"]) == ("STAGED", sha256(bits).hexdigest())
    assert api.call("PATCH", current, {"data": {"guid": made["guid"]}}).status == 200
    again = api.call("POST", f"{path}/upload", form(bits), headers=FORM)
    assert (again.status, again.json["errors"][0]["detail"].partition(".")[0]) == (
        422,
        "Droplet may be uploaded only once",
    )


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (form(b"x"), {"content-type": "multipart/form-data"}, "must be uploaded as 'bits'"),
        (form(b"x"), {"content-type": "multipart/form-data; boundary=y"}, "must be uploaded as 'bits'"),
        (form(b"x"), {"content-type": "text/plain; boundary=x"}, "must be uploaded as 'bits'"),
        (form(b"x", field="other"), FORM, "must be uploaded as 'bits'"),
        (b"", FORM, "must be uploaded as 'bits'"),
        (form(b"x", "app.zip"), FORM, "app.zip is not a tgz"),
        (form(b""), FORM, "droplet.tgz cannot be empty"),
    ],
)
def test_bad_upload_is_refused(api: Api, body: bytes, headers: dict[str, str], words: str) -> None:
    """What is no form with the file of a droplet answers 422, and the droplet still awaits its upload."""
    made = api.post("/v3/droplets", to("app", api.app_in(api.space(), "app", started=False))).json
    answer = api.call("POST", f"/v3/droplets/{made['guid']}/upload", body, headers=headers)
    assert (answer.status, words in answer.json["errors"][0]["detail"]) == (422, True)
    assert api.get(f"/v3/droplets/{made['guid']}").json["state"] == "AWAITING_UPLOAD"


def test_droplet_is_of_its_app(api: Api) -> None:
    """An app runs a droplet of its own alone: a copy of another app's, and not that one itself."""
    space = api.space()
    one, other = (api.app_in(space, name, started=False) for name in ("one", "other"))
    package = {"type": "docker", "data": {"image": "an-image"}, **to("app", one)}
    build = api.post("/v3/builds", {"package": {"guid": api.post("/v3/packages", package).json["guid"]}}).json
    source = build["droplet"]["guid"]
    copy = api.post(f"/v3/droplets?source_guid={source}", {**to("app", other)}).json["guid"]
    current = f"/v3/apps/{other}/relationships/current_droplet"
    assert api.call("PATCH", current, {"data": {"guid": source}}).status == 422
    assert api.get(f"/v3/apps/{other}/droplets/current").status == 404
    assert api.call("PATCH", current, {"data": {"guid": copy}}).status == 200
    assert api.get(f"/v3/apps/{other}/droplets/current").json["guid"] == copy
    assert api.call("DELETE", f"/v3/apps/{other}").status == 202
    assert (api.get(f"/v3/droplets/{copy}").status, api.get(f"/v3/droplets/{source}").status) == (404, 200)
