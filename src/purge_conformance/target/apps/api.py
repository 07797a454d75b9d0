"""Makes things on the target, each with the label of the run, and takes them away again."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from purge_conformance.errors import HeldBack, TargetLost
from purge_conformance.evidence.listing import APPS, LABEL, member, resources
from purge_conformance.target.apps import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

TRIES, PAUSE = 20, 0.1  # looks whether what was asked for is done, and seconds between them
LAST_LOOKS = 6  # for what was accepted and not seen, before all is taken down: few requests are left by then
BACK = (0.5, 1.0, 2.0)  # seconds to wait for a target that is away while things are taken down
ACCEPTED, NOT_FOUND, FAILED = 202, 404, 500
ORGANIZATIONS, SPACES = "/v3/organizations", "/v3/spaces"


class Maker:
    """Makes things, and remembers them.

    Attributes:
        run: what the label says, and all names end with.
    """

    def __init__(self, client: Client) -> None:
        """Begin with nothing."""
        self._client = client
        self._made: dict[str, str | None] = {}  # path -> the job that deletes it, if it was asked for; oldest first
        self._is_unsure = False  # whether something may have been made that nobody told of
        self._awaited: dict[str, str] = {}  # name -> path of what was accepted and not seen yet
        self.run = secrets.token_hex(4)

    def make(self, path: str, name: str, step: str = "create", /, **more: object | None) -> tuple[Exchange, str | None]:
        """Ask for something with that name; return the answer, and its guid once it is there."""
        data: dict[str, object] = {"name": name, "metadata": {"labels": {LABEL: self.run}}}
        data |= {key: value for key, value in more.items() if value is not None}
        answer = self._asked(path, step, data)
        if answer.status == FAILED:
            self._is_unsure = True  # it may be made all the same
            answer = self._asked(path, step, data)
        guid = member(answer.json, "guid") if isinstance(answer.json, dict) else None
        if answer.status == ACCEPTED:
            guid = self._made_at_last(path, name, "created" if step == "create" else f"{step} made")
        self._is_unsure = self._is_unsure or answer.status is None or (is_done(answer) and guid is None)
        if not is_done(answer) or not isinstance(guid, str):
            return answer, None
        self._made[f"{path}/{guid}"] = None
        return answer, guid

    def _asked(self, path: str, step: str, data: object) -> Exchange:
        try:
            return self._client.post(path, step, data=data)
        except TargetLost:
            self._is_unsure = True
            raise

    def remove(self, path: str, step: str) -> Exchange:
        """Ask for the deletion of something that was made here; whether it is gone is seen later."""
        answer = twice_at_most(partial(self._client.delete, path, step))
        if is_done(answer) and path in self._made:
            self._made[path] = jobs.job_of(answer)
            if self._made[path] is None:
                self.forget(path)
        return answer

    def forget(self, path: str) -> None:
        """Take note that something is gone for good."""
        self._made.pop(path, None)

    def remove_all(self) -> list[str]:
        """Delete all that is left, the last made first, and wait until it is gone; return what is not, with the reason.

        A target that is away is waited for a little.
        """
        left: dict[str, str] = {}
        try:
            left |= self._find()
            for path in [*reversed(self._made)]:
                if why := self._refused(path):
                    left[path] = why
            for path, job in [*reversed(self._made.items())]:
                if job and (why := jobs.unfinished(self._client, job, "demolish job")):
                    left[path] = why
                self.forget(path)
        except (HeldBack, TargetLost) as reason:
            left |= dict.fromkeys(reversed(self._made), str(reason))
        left |= {f"{path} {name}": "it was accepted and never seen" for name, path in self._awaited.items()}
        return [f"{path} ({why})" for path, why in left.items()]

    def _refused(self, path: str) -> str:
        """Ask for a deletion, unless that is done; return why it was not to be had, or nothing.

        What goes with an organization need not be waited for by itself.
        """
        job, why = self._made[path], ""
        if job is None:
            answer = twice_at_most(partial(_patiently, partial(self._client.delete, path, "demolish")))
            job = jobs.job_of(answer)
            why = "" if is_done(answer) or answer.status == NOT_FOUND else in_words(answer)
        in_organization = any(other.startswith(ORGANIZATIONS) for other in self._made)
        if job is None or (in_organization and not path.startswith(ORGANIZATIONS)):
            self.forget(path)
        else:
            self._made[path] = job
        return why

    def _find(self) -> dict[str, str]:
        """Look for what may have been made without an answer that names it; return what cannot be searched, and why."""
        unreadable = {}
        for name, path in [*self._awaited.items()]:
            looks = (self._look_for(path, name, "demolish find") for _ in jobs.waiting(LAST_LOOKS))
            if guid := next(filter(None, looks), None):
                self._made.setdefault(f"{path}/{guid}", None)
        for path in (ORGANIZATIONS, APPS) if self._is_unsure or self._awaited else ():
            query = f"label_selector={LABEL}%3D{self.run}"
            page = _patiently(partial(self._client.get, f"{path}?{query}", "demolish find"))
            if not is_done(page):
                unreadable[path] = f"what was made there without an answer cannot be looked for: {in_words(page)}"
            for row in resources(page):
                if member(row, "metadata", "labels", LABEL) == self.run:
                    self._awaited.pop(str(row.get("name")), None)
                    self._made.setdefault(f"{path}/{row['guid']}", None)
        return unreadable

    def _made_at_last(self, path: str, name: str, step: str) -> str | None:
        """Return the guid of what is made by a job, once it is there."""
        self._awaited[name] = path
        for _ in range(TRIES):
            if guid := self._look_for(path, name, step):
                return guid
            time.sleep(PAUSE)
        return None

    def _look_for(self, path: str, name: str, step: str) -> str | None:
        """Return the guid of what is made by a job, if it is there; elsewhere may be another of the same name."""
        rows = resources(self._client.get(f"{path}?names={quote(name)}", step))
        new = [row for row in rows if row.get("name") == name and f"{path}/{row['guid']}" not in self._made]
        found = next((str(row["guid"]) for row in new), None)
        if found:
            del self._awaited[name]
        return found


def twice_at_most(send: Callable[[], Exchange]) -> Exchange:
    """Send what comes to the same when it is sent twice, and once more, should the target fail at it."""
    answer = send()
    return send() if answer.status == FAILED else answer


def _patiently(send: Callable[[], Exchange]) -> Exchange:
    """Send what may be sent again until it is answered, or the target was away for too long."""
    for pause in BACK:
        try:
            answer = send()
        except TargetLost:
            time.sleep(pause)
            continue
        if answer.status is not None:
            return answer
        time.sleep(pause)
    return send()


def to(name: str, guid: str) -> dict[str, Any]:
    """Return the relationship of a new thing to another one."""
    return {name: {"data": {"guid": guid}}}


def is_done(answer: Exchange) -> bool:
    """Whether a request was answered with success."""
    return answer.status is not None and answer.status // 100 == 2  # noqa: PLR2004 -- 2xx


def in_words(answer: Exchange) -> str:
    """Return an answer in a few words."""
    return f"{answer.status or answer.error} {answer.text[:200]}".strip()
