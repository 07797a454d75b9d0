"""What the suite's own apps run: nothing, copies of a droplet, or a docker image or a file that becomes one once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from purge_conformance.client.client import Request
from purge_conformance.config.droplet_file import CONTENT_TYPE, CURL_FORM
from purge_conformance.evidence.listing import APPS, RUN_LABEL, dig
from purge_conformance.evidence.records import FORM
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.resources import is_success, relationship, summarize_response

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.config.apps import AppSettings
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.evidence.records import Exchange

MEMORY_IN_MB = 64  # little, for the quota of a space
STAGING_POLLS = 60  # looks at what is staged, copied or uploaded
STEP = "equip"  # of all requests
UNPROCESSABLE = 422
NO_DROPLET_HINT = (
    " Give the apps something to run: --app-droplet GUID, or --app-droplet-file FILE, or --app-docker-image REF"
)
QUOTA = re.compile("quota|limit", re.IGNORECASE)  # as in Cloud Controller's `memory quota_exceeded`


class DropletUnavailable(Exception):
    """An app could not be given what it is to run; the text says why."""


class DropletProvider:
    """Gives apps what they run."""

    def __init__(self, client: Client, settings: AppSettings, run: str) -> None:
        """Have staged and uploaded nothing yet; `run` is what the label says."""
        self._client, self._settings, self._run = client, settings, run
        self._source = settings.droplet
        self._source_app = ""  # the app for which the source was staged or uploaded

    @property
    def lifecycle(self) -> dict[str, object] | None:
        """What an app must be created with; None where it is as usual."""
        return {"type": "docker", "data": {}} if self._settings.docker_image else None

    def provide(self, app: str) -> None:
        """Give an app a droplet of its own, and little memory; nothing, where it needs none.

        Raises:
            NothingToRun: the target does not let it.
        """
        if self._settings.has_nothing_to_run:
            return
        if self._source:
            droplet = self._copy_droplet(self._source, app)
        else:
            droplet, self._source_app = self._create_droplet(app), app
            self._source = droplet
        path = f"{APPS}/{app}/relationships/current_droplet"
        _require_json(self._send("PATCH", path, {"data": {"guid": droplet}}))
        self._send("POST", f"{APPS}/{app}/processes/web/actions/scale", {"memory_in_mb": MEMORY_IN_MB})

    def next_step(self, answer: Exchange) -> str:
        """Return what to give where the target refuses to start an app, after a space; empty where nobody knows."""
        needs_droplet = answer.status == UNPROCESSABLE and self._settings.has_nothing_to_run
        return quota_hint(answer) or (NO_DROPLET_HINT if needs_droplet else "")

    def forget_app(self, app: str) -> None:
        """Take note that an app is deleted, and with it what was staged or uploaded for it."""
        if app == self._source_app:
            self._source = None

    def _create_droplet(self, app: str) -> str:
        file = self._settings.droplet_file
        return self._upload_droplet(file, app) if file else self._stage_image(str(self._settings.docker_image), app)

    def _copy_droplet(self, source: str, app: str) -> str:
        answer = self._send("POST", f"/v3/droplets?source_guid={source}", {"relationships": relationship("app", app)})
        droplet = _guid(answer)
        self._await_staged(answer, f"/v3/droplets/{droplet}")
        return droplet

    def _upload_droplet(self, file: Upload, app: str) -> str:
        droplet = _guid(self._send("POST", "/v3/droplets", {"relationships": relationship("app", app)}))
        path, headers = f"/v3/droplets/{droplet}", {"Content-Type": CONTENT_TYPE}
        upload = Request("POST", f"{path}/upload", STEP, headers=headers, tags={FORM: CURL_FORM}, upload=file)
        _require_json(self._client.send(upload))
        self._await_staged(self._client.get(path, STEP), path)
        return droplet

    def _stage_image(self, image: str, app: str) -> str:
        package = {
            "type": "docker",
            "data": {"image": image},
            "relationships": relationship("app", app),
            "metadata": {"labels": {RUN_LABEL: self._run}},
        }
        package_response = self._send("POST", "/v3/packages", package)
        build = self._send("POST", "/v3/builds", {"package": {"guid": _guid(package_response)}})
        finished_build = self._await_staged(build, f"/v3/builds/{_guid(build)}")
        return _guid(finished_build, "droplet", "guid")

    def _await_staged(self, answer: Exchange, path: str) -> Exchange:
        """Return the answer that shows what was asked for as staged."""
        for _ in jobs.poll(STAGING_POLLS):
            state = dig(_require_json(answer).json, "state")
            if state == "STAGED":
                return answer
            if state in {"FAILED", "EXPIRED"}:
                break
            answer = self._client.get(path, STEP)
        raise DropletUnavailable(f"{path} is not staged: {summarize_response(answer)}")

    def _send(self, method: str, path: str, data: object) -> Exchange:
        headers = {"Content-Type": "application/json"}
        return self._client.send(Request(method, path, STEP, headers=headers, body=json.dumps(data)))


def quota_hint(answer: Exchange) -> str:
    """Return what to do where the target refuses something for a quota, after a space; empty where that is not so."""
    is_full = answer.status == UNPROCESSABLE and QUOTA.search(answer.text)
    return " Make room in the quota, or name a space that has some: --space GUID" if is_full else ""


def _require_json(answer: Exchange) -> Exchange:
    if not is_success(answer) or not isinstance(answer.json, dict):
        raise DropletUnavailable(f"{answer.method} {answer.path}: {summarize_response(answer)}")
    return answer


def _guid(answer: Exchange, *names: str) -> str:
    guid = dig(_require_json(answer).json, *(names or ("guid",)))
    if not isinstance(guid, str):
        raise DropletUnavailable(
            f"{answer.method} {answer.path} names no {' '.join(names) or 'guid'}: {summarize_response(answer)}"
        )
    return guid
