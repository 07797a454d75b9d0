"""Creates resources on the target, each with the label of the run, and deletes them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.client.client import Request
from purge_conformance.errors import RequestBlocked, TargetUnreachable
from purge_conformance.evidence.listing import APPS, RUN_LABEL, dig, resources, usable_rows
from purge_conformance.evidence.steps import Place, Step, place_of
from purge_conformance.target.apps import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

POLLS, POLL_INTERVAL_S = 20, 0.1  # how often to check for a created resource
VERIFICATIONS = 3  # reads of a created resource, until one succeeds
REQUESTS_PER_DELETION = 2  # the DELETE, and a poll of its job
FINAL_POLLS = 6  # the same at the end of a run, when few requests are left
# After these a request may be done, or not; it is sent again if that changes nothing more.
MAY_BE_DONE = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
RETRY_DELAYS = (0.5, 1.0, 2.0)  # seconds between retries of cleanup requests that get no response
ORGANIZATIONS: str = "/v3/organizations"
SPACES: str = "/v3/spaces"


class ResourceManager:
    """Creates resources and keeps track of those to delete.

    Attributes:
        run: the value of the label, and a part of all names.
    """

    def __init__(self, client: Client) -> None:
        """Start a run without resources; its label is random."""
        self._client = client
        # path of a resource -> its deletion job, None before its deletion; oldest first
        self._deletion_jobs: dict[str, str | None] = {}
        self._may_have_unknown = False  # whether a resource with an unknown guid may exist
        self._pending: dict[str, str] = {}  # name -> list path, for what was accepted (202) and is not listed yet
        self.run = secrets.token_hex(4)

    def create(
        self, path: str, name: str, where: Where = Step.CREATE, /, **fields: object | None
    ) -> tuple[Exchange, str | None]:
        """Create a resource; return the response, and the guid once the resource exists, or None."""
        data: dict[str, object] = {"name": name, "metadata": {"labels": {RUN_LABEL: self.run}}}
        data |= {key: value for key, value in fields.items() if value is not None}
        answer = self._post(path, where, data)
        if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._may_have_unknown = True  # it may exist in spite of the 500
            answer = self._post(path, where, data)
        had_unknown, self._may_have_unknown = self._may_have_unknown, True  # an interrupt may end what follows
        guid = self._created_guid(path, name, answer, place_of(where))
        self._may_have_unknown = had_unknown or answer.status is None or (answer.succeeded and guid is None)
        if guid:
            self._deletion_jobs[resource_path(path, guid)] = None
        return answer, guid

    def _created_guid(self, path: str, name: str, answer: Exchange, where: Place) -> str | None:
        """Return the guid of what the response says was created; None unless that is a resource of this run."""
        if answer.status == HTTPStatus.ACCEPTED:
            return self._await_created(path, name, replace(where, step=Step.AWAIT_CREATION))
        guid = dig(answer.json, "guid") if answer.succeeded and isinstance(answer.json, dict) else None
        where = replace(where, step=Step.VERIFY_CREATION)
        return guid if is_usable_guid(guid) and self._is_own(resource_path(path, guid), name, where) else None

    def _is_own(self, path: str, name: str, where: Place) -> bool:
        """Whether a resource, read by its guid, has the label of the run; or, without any label, the name it was given.

        A response to its creation alone is no proof: it may name a resource of others, which must not be changed.
        """
        for number in range(VERIFICATIONS):
            if number:
                time.sleep(POLL_INTERVAL_S)
            row = self._client.get(path, where)
            if row.succeeded and isinstance(row.json, dict):
                return self._has_mark(row.json, name)
        return False

    def _has_mark(self, row: Mapping[str, Any], name: object) -> bool:
        label = dig(row, "metadata", "labels", RUN_LABEL)
        return bool(label == self.run if label is not None else name is not None and row.get("name") == name)

    def _post(self, path: str, where: Where, data: object) -> Exchange:
        try:
            return self._client.post(path, where, data=data)
        except TargetUnreachable:
            self._may_have_unknown = True
            raise

    def remove(self, path: str, where: Where) -> Exchange:
        """Send the DELETE for a resource of this run; `remove_all` waits for its job."""
        answer = retry_once(partial(self._client.delete, path, where))
        if answer.succeeded and path in self._deletion_jobs:
            self._deletion_jobs[path] = jobs.job_path(answer)
            if self._deletion_jobs[path] is None:
                self.forget(path)
        return answer

    def rename(self, path: str, name: str, where: Where) -> Exchange | None:
        """Send the PATCH that renames a resource of this run; send nothing for any other resource, and return None."""
        if path not in self._deletion_jobs:
            return None
        headers = {"Content-Type": "application/json"}
        patch = Request("PATCH", path, where, headers=headers, body=json.dumps({"name": name}))
        return retry_once(partial(self._client.send, patch))

    def forget(self, path: str) -> None:
        """Stop tracking a resource that no longer exists."""
        self._deletion_jobs.pop(path, None)

    def remove_all(self) -> list[str]:
        """Delete all resources of the run, newest first; return those that remain, each with the reason.

        Requests without a response are retried for a few seconds.
        """
        leftovers: dict[str, str] = {}
        try:
            leftovers |= self._find_unknown()
            for path in self._paths_to_delete():
                if problem := self._try_remove(path):
                    leftovers[path] = problem
            for path, job in [*reversed(self._deletion_jobs.items())]:
                if job and (problem := jobs.await_job(self._client, job)):
                    leftovers[path] = problem
                self.forget(path)
        except (RequestBlocked, TargetUnreachable) as reason:
            leftovers |= dict.fromkeys(reversed(self._deletion_jobs), str(reason))
        leftovers |= {
            f"{path} {name}": "its creation was accepted, but it was never listed"
            for name, path in self._pending.items()
        }
        return [f"{path} ({why})" for path, why in leftovers.items()]

    def _paths_to_delete(self) -> list[str]:
        """Return what to delete, newest first; where few requests are left, only what is deleted with all it contains.

        Those are the organizations, if the run created the spaces of its apps in them.
        """
        paths = [*reversed(self._deletion_jobs)]
        organizations = [path for path in paths if path.startswith(ORGANIZATIONS)]
        is_own = bool(organizations) and any(path.startswith(SPACES) for path in paths)
        if not is_own or self._client.guard.requests_left > REQUESTS_PER_DELETION * len(paths):
            return paths
        for path in paths:
            if path not in organizations:
                self.forget(path)
        return organizations

    def _try_remove(self, path: str) -> str:
        """Send the DELETE unless it was sent before; return why it failed, or an empty string.

        What an organization contains is deleted with it, so only the organization's job is awaited.
        """
        job, reason = self._deletion_jobs[path], ""
        if job is None:
            answer = retry_once(partial(_retry_until_reachable, partial(self._client.delete, path, Step.DELETE)))
            job = jobs.job_path(answer)
            reason = "" if answer.succeeded or answer.status == HTTPStatus.NOT_FOUND else summarize_response(answer)
        in_organization = any(other.startswith(ORGANIZATIONS) for other in self._deletion_jobs)
        if job is None or (in_organization and not path.startswith(ORGANIZATIONS)):
            self.forget(path)
        else:
            self._deletion_jobs[path] = job
        return reason

    def _find_unknown(self) -> dict[str, str]:
        """Find resources whose guid is unknown; return the lists that cannot be searched, each with the reason."""
        unsearchable = {}
        for name, path in [*self._pending.items()]:
            guids = (self._find_by_name(path, name, Step.FIND) for _ in jobs.poll(FINAL_POLLS))
            if guid := next(filter(None, guids), None):
                self._deletion_jobs.setdefault(resource_path(path, guid), None)
        for path in (ORGANIZATIONS, APPS) if self._may_have_unknown or self._pending else ():
            query = f"label_selector={RUN_LABEL}%3D{self.run}"
            page = _retry_until_reachable(partial(self._client.get, f"{path}?{query}", Step.FIND))
            if not page.succeeded:
                unsearchable[path] = f"resources of this run may be left: the list answered {summarize_response(page)}"
            for row in usable_rows(resources(page)):
                if self._has_mark(row, None):
                    self._pending.pop(str(row.get("name")), None)
                    self._deletion_jobs.setdefault(resource_path(path, row["guid"]), None)
        return unsearchable

    def _await_created(self, path: str, name: str, where: Place) -> str | None:
        """Wait for a resource that a job creates; return its guid, or None if it does not appear."""
        self._pending[name] = path
        for _ in range(POLLS):
            if guid := self._find_by_name(path, name, where):
                return guid
            time.sleep(POLL_INTERVAL_S)
        return None

    def _find_by_name(self, path: str, name: str, where: Where) -> str | None:
        """Return the guid of a resource by name if it is listed; other spaces may have one of the same name."""
        rows = usable_rows(resources(self._client.get(f"{path}?names={quote(name, safe='')}", where)))
        own = [row for row in rows if row.get("name") == name and self._has_mark(row, name)]
        guid = next((g for row in own if resource_path(path, g := row["guid"]) not in self._deletion_jobs), None)
        if guid:
            del self._pending[name]
        return guid


def retry_once(send: Callable[[], Exchange]) -> Exchange:
    """Send an idempotent request, and once more after a 500 or a gateway's error."""
    answer = send()
    return send() if answer.status in MAY_BE_DONE else answer


def _retry_until_reachable(send: Callable[[], Exchange]) -> Exchange:
    """Send an idempotent request until it gets a response, or `RETRY_DELAYS` are used up."""
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
    """Return the `relationships` member that links a new resource to an existing one."""
    return {name: {"data": {"guid": guid}}}


def summarize_response(answer: Exchange) -> str:
    """Return the status or error, and the beginning of the body."""
    return f"{answer.status or answer.error} {answer.text[:200]}".strip()
