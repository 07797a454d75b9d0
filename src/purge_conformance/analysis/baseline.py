"""Whether purges do right by themselves, so that what several leave, or one beside changes, is put down to haste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import simple_apps
from purge_conformance.analysis.assertions import Inconclusive
from purge_conformance.analysis.history import odd_purges
from purge_conformance.analysis.purge_series import observed
from purge_conformance.evidence.listing import STARTED, dig
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged


def right_alone(seen: Seen, *more: Purged) -> None:
    """Return if every purge of the run that was alone did what a purge does, and these too.

    Raises:
        Inconclusive: one did not.
    """
    own = simple_apps(seen)
    if any(_is_flawed(found, own) for found in (*_alone(seen), *more)):
        raise Inconclusive("a purge by itself is no whole purge either: see PURGE-03, SEED and AGAIN", Cause.TARGET)


def sizes_are_true(seen: Seen) -> bool:
    """Whether every seeded event of a purge that was alone shows the instances of its app, if it shows any."""
    return all(_shows_size(found, app) for found in _alone(seen) for app in found.started)


def _alone(seen: Seen) -> Iterator[Purged]:
    """Yield the purges that were alone, succeeded, and stand between two looks."""
    yield from observed(seen)
    yield from odd_purges(seen)


def _is_flawed(found: Purged, own: Collection[str]) -> bool:
    populated = found.populated(besides_changes=True)
    stopped = {app for app, state in found.apps.items() if state != STARTED}
    seeds = {row["guid"] for row in found.after.events.rows if row["guid"] == dig(row, "app", "guid")}
    return bool(found.kept or found.repeated(own) or stopped & set(populated) or set(found.started) - seeds)


def _shows_size(found: Purged, app: str) -> bool:
    shown = dig(found.after.events.by_guid.get(app, {}), "instance_count", "current")
    sizes = [row.get("instances") for row in found.after.processes_of(app)]
    return shown is None or len(sizes) != 1 or shown == sizes[0]
