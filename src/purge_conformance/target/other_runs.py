"""Finds other runs of the suite on the same target, by the label on what they created."""

from __future__ import annotations

import shlex
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.pagination import read_pages
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import RequestBlocked, RunInProgress, TargetUnreachable
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, GUARANTEED_PAGE_SIZE, RUN_LABEL, is_query_rejected
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.steps import Step
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES
from purge_conformance.target.labels import active_runs, age_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

MAX_REQUESTS = 3
MAX_QUOTED_CHARS = 100  # of a label, which has 63 at most
LISTS = (APPS, ORGANIZATIONS, SPACES)  # a run creates all of them, or only apps


class OtherRun(NamedTuple):
    """Another run that may be in progress.

    Attributes:
        name: its label, on one line.
        url: of the target.
        age: seconds since it last changed something.
    """

    name: str
    url: str
    age: float

    def __str__(self) -> str:
        """Return what it did, as a sentence without its full stop."""
        return (
            f"Another run of the suite, {self.name}, changed {self.url} {self.age / 60:.0f} min ago and may be in "
            "progress; two runs destroy each other's events"
        )

    @property
    def next_step(self) -> str:
        """What the user can do."""
        return (
            f"Wait until it has ended. If it was killed, delete what it left: `purge-conformance cleanup {self.url} "
            f"--run {shlex.quote(self.name)}`. To run beside it, give --alongside."
        )


def require_no_other_run(settings: Settings) -> None:
    """Require that no other run of the suite was active on the target before this run begins; see `look_for_other_run`.

    Raises:
        RunInProgress: one was; the message names it and the next step.
    """
    _require_none(look_for_other_run(settings))


def require_first_run(client: Client, own: str = "") -> None:
    """Require, with the client of a run that has created its apps, that no other run created its own before.

    A run that did so later does not count: it sees this run and stops. Of two runs that created their apps in the same
    second, both stop. It sends as many reads as `require_no_other_run`.

    Args:
        client: of this run.
        own: the label of this run; each other run counts if this one has created nothing.

    Raises:
        RunInProgress: another run did; the message names it and the next step.
    """
    _require_none(_find_other_run(client, own))


def look_for_other_run(settings: Settings, on_exchange: Callable[[Exchange], None] = lambda _: None) -> OtherRun | None:
    """Return the other run of the suite that was last active on the target within the last hour.

    It sends at most three reads, and none if the run only reads, started the target itself, or may run alongside
    others. A run that creates nothing has no label, and is not seen. A list that cannot be read shows no run.

    Args:
        settings: of this run, which has created nothing.
        on_exchange: is called after every exchange.
    """
    limit = MAX_REQUESTS + CLEANUP_RESERVE
    with unrecorded_client(settings, max_requests=limit, on_exchange=on_exchange) as client:
        return _find_other_run(client)


def ignores_others(settings: Settings) -> bool:
    """Whether a run may start whatever other runs do."""
    return settings.is_read_only or settings.owns_target or settings.alongside


def _find_other_run(client: Client, own: str = "") -> OtherRun | None:
    if ignores_others(client.settings):
        return None
    labelled = list(_labelled(client))
    began = {each.run: min(other.created for other in labelled if other.run == each.run) for each in labelled}
    ages = active_runs((each.run, each.age) for each in labelled)
    runs = {run: age for run, age in ages.items() if run != own and began[run] <= began.get(own, inf)}
    if not runs:
        return None
    run, age = min(runs.items(), key=lambda item: item[1])
    return OtherRun(one_line(run, MAX_QUOTED_CHARS), client.settings.target.url, age)


def _require_none(other: OtherRun | None) -> None:
    if other:
        raise RunInProgress(f"{other}. No purge was sent. {other.next_step}")


class _Labelled(NamedTuple):
    """A resource of a run: seconds since it changed, and when it was created, by the target's clock."""

    run: str
    age: float
    created: float


def _labelled(client: Client) -> Iterator[_Labelled]:
    """Yield each labelled resource, the newest of each list, as far as they can be read."""
    query: dict[str, str | int] = {
        "label_selector": RUN_LABEL,  # a target may ignore it, therefore the newest come first
        "order_by": "-created_at",
        "per_page": GUARANTEED_PAGE_SIZE,
    }
    try:
        for path in LISTS:
            listing = read_pages(client, path, Step.FIND, query, max_pages=1)
            if is_query_rejected(listing.exchanges[-1]) and "order_by" in query:
                del query["order_by"]
                listing = read_pages(client, path, Step.FIND, query, max_pages=1)
            for row in listing.rows:
                if (run := run_of(row)) is not None:
                    created = clock.parse_rfc3339(row.get("created_at"))
                    yield _Labelled(run, age_of(row, listing), created.timestamp() if created else -inf)
    except (RequestBlocked, TargetUnreachable):
        return
