"""Makes things on the target, each with the label of the run, and takes them away again."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from purge_conformance.errors import RequestBlocked, TargetUnreachable
from purge_conformance.evidence.listing import APPS, RUN_LABEL, dig, resources
from purge_conformance.target.apps import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

POLLS, POLL_INTERVAL_S = 20, 0.1  # looks whether what was asked for is done, and seconds between them
FINAL_POLLS = 6  # for what was accepted and not seen, before all is taken down: few requests are left by then
RETRY_DELAYS = (0.5, 1.0, 2.0)  # seconds to wait for a target that is away while things are taken down
ACCEPTED, NOT_FOUND, INTERNAL_ERROR = 202, 404, 500
ORGANIZATIONS, SPACES = "/v3/organizations", "/v3/spaces"


class ResourceManager:
    """Makes things, and remembers them.

    Attributes:
        run: what the label says, and all names end with.
    """

    def __init__(self, client: Client) -> None:
        """Begin with nothing."""
        self._client = client
        self._deletion_jobs: dict[
            str, str | None
        ] = {}  # path -> the job that deletes it, if it was asked for; oldest first
        self._may_have_unknown = False  # whether something may have been made that nobody told of
        self._pending: dict[str, str] = {}  # name -> path of what was accepted and not seen yet
        self.run = secrets.token_hex(4)

    def create(
        self, path: str, name: str, step: str = "create", /, **fields: object | None
    ) -> tuple[Exchange, str | None]:
        """Ask for something with that name; return the answer, and its guid once it is there."""
        data: dict[str, object] = {"name": name, "metadata": {"labels": {RUN_LABEL: self.run}}}
        data |= {key: value for key, value in fields.items() if value is not None}
        answer = self._post(path, step, data)
        if answer.status == INTERNAL_ERROR:
            self._may_have_unknown = True  # it may be made all the same
            answer = self._post(path, step, data)
        guid = dig(answer.json, "guid") if isinstance(answer.json, dict) else None
        if answer.status == ACCEPTED:
            guid = self._await_created(path, name, "created" if step == "create" else f"{step} made")
        self._may_have_unknown = (
            self._may_have_unknown or answer.status is None or (is_success(answer) and guid is None)
        )
        if not is_success(answer) or not isinstance(guid, str):
            return answer, None
        self._deletion_jobs[f"{path}/{guid}"] = None
        return answer, guid

    def _post(self, path: str, step: str, data: object) -> Exchange:
        try:
            return self._client.post(path, step, data=data)
        except TargetUnreachable:
            self._may_have_unknown = True
            raise

    def remove(self, path: str, step: str) -> Exchange:
        """Ask for the deletion of something that was made here; whether it is gone is seen later."""
        answer = retry_once(partial(self._client.delete, path, step))
        if is_success(answer) and path in self._deletion_jobs:
            self._deletion_jobs[path] = jobs.job_path(answer)
            if self._deletion_jobs[path] is None:
                self.forget(path)
        return answer

    def forget(self, path: str) -> None:
        """Take note that something is gone for good."""
        self._deletion_jobs.pop(path, None)

    def remove_all(self) -> list[str]:
        """Delete all that is left, the last made first, and wait until it is gone; return what is not, with the reason.

        A target that is away is waited for a little.
        """
        leftovers: dict[str, str] = {}
        try:
            leftovers |= self._find_unknown()
            for path in [*reversed(self._deletion_jobs)]:
                if problem := self._try_remove(path):
                    leftovers[path] = problem
            for path, job in [*reversed(self._deletion_jobs.items())]:
                if job and (problem := jobs.await_job(self._client, job, "demolish job")):
                    leftovers[path] = problem
                self.forget(path)
        except (RequestBlocked, TargetUnreachable) as reason:
            leftovers |= dict.fromkeys(reversed(self._deletion_jobs), str(reason))
        leftovers |= {f"{path} {name}": "it was accepted and never seen" for name, path in self._pending.items()}
        return [f"{path} ({why})" for path, why in leftovers.items()]

    def _try_remove(self, path: str) -> str:
        """Ask for a deletion, unless that is done; return why it was not to be had, or nothing.

        What goes with an organization need not be waited for by itself.
        """
        job, reason = self._deletion_jobs[path], ""
        if job is None:
            answer = retry_once(partial(_retry_until_reachable, partial(self._client.delete, path, "demolish")))
            job = jobs.job_path(answer)
            reason = "" if is_success(answer) or answer.status == NOT_FOUND else summarize_response(answer)
        in_organization = any(other.startswith(ORGANIZATIONS) for other in self._deletion_jobs)
        if job is None or (in_organization and not path.startswith(ORGANIZATIONS)):
            self.forget(path)
        else:
            self._deletion_jobs[path] = job
        return reason

    def _find_unknown(self) -> dict[str, str]:
        """Look for what may have been made without an answer that names it; return what cannot be searched, and why."""
        unsearchable = {}
        for name, path in [*self._pending.items()]:
            guids = (self._find_by_name(path, name, "demolish find") for _ in jobs.poll(FINAL_POLLS))
            if guid := next(filter(None, guids), None):
                self._deletion_jobs.setdefault(f"{path}/{guid}", None)
        for path in (ORGANIZATIONS, APPS) if self._may_have_unknown or self._pending else ():
            query = f"label_selector={RUN_LABEL}%3D{self.run}"
            page = _retry_until_reachable(partial(self._client.get, f"{path}?{query}", "demolish find"))
            if not is_success(page):
                unsearchable[path] = (
                    f"what was made there without an answer cannot be looked for: {summarize_response(page)}"
                )
            for row in resources(page):
                if dig(row, "metadata", "labels", RUN_LABEL) == self.run:
                    self._pending.pop(str(row.get("name")), None)
                    self._deletion_jobs.setdefault(f"{path}/{row['guid']}", None)
        return unsearchable

    def _await_created(self, path: str, name: str, step: str) -> str | None:
        """Return the guid of what is made by a job, once it is there."""
        self._pending[name] = path
        for _ in range(POLLS):
            if guid := self._find_by_name(path, name, step):
                return guid
            time.sleep(POLL_INTERVAL_S)
        return None

    def _find_by_name(self, path: str, name: str, step: str) -> str | None:
        """Return the guid of what is made by a job, if it is there; elsewhere may be another of the same name."""
        rows = resources(self._client.get(f"{path}?names={quote(name)}", step))
        new = [row for row in rows if row.get("name") == name and f"{path}/{row['guid']}" not in self._deletion_jobs]
        guid = next((str(row["guid"]) for row in new), None)
        if guid:
            del self._pending[name]
        return guid


def retry_once(send: Callable[[], Exchange]) -> Exchange:
    """Send what comes to the same when it is sent twice, and once more, should the target fail at it."""
    answer = send()
    return send() if answer.status == INTERNAL_ERROR else answer


def _retry_until_reachable(send: Callable[[], Exchange]) -> Exchange:
    """Send what may be sent again until it is answered, or the target was away for too long."""
    for delay in RETRY_DELAYS:
        try:
            answer = send()
        except TargetUnreachable:
            time.sleep(delay)
            continue
        if answer.status is not None:
            return answer
        time.sleep(delay)
    return send()


def relationship(name: str, guid: str) -> dict[str, Any]:
    """Return the relationship of a new thing to another one."""
    return {name: {"data": {"guid": guid}}}


def is_success(answer: Exchange) -> bool:
    """Whether a request was answered with success."""
    return answer.status is not None and answer.status // 100 == 2  # noqa: PLR2004 -- 2xx


def summarize_response(answer: Exchange) -> str:
    """Return an answer in a few words."""
    return f"{answer.status or answer.error} {answer.text[:200]}".strip()
