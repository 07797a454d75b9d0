"""Droplets of the reference server."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import BASE_URL, relationship

if TYPE_CHECKING:
    from meta.support.reference_api import Api


def form(bits: bytes, name: str = "droplet.tgz", field: str = "bits") -> bytes:
    """Return a form with a text and a file."""
    text = b'--x\r\nContent-Disposition: form-data; name="bits"\r\n\r\na text\r\n'
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return text + head.encode() + bits + b"\r\n--x--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=x"}


def test_droplet_is_uploaded_once(api: Api) -> None:
    """A droplet without a source awaits its upload, is staged after it, and accepts no second upload."""
    app = api.app_in(api.space(), "app", started=False)
    made = api.post("/v3/droplets", {**relationship("app", app), "process_types": {"web": "run"}}).json
    path, bits = f"/v3/droplets/{made['guid']}", b"\r\n--\0-\r\n"
    current = f"/v3/apps/{app}/relationships/current_droplet"
    assert (made["state"], made["process_types"], made["checksum"]) == ("AWAITING_UPLOAD", {"web": "run"}, None)
    assert api.call("PATCH", current, {"data": {"guid": made["guid"]}}).status == 422
    assert api.post(f"/v3/droplets?source_guid={made['guid']}", relationship("app", app)).status == 422
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
def test_invalid_upload_is_rejected(api: Api, body: bytes, headers: dict[str, str], words: str) -> None:
    """An upload without the file of a droplet responds with 422, and the droplet still awaits its upload."""
    made = api.post("/v3/droplets", relationship("app", api.app_in(api.space(), "app", started=False))).json
    answer = api.call("POST", f"/v3/droplets/{made['guid']}/upload", body, headers=headers)
    assert (answer.status, words in answer.json["errors"][0]["detail"]) == (422, True)
    assert api.get(f"/v3/droplets/{made['guid']}").json["state"] == "AWAITING_UPLOAD"


def test_droplet_belongs_to_app(api: Api) -> None:
    """An app runs a droplet of its own only: a copy of another app's droplet, not that droplet itself."""
    space = api.space()
    one, other = (api.app_in(space, name, started=False) for name in ("one", "other"))
    package = {"type": "docker", "data": {"image": "an-image"}, **relationship("app", one)}
    build = api.post("/v3/builds", {"package": {"guid": api.post("/v3/packages", package).json["guid"]}}).json
    source = build["droplet"]["guid"]
    copy = api.post(f"/v3/droplets?source_guid={source}", {**relationship("app", other)}).json["guid"]
    current = f"/v3/apps/{other}/relationships/current_droplet"
    assert api.call("PATCH", current, {"data": {"guid": source}}).status == 422
    assert api.get(f"/v3/apps/{other}/droplets/current").status == 404
    assert api.call("PATCH", current, {"data": {"guid": copy}}).status == 200
    assert api.get(f"/v3/apps/{other}/droplets/current").json["guid"] == copy
    assert api.call("DELETE", f"/v3/apps/{other}").status == 202
    assert (api.get(f"/v3/droplets/{copy}").status, api.get(f"/v3/droplets/{source}").status) == (404, 200)
