"""What a purge destroys was read and archived just before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.support.archive import archived_events
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import event_identity, is_page
from purge_conformance.evidence.steps import Tag
from purge_conformance.target import archive
from purge_conformance.target.archive.gaps import longest_gap, shows_newest

if TYPE_CHECKING:
    from meta.support.command import FullRun
    from purge_conformance.evidence.records import Exchange

MAX_REQUESTS_BETWEEN = 30  # from a look at the newest events to a purge: the attempts of one group


def test_each_purge_follows_a_look(full_run: FullRun) -> None:
    """Between two purges that succeed there is a look at the newest events, unless both are sent at the same time."""
    since: list[Exchange] = []  # the last look, and what followed it
    for x in full_run.evidence.exchanges:
        if is_purge(x.method, x.path):
            assert since, x
            assert len(since) <= MAX_REQUESTS_BETWEEN, x
            purged = [each for each in since if is_purge(each.method, each.path) and each.succeeded]
            assert not purged or all(Tag.CONCURRENT in each.tags for each in (x, *purged)), x
        since = [x] if shows_newest(x) else [*since, x] if since else []
    assert longest_gap(full_run.evidence.exchanges) is not None


def test_archive_of_run_is_whole(full_run: FullRun) -> None:
    """The archive of a run is whole, and has each event of others that a list showed before a purge."""
    path = full_run.folder / archive.FILE_NAME
    assert archive.verify(path).problems == ()
    own = {x.json["guid"] for x in full_run.evidence.exchanges if x.status == 201 and x.route == "/v3/apps"}
    exchanges = full_run.evidence.exchanges
    last = max(x.n for x in exchanges if is_purge(x.method, x.path))
    shown = {
        event_identity(row)
        for x in exchanges
        if x.n < last and is_page(x) and x.route.endswith("/app_usage_events")
        for row in x.resources
        if (row.get("app") or {}).get("guid") not in own
    }
    assert shown <= {event_identity(row) for row in archived_events(path)}
