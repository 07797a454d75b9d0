"""Removes what killed runs left on a target: whatever bears the label of a run, and nothing else.

A run that is under way bears one too. Whoever does not name a run deletes nothing of one that lately made or changed
something.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from purge_conformance.client import pagination as look
from purge_conformance.errors import RequestBlocked, SuiteError, TargetUnreachable
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, GUARANTEED_PAGE_SIZE, RUN_LABEL, Row, dig
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.resources import NOT_FOUND, ORGANIZATIONS, SPACES, is_success, summarize_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Listing

CHILDREN = {ORGANIZATIONS: (SPACES, "organization"), SPACES: (APPS, "space")}  # what is in it, and how that names it
RESOURCE_PATHS = (APPS, SPACES, ORGANIZATIONS)
ACTIVE_WITHIN_S = 3600.0  # seconds within which a run that made or changed something may still be under way
RERUN_HINT = "Run `purge-conformance cleanup` again: it goes on where this ended."


@dataclass(frozen=True, slots=True)
class _Resource:
    """Something that bears the label of a run: the path of its kind, what was listed, and seconds since it changed."""

    path: str
    row: Row
    age: float

    @property
    def run(self) -> str:
        """What the label says."""
        return str(_label(self.row))

    @property
    def description(self) -> str:
        """What it is, for a person."""
        return f"{self.path}/{self.row['guid']} {self.row.get('name')} of run {self.run}"


def cleanup(client: Client, report: Callable[[str], None], run: str | None = None, *, dry_run: bool = False) -> int:
    """Delete every app, space and organization that bears the label, and wait until it is gone; return how many.

    A space with an app of somebody else in it stays, and so does an organization with such a space; and what may be of
    a run that is under way, unless that run is named.

    Args:
        client: of the target.
        report: is told of each thing.
        run: what the label must say; None: anything, if no run that says it changed something `LATELY`.
        dry_run: only say what would be deleted.

    Raises:
        SuiteError: something is left, or the target was lost.
    """
    deleted = 0
    try:
        resources = [one for path in RESOURCE_PATHS for one in _find_labelled(client, path, run)]
        active_runs = {} if run else _active_runs(resources)
        for resource in resources:
            skip_reason = active_runs.get(resource.run) or (
                "" if dry_run else _try_delete(client, resource.path, resource.row["guid"])
            )
            verb = (
                ("would leave" if skip_reason else "would delete") if dry_run else "left" if skip_reason else "deleted"
            )
            report(f"{verb} {resource.description}" + (skip_reason and f": {skip_reason}"))
            deleted += not skip_reason
        remaining = 0 if dry_run else sum(len(_find_labelled(client, path, run)) for path in RESOURCE_PATHS)
    except (TargetUnreachable, RequestBlocked) as reason:
        raise SuiteError(f"{deleted} of what was found is deleted, and then: {reason} {RERUN_HINT}") from None
    if remaining:
        raise SuiteError(
            f"{remaining} of what was found is still there, for the reasons above if any stand there. {RERUN_HINT}"
        )
    return deleted


def _active_runs(resources: list[_Resource]) -> dict[str, str]:
    """Return run -> why it may be under way, of those that lately made or changed something."""
    ages: dict[str, float] = {}
    for resource in resources:
        ages[resource.run] = min(resource.age, ages.get(resource.run, inf))
    return {
        run: f"that run was at work {max(0.0, age) / 60:.0f} min ago, and may still be; if it is not: --run {run}"
        for run, age in ages.items()
        if age < ACTIVE_WITHIN_S
    }


def _age(row: Row, listing: Listing) -> float:
    """Return how many seconds ago something changed, by the target's clock where it shows one; 0 where nobody knows."""
    page = listing.exchanges[-1]
    now = clock.parse_http_date(page.header("Date")) or page.sent_at
    moments = [
        moment.timestamp() for name in ("created_at", "updated_at") if (moment := clock.parse_rfc3339(row.get(name)))
    ]
    return now - max(moments, default=now)


def _find_labelled(client: Client, path: str, run: str | None) -> list[_Resource]:
    """Return what bears the label, by its own word: a target may not know of selectors, and give all there is."""
    selector = RUN_LABEL if run is None else f"{RUN_LABEL}={run}"
    listing = look.read_pages(client, path, "find", {"label_selector": selector, "per_page": GUARANTEED_PAGE_SIZE})
    if not listing.complete:
        raise TargetUnreachable(
            f"{path} cannot be searched for the label {RUN_LABEL}: {summarize_response(listing.exchanges[-1])}."
        )
    return [_Resource(path, row, _age(row, listing)) for row in listing.rows if _is_own(row, run)]


def _label(row: Row) -> object:
    return dig(row, "metadata", "labels", RUN_LABEL)


def _is_own(row: Row, run: str | None) -> bool:
    return isinstance(_label(row), str) and run in {None, _label(row)}


def _try_delete(client: Client, path: str, guid: str) -> str:
    """Delete one thing, unless something is in it; return why it is still there, or nothing."""
    if contents := ", ".join(_contents(client, path, guid)):
        return f"there is still something in it: {contents}"
    answer = client.delete(f"{path}/{guid}", "delete")
    if answer.status == NOT_FOUND:
        return ""
    if not is_success(answer):
        return summarize_response(answer)
    job = jobs.job_path(answer)
    return jobs.await_job(client, job, "job") if job else _wait_until_gone(client, f"{path}/{guid}")


def _contents(client: Client, path: str, guid: str) -> Iterator[str]:
    """Yield what would be deleted with what holds it: somebody else's, or what could not be deleted by itself."""
    if path not in CHILDREN:
        return
    child_path, owner = CHILDREN[path]
    listing = look.read_pages(client, child_path, "inside", {f"{owner}_guids": guid, "per_page": GUARANTEED_PAGE_SIZE})
    if not listing.complete:
        yield f"perhaps ({child_path} cannot be listed: {summarize_response(listing.exchanges[-1])})"
    for row in listing.rows:
        if dig(row, "relationships", owner, "data", "guid") in {None, guid}:
            yield f"{child_path}/{row['guid']}"


def _wait_until_gone(client: Client, path: str) -> str:
    for _ in jobs.poll():
        if client.get(path, "gone").status == NOT_FOUND:
            return ""
    return "it is still there"
