"""Purges by other clients during the run: the proof of one, and where one may lie."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import describe_response, require_no
from purge_conformance.analysis.event_lists import own_purges
from purge_conformance.analysis.interference import is_of_deleted_app
from purge_conformance.analysis.late_effects import may_be_late, require_no_delay
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.rejected import unconfirmed_losses
from purge_conformance.analysis.retention import is_deleted
from purge_conformance.analysis.sightings import SAME_SECOND_S, sightings
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, event_identity, resources
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.sightings import ListState
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange

Interval = tuple[int, int]


def find_foreign_purge(evidence: Evidence) -> Interval | None:
    """Return the numbers of two exchanges between which another client purged; None if the evidence shows no purge.

    Three things show one, if no request of the suite explains them: all recorded events disappeared and seeded events
    are listed; seeded events have new times; or a request that must be rejected seemed to destroy events, and did not
    when it was repeated. A purge of the suite explains a change that follows it, as long as no read shows its effect.
    """
    return evidence.cached(_find_foreign_purge)


def find_foreign_purges(evidence: Evidence) -> tuple[Interval, ...]:
    """Return intervals that do not overlap, in order, each with another client's purge: at least so many were sent."""
    return evidence.cached(_find_foreign_purges)


def require_found(view: JudgmentView, gets: Iterable[Exchange], words: str = "200") -> None:
    """Require that each get of a listed event answers 200; `words` say what is expected.

    Raises:
        RequirementViolated: one does not.
        Inconclusive: one answers 404, and others, or a purge that is late, may have destroyed its event after the list
            that shows it.
    """
    failed = [x for x in gets if x.status != HTTPStatus.OK and not _is_retained_no_more(view, x)]
    destroyed = [x for x in failed if x.status == HTTPStatus.NOT_FOUND and _may_be_destroyed(view, x)]
    require_no(Finding(words, describe_response(x), x.n) for x in failed if x not in destroyed)
    if destroyed:
        require_no_delay(view)
        raise Inconclusive(
            f"Another client may have destroyed the event after it was listed: the get of exchange {destroyed[0].n} "
            "answers 404, and no later list shows the event.",
            Cause.RACE,
        )


def _is_retained_no_more(evidence: Evidence, get: Exchange) -> bool:
    """Whether a get answers 404 for an event that a retention job deleted after the last list that shows it."""
    last = evidence.cached(sightings).last_seen(get.guid, get.n) if get.status == HTTPStatus.NOT_FOUND else None
    return last is not None and is_deleted(evidence, last[1], get.n)


def _may_be_destroyed(evidence: Evidence, get: Exchange) -> bool:
    """Whether an event may have been destroyed by others between the last list that shows it and a get.

    It may if no later list shows it, and a purge in between is possible, an earlier one is late or its app no longer
    exists.
    """
    seen = evidence.cached(sightings)
    last = seen.last_seen(get.guid, get.n)
    if last is None or seen.is_seen_after(last[1], get.n):
        return False
    n, event = last
    may_be_purge = may_be_late(evidence, *evidence.numbered([n])) or not seen.rules_out_purge(n, get.n)
    return may_be_purge or is_of_deleted_app(evidence, event, get.n)


def _find_foreign_purge(evidence: Evidence) -> Interval | None:
    return next(iter(evidence.cached(_candidates)), None)


def _find_foreign_purges(evidence: Evidence) -> tuple[Interval, ...]:
    disjoint: list[Interval] = []
    for first, last in sorted(evidence.cached(_candidates), key=lambda interval: (interval[1], -interval[0])):
        if not disjoint or first >= disjoint[-1][1]:
            disjoint.append((first, last))
    return tuple(disjoint)


def _candidates(evidence: Evidence) -> tuple[Interval, ...]:
    return (*_emptied_lists(evidence), *_replaced_seeds(evidence), *_unconfirmed_attempts(evidence))


def _emptied_lists(evidence: Evidence) -> Iterator[Interval]:
    """Yield the reads of all events between which all recorded events disappeared, or all seeded ones are new.

    Empty lists are left out: the events of a purge under way may be seeded after it destroyed the others.
    """
    states = [state for state in evidence.cached(sightings).states if state.rows]
    for before, after in pairwise(states):
        resembles_purge = _resembles_purge(before, after, follows_own=_follows_own(evidence, before.first))
        if resembles_purge and not _is_explained(evidence, before.first, before.last, after.last):
            yield before.first, after.last


def _follows_own(evidence: Evidence, number: int) -> bool:
    """Whether the suite purged so shortly before an exchange that another purge could seed at the same time."""
    (x,) = evidence.numbered([number])
    purge = next((each for each in reversed(own_purges(evidence)) if each.n < number), None)
    return purge is not None and x.sent_at - purge.sent_at - purge.elapsed <= SAME_SECOND_S


def _resembles_purge(before: ListState, after: ListState, *, follows_own: bool) -> bool:
    """Whether the difference between two lists looks like the effect of a purge by others.

    If no event is seeded again soon after a purge of the suite, that purge is what destroyed events.
    """
    seeds, recorded = after.seeds.values(), before.recorded
    known = {event_identity(row) for row in before.rows.values()}
    new = [row for row in seeds if event_identity(row) not in known]
    if recorded.keys() & after.rows.keys() or not _have_one_time(seeds):
        return False
    if recorded:
        return bool(new) or (bool(seeds) and len(recorded) > 1 and not follows_own)
    return any(row["guid"] in before.rows for row in new)


def _replaced_seeds(evidence: Evidence) -> Iterator[Interval]:
    """Yield the pages between which seeded events got a new time.

    Nothing is yielded if times also change where no purge can lie in between.
    """
    last: dict[str, tuple[str, int]] = {}
    known: set[tuple[str, str]] = set()
    intervals = []
    seen = evidence.cached(sightings)
    for x in seen.pages:
        rows = [row for row in resources(x) if seen.is_seed(row)]
        seeds = list(map(event_identity, rows))
        replaced = [(guid, at) for guid, at in seeds if guid in last and last[guid][0] != at]
        first = max((last[guid][1] for guid, at in replaced if (guid, at) not in known), default=None)
        if first is not None and _have_one_time(rows) and not _is_explained(evidence, first, first, x.n):
            if seen.rules_out_purge(first, x.n):
                return
            intervals.append((first, x.n))
        known.update(seeds)
        last.update((guid, (at, x.n)) for guid, at in seeds)
    yield from intervals


def _unconfirmed_attempts(evidence: Evidence) -> Iterator[Interval]:
    view = JudgmentView(evidence)
    for scenario in (Scenario.REJECTED_PURGES, Scenario.AUTH_BYPASS):
        try:
            losses = unconfirmed_losses(view, scenario)
        except (Inconclusive, NotExercised):
            continue
        for attempt in losses:
            if not _is_own_pending(evidence, attempt.before.n):
                yield attempt.before.n, attempt.after.n


def _is_explained(evidence: Evidence, first: int, read: int, last: int) -> bool:
    """Whether a request of the suite may be the reason for a change between two exchanges.

    It is one that was sent in between, or a purge whose effect no read up to `read` shows.
    """
    between = (x for x in evidence.exchanges if first <= x.n <= last)
    return any(map(_could_purge, between)) or _is_own_pending(evidence, read)


def _could_purge(x: Exchange) -> bool:
    """Whether the target might treat a request as a purge: all except plain reads and changes of apps."""
    if x.route.startswith(APPS) and "?" not in x.path:
        return False
    is_read = x.method == "GET" and not x.route.startswith(PURGE_PATH.rpartition("/")[0])
    return is_purge(x.method, x.path) or not is_read or x.scenario is Scenario.AUTH_BYPASS


def _is_own_pending(evidence: Evidence, read: int) -> bool:
    """Whether the suite's last purge before an exchange has not taken effect, as far as the reads up to it show.

    A purge that is late destroys events, and seeds others, after its answer. Where one was, each may be that late.
    """
    purge = next((x for x in reversed(own_purges(evidence)) if x.n < read), None)
    if purge is None:
        return False
    if may_be_late(evidence, *evidence.numbered([read])):
        return True
    seen = evidence.cached(sightings)
    before = next((state for state in reversed(seen.states) if state.last < purge.n), None)
    after = next((state for state in reversed(seen.states) if purge.n < state.first and state.last <= read), None)
    if before and after and _identities(before.recorded.values()) & _identities(after.rows.values()):
        return True
    if before and after and before.recorded:
        return False
    times = [first.sent_at for first, last in seen.seeds.values() if first.n <= read and last.n > purge.n]
    return bool(before) and not any(at >= purge.sent_at - SAME_SECOND_S for at in times)


def _have_one_time(seeds: Iterable[Row]) -> bool:
    """Whether the times of seeded events may be those of one purge."""
    moments = [moment.timestamp() for row in seeds if (moment := clock.parse_rfc3339(row.get("created_at")))]
    return not moments or max(moments) - min(moments) <= SAME_SECOND_S


def _identities(rows: Iterable[Row]) -> set[tuple[str, str]]:
    return {event_identity(row) for row in rows}
