"""Deletes what killed runs left on a target: every resource with the label of a run, and nothing else.

A run in progress has a label, too. Unless a run is named, nothing of a recently active run is deleted.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.client.pagination import read_pages
from purge_conformance.errors import RequestBlocked, SuiteError, TargetUnreachable
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import APPS, GUARANTEED_PAGE_SIZE, RUN_LABEL, Row, dig
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.steps import Step
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES, summarize_response
from purge_conformance.target.connection_failures import explain_failure
from purge_conformance.target.labels import active_runs, age_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client

# container -> its contents, and their relationship to it
CHILDREN = {ORGANIZATIONS: (SPACES, "organization"), SPACES: (APPS, "space")}
RESOURCE_PATHS = (APPS, SPACES, ORGANIZATIONS)
MAX_QUOTED_CHARS = 100  # of a name or a label in a line
NAME_RUN_HINT = "To delete what a run that has ended left, give --run ID, as these lines say."


class Cleanup(NamedTuple):
    """How many resources were deleted, or would be, and how many were kept, or would be."""

    deleted: int
    kept: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of one resource.

    Attributes:
        action: `deleted` or `kept`; with a dry run `would delete` or `would keep`.
        resource: the path of the resource, with its guid.
        name: of the resource.
        run: the label's value.
        reason: why it is kept; empty if it is not.
    """

    action: str
    resource: str
    name: str
    run: str
    reason: str = ""

    def __str__(self) -> str:
        """Return it as one line."""
        line = f"{self.action} {self.resource} {self.name} of run {self.run}"
        return f"{line}: {self.reason}" if self.reason else line


@dataclass(frozen=True, slots=True)
class _Resource:
    """A resource with the label of a run: the path of its list, its row there, and seconds since it changed."""

    path: str
    row: Row
    age: float

    @property
    def run(self) -> str:
        return str(run_of(self.row))

    def removal(self, reason: str, *, dry_run: bool) -> Removal:
        """Return what became of it; the reason is empty if it is deleted."""
        verb = ("would keep" if reason else "would delete") if dry_run else "kept" if reason else "deleted"
        name, run = (one_line(text, MAX_QUOTED_CHARS) for text in (str(self.row.get("name")), self.run))
        return Removal(verb, _readable_path(self.path, self.row), name, run, reason)


class _NoResponse(TargetUnreachable):
    """There is no response to a search for the resources of runs."""

    def __init__(self, url: str, error: str, next_step: str) -> None:
        self.next_step = next_step
        super().__init__(f"No response from {url} ({error})")


def cleanup(
    client: Client, report: Callable[[Removal], None], run: str | None = None, *, dry_run: bool = False
) -> Cleanup:
    """Delete every app, space and organization with a run's label, wait until it is gone, and return how many.

    A space that contains an app without the label is kept, and so is an organization that contains such a space.

    Args:
        client: of the target.
        report: called once per resource.
        run: the label's value; None: every run that changed nothing within the last `labels.ACTIVE_WITHIN_S` seconds.
        dry_run: only report what would be deleted.

    Raises:
        SuiteError: a resource was not deleted, or the target is unreachable.
    """
    deleted, kept, is_started = 0, 0, False
    try:
        resources = [one for path in RESOURCE_PATHS for one in _find_labelled(client, path, run)]
        active = {} if run else _active_runs(resources)
        is_started = not dry_run
        for resource in resources:
            skip_reason = active.get(resource.run) or ("" if dry_run else _try_delete(client, resource))
            report(resource.removal(skip_reason, dry_run=dry_run))
            deleted, kept = deleted + (not skip_reason), kept + bool(skip_reason)
        remaining = 0 if dry_run else sum(len(_find_labelled(client, path, run)) for path in RESOURCE_PATHS)
    except (TargetUnreachable, RequestBlocked) as reason:
        if isinstance(reason, _NoResponse) and not is_started:
            raise SuiteError(f"{reason}; nothing was deleted. {reason.next_step}") from None
        raise SuiteError(
            f"Cleanup stopped; resources deleted before: {deleted}. {str(reason).rstrip('.')}. "
            f"{_rerun_hint(client, run)}"
        ) from None
    if remaining:
        hint = NAME_RUN_HINT if active else _rerun_hint(client, run)
        raise SuiteError(f"Resources not deleted: {remaining}; the lines above give reasons. {hint}")
    return Cleanup(deleted, kept)


def _rerun_hint(client: Client, run: str | None) -> str:
    words = ["purge-conformance", "cleanup", client.settings.target.url, *(["--run", run] if run else [])]
    return f"To delete the rest, run it again: `{shlex.join(words)}`."


def _active_runs(resources: list[_Resource]) -> dict[str, str]:
    """Return run -> why its resources are kept, for each run that may be in progress."""
    ages = active_runs((resource.run, resource.age) for resource in resources)
    return {
        run: f"that run was active {age / 60:.0f} min ago. If it has ended, give --run {shlex.quote(run)}"
        for run, age in ages.items()
    }


def _find_labelled(client: Client, path: str, run: str | None) -> list[_Resource]:
    """Return what has the label; filtered here as well, because a target may ignore `label_selector`."""
    selector = RUN_LABEL if run is None else f"{RUN_LABEL}={run}"
    listing = read_pages(client, path, Step.FIND, {"label_selector": selector, "per_page": GUARANTEED_PAGE_SIZE})
    if listing.exchanges[-1].status is None:
        error = listing.exchanges[-1].error
        raise _NoResponse(client.settings.target.url, readable_error(error), explain_failure(error)[1])
    if not listing.complete:
        raise TargetUnreachable(
            f"{path} cannot be searched for the label {RUN_LABEL}; got {summarize_response(listing.exchanges[-1])}."
        )
    rows = (row for row in listing.rows if run_of(row) is not None and run in {None, run_of(row)})
    return [_Resource(path, row, age_of(row, listing)) for row in rows]


def _try_delete(client: Client, resource: _Resource) -> str:
    """Delete a resource unless it contains others; return why it still exists, or an empty string.

    It is read by its guid right before: the list alone may name a resource of others.
    """
    guid = resource.row["guid"]
    if not is_usable_guid(guid):
        return "its guid cannot be a part of a path, so nothing was sent (a fault of the target)"
    if contents := ", ".join(_contents(client, resource.path, guid)):
        return f"it still contains {contents}"
    path = resource_path(resource.path, guid)
    current = client.get(path, Step.FIND)
    if current.status == HTTPStatus.NOT_FOUND:
        return ""
    if not current.succeeded or not isinstance(current.json, dict) or run_of(current.json) != resource.run:
        return f"read by its guid, it does not have the label of that run: {summarize_response(current)}"
    answer = client.delete(path, Step.DELETE)
    if answer.status == HTTPStatus.NOT_FOUND:
        return ""
    if not answer.succeeded:
        return summarize_response(answer)
    job = jobs.job_path(answer)
    return jobs.await_job(client, job) if job else _wait_until_gone(client, path)


def _contents(client: Client, path: str, guid: str) -> Iterator[str]:
    """Yield what deleting a container would delete with it: resources of others, or kept ones."""
    if path not in CHILDREN:
        return
    child_path, owner = CHILDREN[path]
    query: dict[str, str | int] = {f"{owner}_guids": guid, "per_page": GUARANTEED_PAGE_SIZE}
    listing = read_pages(client, child_path, Step.FIND_CONTENTS, query)
    if listing.exchanges[-1].status is None:
        error = listing.exchanges[-1].error
        raise _NoResponse(client.settings.target.url, readable_error(error), explain_failure(error)[1])
    if not listing.complete:
        yield f"an unknown number of {child_path} (the list answered {summarize_response(listing.exchanges[-1])})"
    for row in listing.rows:
        if dig(row, "relationships", owner, "data", "guid") in {None, guid}:
            yield _readable_path(child_path, row)


def _readable_path(path: str, row: Row) -> str:
    return f"{path}/{one_line(str(row['guid']), MAX_QUOTED_CHARS)}"


def _wait_until_gone(client: Client, path: str) -> str:
    for _ in jobs.poll():
        if client.get(path, Step.AWAIT_DELETION).status == HTTPStatus.NOT_FOUND:
            return ""
    return "it still exists after a successful DELETE"
