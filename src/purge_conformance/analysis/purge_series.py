"""Every plain purge of a run, whichever experiment sent it, and those that lie between two looks at everything."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import deeds, simple_apps
from purge_conformance.analysis.assertions import Inconclusive, Trial, answered, hold_each
from purge_conformance.analysis.purge import Purged, purged, purged_between, with_started_apps
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import event_identity, read_snapshot
from purge_conformance.evidence.records import CONCURRENT, INDUCED, RETRIED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Finding

FAILED = 500
PARTS = {"events", "processes", "apps"}  # of a look at everything


@dataclass(frozen=True)
class Look:
    """A look at everything: where it stands in the run, from its first exchange to its last, and what it saw."""

    first: int
    last: int
    saw: Snapshot


def plain_purges(seen: Seen) -> list[tuple[Exchange, bool]]:
    """Return every answered plain purge by the admin that was alone and not to fail, and whether it is one again.

    A purge is one again right after another that succeeded: the suite had done nothing on the target in between.
    """
    found = seen.cached(_plain_purges)
    seen.looked_at.extend(request.n for request, _ in found)
    return found


def fails_at_times(seen: Seen) -> None:
    """Return unless a plain purge by itself failed.

    Raises:
        Inconclusive: one did, so that a failure beside others, or of an odd purge, tells nothing of these.
    """
    if any(request.status == FAILED for request, _ in plain_purges(seen)):
        raise Inconclusive("a plain purge by itself fails as well: see PURGE-01 and AGAIN-01", Cause.TARGET)


def trials(seen: Seen) -> tuple[Purged, ...]:
    """Return every plain purge that succeeded, nothing but reading around it, between two looks; in their order.

    Raises:
        Inconclusive, NotExercised: there is none, for the reason that holds for the first purge.
    """
    found = observed(seen) or (purged(seen, "purge"),)
    for trial in found:
        looks = (trial.before.events, trial.after.events, trial.after.apps)
        seen.looked_at.extend([trial.request.n, *(x.n for listing in looks for x in listing.exchanges)])
    return found


def observed(seen: Seen) -> tuple[Purged, ...]:
    """Return the trials, also where there is none."""
    return seen.cached(_trials)


def fresh(seen: Seen) -> tuple[Purged, ...]:
    """Return the trials that PURGE and SEED judge: all but those right after another purge, which are AGAIN-02's.

    Raises:
        Inconclusive, NotExercised: there is none.
    """
    found = tuple(trial for trial in trials(seen) if not trial.is_again)
    if not found:
        raise Inconclusive("of no purge but one right after another the lists could be read", Cause.TARGET)
    return found


def hold_of_each(seen: Seen, purges: Iterable[Purged], wrong: Callable[[Purged], Iterable[Finding]]) -> None:
    """Require that nothing is wrong with any of these purges, each of which is a trial of the requirement."""
    hold_each(seen, (Trial(purge.last, tuple(wrong(purge))) for purge in purges))


def with_apps(seen: Seen) -> tuple[Purged, ...]:
    """Return those of the fresh trials that found any app started all the time.

    Raises:
        NotExercised: none did.
    """
    found = fresh(seen)
    return tuple(trial for trial in found if trial.started) or (with_started_apps(found[0], seen),)


def all_whole(seen: Seen, *, of_settled_apps: bool = False) -> None:
    """Return if every plain purge that was seen is whole, so that what is wrong can be put down to what was special.

    Args:
        seen: what the run saw.
        of_settled_apps: take no account of apps that had another state before.

    Raises:
        Inconclusive: one is not.
    """
    own = simple_apps(seen)
    found = [trial for trial in observed(seen) if not trial.is_again]
    judged = found if of_settled_apps else [replace(trial, unsettled=frozenset()) for trial in found]
    if not all(trial.is_whole(own) for trial in judged):
        raise Inconclusive("a plain purge is no whole purge either: see PURGE-03 and SEED", Cause.TARGET)


def _plain_purges(evidence: Evidence) -> list[tuple[Exchange, bool]]:
    acts = evidence.cached(deeds)
    done = {x.n: is_purge(x.method, x.path) for x in acts if (x.status or 0) // 100 == 2}  # noqa: PLR2004 -- success
    found, last = [], False
    for x in acts:
        if _is_plain(x) and answered([x]):
            found.append((x, last))
        last = done.get(x.n, last)
    return found


def _is_plain(x: Exchange) -> bool:
    is_plain = (x.method, x.path, x.role) == ("POST", PURGE_PATH, ADMIN) and not x.request_body
    return is_plain and not {RETRIED, CONCURRENT, INDUCED} & x.tags.keys()


def _trials(evidence: Evidence) -> tuple[Purged, ...]:
    looks, acts = evidence.cached(looks_of), evidence.cached(deeds)
    ends, numbers = [look.last for look in looks], [x.n for x in acts]
    states: dict[str, set[str]] = {}
    populated: set[str] = set()
    found, known = [], 0
    for request, is_again in _plain_purges(evidence):
        place = bisect_left(ends, request.n)
        _learn(states, looks[known:place])
        known = place
        if not 0 < place < len(looks):
            continue
        before, after = looks[place - 1 : place + 1]
        meanwhile = acts[bisect_left(numbers, before.first) : bisect_left(numbers, after.last)]
        if after.first < request.n or any(_disturbs(x, request) for x in meanwhile if x is not request):
            continue
        with suppress(Inconclusive):
            trial = purged_between(evidence, request, before.saw, after.saw)
            unsettled = frozenset(guid for guid, state in trial.apps.items() if states.get(guid, {state}) != {state})
            earlier = frozenset(event_identity(row) for look in looks[: place - 1] for row in look.saw.events.rows)
            trial = replace(trial, is_again=is_again, unsettled=unsettled)
            trial = replace(trial, populated_before=frozenset(populated), earlier=earlier)
            populated |= {str(row["guid"]) for rows in trial.populated(besides_changes=True).values() for row in rows}
            found.append(trial)
    return tuple(found)


def _disturbs(x: Exchange, purge: Exchange) -> bool:
    """Whether a request between two looks hides what the purge did: another purge, or what did not end before it."""
    return is_purge(x.method, x.path) or x.sent_at + x.elapsed > purge.sent_at


def looks_of(evidence: Evidence) -> list[Look]:
    """Return every look at everything, in their order; its step's name is that of no other look of the experiment."""
    found: dict[tuple[str, str], list[int]] = {}
    for x in evidence.exchanges:
        step, _, part = x.step.rpartition(".")
        if step and part in PARTS:
            found.setdefault((x.experiment, step), []).append(x.n)
    looks = [Look(min(ns), max(ns), read_snapshot(evidence, *place)) for place, ns in found.items()]
    return sorted(looks, key=lambda look: look.last)


def _learn(states: dict[str, set[str]], looks: Iterable[Look]) -> None:
    """Add the states of apps that looks saw."""
    for look in looks:
        for guid, row in look.saw.apps.by_guid.items():
            states.setdefault(guid, set()).add(str(row.get("state")))
