"""Droplets of the suite's own apps: copies of an existing, an uploaded or a staged one; or none."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.client.client import Request
from purge_conformance.config.droplet_file import CONTENT_TYPE, CURL_FORM
from purge_conformance.evidence.listing import APPS, RUN_LABEL, dig
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.hints import quota_hint
from purge_conformance.target.apps.resources import relationship, summarize_response
from purge_conformance.target.candidates import DROPLETS_PATH, staged_droplets

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.config.apps import AppSettings
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

DROPLETS, BUILDS = "/v3/droplets", "/v3/builds"
MEMORY_IN_MB = 64  # small, because a space has a quota
STAGING_POLLS = 60
NO_DROPLET_HINT = "Give the apps a droplet: --app-droplet GUID{}, --app-droplet-file FILE or --app-docker-image REF"


class DropletUnavailable(Exception):
    """An app has no droplet; the text says why."""


class DropletProvider:
    """Creates one droplet and gives each app a copy of it."""

    def __init__(self, client: Client, settings: AppSettings, run: str) -> None:
        """Stage and upload nothing yet; `run` is the value of the label."""
        self._client, self._settings, self._run = client, settings, run
        self._source = settings.droplet
        self._source_app = ""  # the app that owns the staged or uploaded droplet

    @property
    def lifecycle(self) -> dict[str, object] | None:
        """The member `lifecycle` of a new app; None for the target's default."""
        return {"type": "docker", "data": {}} if self._settings.docker_image else None

    def provide(self, app: str) -> None:
        """Give an app its own droplet and little memory, if a droplet is configured.

        Raises:
            DropletUnavailable: the target rejected a request.
        """
        if self._settings.has_nothing_to_run:
            return
        if self._source:
            droplet = self._copy_droplet(self._source, app)
        else:
            droplet, self._source_app = self._create_droplet(app), app
            self._source = droplet
        self._assign(droplet, app)
        self._send("POST", f"{resource_path(APPS, app)}/processes/web/actions/scale", {"memory_in_mb": MEMORY_IN_MB})

    def assign_copy(self, app: str, where: Where) -> None:
        """Assign an app another copy of the droplet that it runs; nothing if it runs none, or gets no copy."""
        if self._source:
            with suppress(DropletUnavailable):
                self._assign(self._copy_droplet(self._source, app), app, where)

    def next_step(self, answer: Exchange) -> str:
        """Return the next step after a failed start, which proposes existing droplets; empty if none is known."""
        needs_droplet = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and self._settings.has_nothing_to_run
        return quota_hint(answer) or (self._propose_droplet() if needs_droplet else "")

    def _propose_droplet(self) -> str:
        guids = staged_droplets(self._client.get(DROPLETS_PATH, Step.FIND_DROPLET))
        return NO_DROPLET_HINT.format(f" ({' or '.join(guids)})" if guids else "")

    def forget_app(self, app: str) -> None:
        """Forget the droplet of a deleted app: the target deletes it with the app."""
        if app == self._source_app:
            self._source = None

    def _assign(self, droplet: str, app: str, where: Where = Step.PREPARE_DROPLET) -> None:
        path = f"{resource_path(APPS, app)}/relationships/current_droplet"
        _require_json(self._send("PATCH", path, {"data": {"guid": droplet}}, where))

    def _create_droplet(self, app: str) -> str:
        file = self._settings.droplet_file
        return self._upload_droplet(file, app) if file else self._stage_image(str(self._settings.docker_image), app)

    def _copy_droplet(self, source: str, app: str) -> str:
        path = f"{DROPLETS}?{urlencode({'source_guid': source}, errors='replace')}"
        answer = self._send("POST", path, {"relationships": relationship("app", app)})
        droplet = _guid(answer)
        self._await_staged(answer, resource_path(DROPLETS, droplet))
        return droplet

    def _upload_droplet(self, file: Upload, app: str) -> str:
        droplet = _guid(self._send("POST", DROPLETS, {"relationships": relationship("app", app)}))
        path, headers = resource_path(DROPLETS, droplet), {"Content-Type": CONTENT_TYPE}
        upload = Request("POST", f"{path}/upload", Step.PREPARE_DROPLET, headers=headers, upload=file)
        _require_json(self._client.send(replace(upload, tags={Tag.FORM: CURL_FORM})))
        self._await_staged(self._client.get(path, Step.PREPARE_DROPLET), path)
        return droplet

    def _stage_image(self, image: str, app: str) -> str:
        package = {
            "type": "docker",
            "data": {"image": image},
            "relationships": relationship("app", app),
            "metadata": {"labels": {RUN_LABEL: self._run}},
        }
        package_response = self._send("POST", "/v3/packages", package)
        build = self._send("POST", BUILDS, {"package": {"guid": _guid(package_response)}})
        finished_build = self._await_staged(build, resource_path(BUILDS, _guid(build)))
        return _guid(finished_build, "droplet", "guid")

    def _await_staged(self, answer: Exchange, path: str) -> Exchange:
        """Wait until a droplet or build is staged; return the response that says so."""
        for _ in jobs.poll(STAGING_POLLS):
            state = dig(_require_json(answer).json, "state")
            if state == "STAGED":
                return answer
            if state in {"FAILED", "EXPIRED"}:
                break
            answer = self._client.get(path, Step.PREPARE_DROPLET)
        raise DropletUnavailable(f"{path} is not staged: {summarize_response(answer)}")

    def _send(self, method: str, path: str, data: object, where: Where = Step.PREPARE_DROPLET) -> Exchange:
        headers = {"Content-Type": "application/json"}
        return self._client.send(Request(method, path, where, headers=headers, body=json.dumps(data)))


def _require_json(answer: Exchange) -> Exchange:
    if not answer.succeeded or not isinstance(answer.json, dict):
        raise DropletUnavailable(f"{answer.method} {answer.path}: {summarize_response(answer)}")
    return answer


def _guid(answer: Exchange, *names: str) -> str:
    guid = dig(_require_json(answer).json, *(names or ("guid",)))
    if not is_usable_guid(guid):
        raise DropletUnavailable(
            f"{answer.method} {answer.path} has no usable {'.'.join(names) or 'guid'}: {summarize_response(answer)}"
        )
    return guid
