"""What the suite's own apps run: nothing, copies of a droplet, or a docker image or a file that becomes one once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from purge_conformance.client.client import Request
from purge_conformance.config.droplet_file import CONTENT_TYPE, CURL
from purge_conformance.evidence.listing import APPS, LABEL, member
from purge_conformance.evidence.records import FORM
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.api import in_words, is_done, to

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.config.apps import Driving
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.evidence.records import Exchange

MEMORY_IN_MB = 64  # little, for the quota of a space
LONG = 60  # looks at what is staged, copied or uploaded
STEP = "equip"  # of all requests
UNPROCESSABLE = 422
NOTHING_GIVEN = (
    " Give the apps something to run: --app-droplet GUID, or --app-droplet-file FILE, or --app-docker-image REF"
)
QUOTA = re.compile("quota|limit", re.IGNORECASE)  # as in Cloud Controller's `memory quota_exceeded`


class NothingToRun(Exception):
    """An app could not be given what it is to run; the text says why."""


class Equipment:
    """Gives apps what they run."""

    def __init__(self, client: Client, driving: Driving, run: str) -> None:
        """Have staged and uploaded nothing yet; `run` is what the label says."""
        self._client, self._driving, self._run = client, driving, run
        self._source = driving.droplet
        self._owner = ""  # the app for which the source was staged or uploaded

    @property
    def lifecycle(self) -> dict[str, object] | None:
        """What an app must be created with; None where it is as usual."""
        return {"type": "docker", "data": {}} if self._driving.docker_image else None

    def give(self, app: str) -> None:
        """Give an app a droplet of its own, and little memory; nothing, where it needs none.

        Raises:
            NothingToRun: the target does not let it.
        """
        if self._driving.runs_nothing:
            return
        if self._source:
            droplet = self._copied(self._source, app)
        else:
            droplet, self._owner = self._made(app), app
            self._source = droplet
        path = f"{APPS}/{app}/relationships/current_droplet"
        _checked(self._send("PATCH", path, {"data": {"guid": droplet}}))
        self._send("POST", f"{APPS}/{app}/processes/web/actions/scale", {"memory_in_mb": MEMORY_IN_MB})

    def cure(self, answer: Exchange) -> str:
        """Return what to give where the target refuses to start an app, after a space; empty where nobody knows."""
        wants = answer.status == UNPROCESSABLE and self._driving.runs_nothing
        return room(answer) or (NOTHING_GIVEN if wants else "")

    def lose(self, app: str) -> None:
        """Take note that an app is deleted, and with it what was staged or uploaded for it."""
        if app == self._owner:
            self._source = None

    def _made(self, app: str) -> str:
        file = self._driving.droplet_file
        return self._uploaded(file, app) if file else self._staged(str(self._driving.docker_image), app)

    def _copied(self, source: str, app: str) -> str:
        answer = self._send("POST", f"/v3/droplets?source_guid={source}", {"relationships": to("app", app)})
        droplet = _guid(answer)
        self._await(answer, f"/v3/droplets/{droplet}")
        return droplet

    def _uploaded(self, file: Upload, app: str) -> str:
        droplet = _guid(self._send("POST", "/v3/droplets", {"relationships": to("app", app)}))
        path, headers = f"/v3/droplets/{droplet}", {"Content-Type": CONTENT_TYPE}
        upload = Request("POST", f"{path}/upload", STEP, headers=headers, tags={FORM: CURL}, upload=file)
        _checked(self._client.send(upload))
        self._await(self._client.get(path, STEP), path)
        return droplet

    def _staged(self, image: str, app: str) -> str:
        package = {
            "type": "docker",
            "data": {"image": image},
            "relationships": to("app", app),
            "metadata": {"labels": {LABEL: self._run}},
        }
        made = self._send("POST", "/v3/packages", package)
        build = self._send("POST", "/v3/builds", {"package": {"guid": _guid(made)}})
        staged = self._await(build, f"/v3/builds/{_guid(build)}")
        return _guid(staged, "droplet", "guid")

    def _await(self, answer: Exchange, path: str) -> Exchange:
        """Return the answer that shows what was asked for as staged."""
        for _ in jobs.waiting(LONG):
            state = member(_checked(answer).json, "state")
            if state == "STAGED":
                return answer
            if state in {"FAILED", "EXPIRED"}:
                break
            answer = self._client.get(path, STEP)
        raise NothingToRun(f"{path} is not staged: {in_words(answer)}")

    def _send(self, method: str, path: str, data: object) -> Exchange:
        headers = {"Content-Type": "application/json"}
        return self._client.send(Request(method, path, STEP, headers=headers, body=json.dumps(data)))


def room(answer: Exchange) -> str:
    """Return what to do where the target refuses something for a quota, after a space; empty where that is not so."""
    is_full = answer.status == UNPROCESSABLE and QUOTA.search(answer.text)
    return " Make room in the quota, or name a space that has some: --space GUID" if is_full else ""


def _checked(answer: Exchange) -> Exchange:
    if not is_done(answer) or not isinstance(answer.json, dict):
        raise NothingToRun(f"{answer.method} {answer.path}: {in_words(answer)}")
    return answer


def _guid(answer: Exchange, *names: str) -> str:
    guid = member(_checked(answer).json, *(names or ("guid",)))
    if not isinstance(guid, str):
        raise NothingToRun(f"{answer.method} {answer.path} names no {' '.join(names) or 'guid'}: {in_words(answer)}")
    return guid
