"""Removes what killed runs left on a target: whatever bears the label of a run, and nothing else.

A run that is under way bears one too. Whoever does not name a run deletes nothing of one that lately made or changed
something.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from purge_conformance.client import pagination as look
from purge_conformance.errors import HeldBack, SuiteError, TargetLost
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, LABEL, SURE_PER_PAGE, Row, member
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.api import NOT_FOUND, ORGANIZATIONS, SPACES, in_words, is_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Listing

INSIDE = {ORGANIZATIONS: (SPACES, "organization"), SPACES: (APPS, "space")}  # what is in it, and how that names it
KINDS = (APPS, SPACES, ORGANIZATIONS)
LATELY = 3600.0  # seconds within which a run that made or changed something may still be under way
AGAIN = "Run `purge-conformance cleanup` again: it goes on where this ended."


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that bears the label of a run: the path of its kind, what was listed, and seconds since it changed."""

    path: str
    row: Row
    age: float

    @property
    def run(self) -> str:
        """What the label says."""
        return str(_label(self.row))

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return f"{self.path}/{self.row['guid']} {self.row.get('name')} of run {self.run}"


def cleanup(client: Client, say: Callable[[str], None], run: str | None = None, *, dry: bool = False) -> int:
    """Delete every app, space and organization that bears the label, and wait until it is gone; return how many.

    A space with an app of somebody else in it stays, and so does an organization with such a space; and what may be of
    a run that is under way, unless that run is named.

    Args:
        client: of the target.
        say: is told of each thing.
        run: what the label must say; None: anything, if no run that says it changed something `LATELY`.
        dry: only say what would be deleted.

    Raises:
        SuiteError: something is left, or the target was lost.
    """
    gone = 0
    try:
        found = [one for path in KINDS for one in _labelled(client, path, run)]
        fresh = {} if run else _under_way(found)
        for one in found:
            why = fresh.get(one.run) or ("" if dry else _kept(client, one.path, one.row["guid"]))
            verb = ("would leave" if why else "would delete") if dry else "left" if why else "deleted"
            say(f"{verb} {one.words}" + (why and f": {why}"))
            gone += not why
        left = 0 if dry else sum(len(_labelled(client, path, run)) for path in KINDS)
    except (TargetLost, HeldBack) as reason:
        raise SuiteError(f"{gone} of what was found is deleted, and then: {reason} {AGAIN}") from None
    if left:
        raise SuiteError(f"{left} of what was found is still there, for the reasons above if any stand there. {AGAIN}")
    return gone


def _under_way(found: list[_Found]) -> dict[str, str]:
    """Return run -> why it may be under way, of those that lately made or changed something."""
    ages: dict[str, float] = {}
    for one in found:
        ages[one.run] = min(one.age, ages.get(one.run, inf))
    return {
        run: f"that run was at work {max(0.0, age) / 60:.0f} min ago, and may still be; if it is not: --run {run}"
        for run, age in ages.items()
        if age < LATELY
    }


def _age(row: Row, found: Listing) -> float:
    """Return how many seconds ago something changed, by the target's clock where it shows one; 0 where nobody knows."""
    page = found.exchanges[-1]
    now = clock.of_header(page.header("Date")) or page.sent_at
    moments = [moment.timestamp() for name in ("created_at", "updated_at") if (moment := clock.parse(row.get(name)))]
    return now - max(moments, default=now)


def _labelled(client: Client, path: str, run: str | None) -> list[_Found]:
    """Return what bears the label, by its own word: a target may not know of selectors, and give all there is."""
    selector = LABEL if run is None else f"{LABEL}={run}"
    found = look.walk(client, path, "find", {"label_selector": selector, "per_page": SURE_PER_PAGE})
    if not found.complete:
        raise TargetLost(f"{path} cannot be searched for the label {LABEL}: {in_words(found.exchanges[-1])}.")
    return [_Found(path, row, _age(row, found)) for row in found.rows if _is_own(row, run)]


def _label(row: Row) -> object:
    return member(row, "metadata", "labels", LABEL)


def _is_own(row: Row, run: str | None) -> bool:
    return isinstance(_label(row), str) and run in {None, _label(row)}


def _kept(client: Client, path: str, guid: str) -> str:
    """Delete one thing, unless something is in it; return why it is still there, or nothing."""
    if inside := ", ".join(_inside(client, path, guid)):
        return f"there is still something in it: {inside}"
    answer = client.delete(f"{path}/{guid}", "delete")
    if answer.status == NOT_FOUND:
        return ""
    if not is_done(answer):
        return in_words(answer)
    job = jobs.job_of(answer)
    return jobs.unfinished(client, job, "job") if job else _still_there(client, f"{path}/{guid}")


def _inside(client: Client, path: str, guid: str) -> Iterator[str]:
    """Yield what would be deleted with what holds it: somebody else's, or what could not be deleted by itself."""
    if path not in INSIDE:
        return
    inside, owner = INSIDE[path]
    found = look.walk(client, inside, "inside", {f"{owner}_guids": guid, "per_page": SURE_PER_PAGE})
    if not found.complete:
        yield f"perhaps ({inside} cannot be listed: {in_words(found.exchanges[-1])})"
    for row in found.rows:
        if member(row, "relationships", owner, "data", "guid") in {None, guid}:
            yield f"{inside}/{row['guid']}"


def _still_there(client: Client, path: str) -> str:
    for _ in jobs.waiting():
        if client.get(path, "gone").status == NOT_FOUND:
            return ""
    return "it is still there"
