"""Apps of the suite's own, to start, stop and scale; nobody else's app is ever touched."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from purge_conformance.client import Request
from purge_conformance.snapshot import STARTED, STOPPED, member, resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.client import Client
    from purge_conformance.evidence import Exchange
    from purge_conformance.snapshot import Row

TRIES, PAUSE = 20, 0.1  # looks whether what was asked for is done, and seconds between them
ACCEPTED, NOT_FOUND = 202, 404
# What each app is for; should there be a quota, most depends on the first. The last lives in a second organization.
LABELS = ("mover", "steady", "scaled", "idle", "empty", "paused", "deleted", "elsewhere")
ODD_NAME = "ÄÖü-漢字-" + "long-" * 20  # of the app `elsewhere`, where the target takes it


class Foundation:
    """The suite's own apps on the target.

    Attributes:
        apps: label -> guid of the apps that exist.
        started: labels of those that are started.
        trouble: why an app could not be made or started; empty where all is well.
    """

    def __init__(self, client: Client) -> None:
        """Begin with nothing."""
        self._client = client
        self._made: list[str] = []  # paths, in the order of creation
        self._startable = True
        self._run = secrets.token_hex(4)
        self._home: str | None = None
        self._patience = TRIES  # looks whether an app is gone; one, where once it never was
        self.apps: dict[str, str] = {}
        self.started: set[str] = set()
        self.trouble = ""

    def build(self) -> None:
        """Make two spaces in two organizations, and the apps, in the states that the experiments need."""
        run = self._run
        home = self._home = self._space(f"purge-conformance-{run}-a")
        away = self._space(f"purge-conformance-{run}-b") if home else None
        for label in LABELS:
            if not home:
                break
            self._app(label, f"{label}-{run}", (away or home) if label == "elsewhere" else home)
        for label in ("steady", "scaled", "empty", "paused", "deleted", "elsewhere"):
            self.start(label)
        self.scale("scaled", instances=2, memory_in_mb=128)
        for label in ("empty", "paused"):  # a started app without an instance is a started app, a stopped one is none
            self.scale(label, instances=0)
        for label in ("paused", "elsewhere"):
            self.stop(label)
        self.start("elsewhere")
        self._delete("deleted")
        self._client.note("apps", self.apps)
        self._client.note("trouble", self.trouble)

    def start(self, label: str) -> bool:
        """Start an app; return whether that was possible."""
        if label not in self.apps or not self._startable:
            return False
        answer = self._client.post(f"/v3/apps/{self.apps[label]}/actions/start", f"start-{label}")
        self._startable = self.became(self.apps[label], STARTED, answer, f"became-{label}")
        if not self._startable:
            self.trouble = f"an app of the suite's own could not be started: {_answer(answer)}"
            return False
        self.started.add(label)
        return True

    def stop(self, label: str) -> bool:
        """Stop a started app; return whether that was possible."""
        if label not in self.started:
            return False
        answer = self._client.post(f"/v3/apps/{self.apps[label]}/actions/stop", f"stop-{label}")
        done = self.became(self.apps[label], STOPPED, answer, f"became-{label}")
        if done:
            self.started.discard(label)
        return done

    def scale(self, label: str, **size: int) -> bool:
        """Scale a started app, by `instances` or `memory_in_mb`; return whether that was possible."""
        if label not in self.started:
            return False
        path = f"/v3/apps/{self.apps[label]}/processes/web/actions/scale"
        return _done(self._client.post(path, f"scale-{label}", data=size))

    def either(self, label: str, other: str) -> str:
        """Return a label, or another one where there is no such app."""
        return label if label in self.apps else other

    def stir(self) -> bool:
        """Make an ordinary event; return whether one was made."""
        return self.stop("mover") if "mover" in self.started else self.start("mover")

    def request(self, label: str, change: str, step: str, *, instances: int = 1) -> Request:
        """Return the request that starts, stops or scales an app, for whoever sends it and then lets `learn` know."""
        path = f"/v3/apps/{self.apps[label]}"
        if change == "scale":
            body = json.dumps({"instances": instances})
            return Request(
                "POST",
                f"{path}/processes/web/actions/scale",
                step,
                headers={"Content-Type": "application/json"},
                body=body,
            )
        return Request("POST", f"{path}/actions/{change}", step)

    def learn(self, apps: Iterable[Row]) -> None:
        """Take from a look at apps which of the suite's own are started."""
        states = {row["guid"]: row.get("state") for row in apps}
        self.started = {label for label, guid in self.apps.items() if states.get(guid) == STARTED}

    @property
    def usable(self) -> bool:
        """Whether apps could be made and started."""
        return self._home is not None and bool(self.apps) and self._startable

    def make_room(self) -> None:
        """Delete the apps, if it was not possible to make all of them."""
        for label in list(self.apps) if self.trouble else ():
            self.remove(self.apps.pop(label), "make room")
        self.started &= set(self.apps)

    def further(self, name: str, step: str) -> tuple[Exchange, str | None]:
        """Ask for one more app, stopped, beside the first ones; return the answer, and its guid once it is there."""
        name = f"{name}-{self._run}"
        relationships = _to("space", str(self._home))
        answer = self._client.post("/v3/apps", step, data={"name": name, "relationships": relationships})
        return answer, self._kept("/v3/apps", name, answer, f"{step} made")

    def remove(self, guid: str, step: str) -> Exchange:
        """Ask for the deletion of an app of the suite's own."""
        path = f"/v3/apps/{guid}"
        answer = self._client.delete(path, step)
        if _done(answer) and path in self._made:
            self._made.remove(path)
        return answer

    def is_gone(self, guid: str, step: str) -> bool:
        """Look whether a deleted app is gone for good, now or soon."""
        for _ in range(self._patience):
            if self._client.get(f"/v3/apps/{guid}", step).status == NOT_FOUND:
                return True
            time.sleep(PAUSE)
        self._patience = 1
        return False

    def became(self, guid: str, state: str, answer: Exchange, step: str) -> bool:
        """Return whether a start or a stop was answered with success, and the app tells of no other state for long."""
        if not _done(answer):
            return False
        for _ in range(TRIES):
            if not _done(answer) or member(answer.json, "state") == state:
                return True
            time.sleep(PAUSE)
            answer = self._client.get(f"/v3/apps/{guid}", step)
        return False

    def demolish(self) -> None:
        """Delete all that was made, and note what was left over."""
        left = []
        for path in reversed(self._made):
            answer = self._client.delete(path, "demolish")
            if not _done(answer) and answer.status != NOT_FOUND:
                left.append(path)
        self._client.note("left", left)

    def _space(self, name: str) -> str | None:
        organization = self._create("/v3/organizations", {"name": name})
        if not organization:
            return None
        return self._create("/v3/spaces", {"name": name, "relationships": _to("organization", organization)})

    def _app(self, label: str, name: str, space: str) -> None:
        trouble = self.trouble
        for tried in (f"{name}-{ODD_NAME}", name) if label == "elsewhere" else (name,):
            guid = self._create("/v3/apps", {"name": tried, "relationships": _to("space", space)})
            if guid:
                self.apps[label], self.trouble = guid, trouble
                return

    def _create(self, path: str, data: dict[str, Any]) -> str | None:
        answer = self._client.post(path, "create", data=data)
        guid = self._kept(path, data["name"], answer, "created")
        if not guid:
            self.trouble = f"POST {path} made nothing: {_answer(answer)}"
        return guid

    def _kept(self, path: str, name: str, answer: Exchange, step: str) -> str | None:
        """Keep in mind what was made, and return its guid; None where nothing was."""
        guid = member(answer.json, "guid") if isinstance(answer.json, dict) else None
        if answer.status == ACCEPTED:
            guid = self._made_at_last(path, name, step)
        if not _done(answer) or not isinstance(guid, str):
            return None
        self._made.append(f"{path}/{guid}")
        return guid

    def _made_at_last(self, path: str, name: str, step: str) -> str | None:
        """Return the guid of what is made by a job, once it is there."""
        for _ in range(TRIES):
            rows = resources(self._client.get(f"{path}?names={quote(name)}", step))
            if found := [row["guid"] for row in rows if row.get("name") == name]:
                return str(found[0])
            time.sleep(PAUSE)
        return None

    def _delete(self, label: str) -> None:
        """Delete an app, and forget it unless it is soon gone for good."""
        if label not in self.started:
            return
        self.started.discard(label)
        guid = self.apps.pop(label)
        self._client.delete(f"/v3/apps/{guid}", "delete")
        if self.is_gone(guid, "gone"):
            self._made.remove(f"/v3/apps/{guid}")


def _to(name: str, guid: str) -> dict[str, Any]:
    return {name: {"data": {"guid": guid}}}


def _done(answer: Exchange) -> bool:
    return answer.status is not None and answer.status // 100 == 2  # noqa: PLR2004 -- 2xx


def _answer(answer: Exchange) -> str:
    return f"{answer.status or answer.error} {answer.text[:200]}".strip()
