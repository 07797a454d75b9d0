"""Every plain purge of a run, whichever experiment sent it, and those that lie between two looks at everything."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import single_process_apps, state_changing_requests
from purge_conformance.analysis.assertions import Inconclusive, Trial, require_each_trial, target_responses
from purge_conformance.analysis.purge import (
    PurgeObservation,
    require_purge,
    require_purge_between,
    require_started_apps,
)
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import event_identity, read_snapshot
from purge_conformance.evidence.records import CONCURRENT, INDUCED, RETRIED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Finding

INTERNAL_ERROR = 500
SNAPSHOT_PARTS = {"events", "processes", "apps"}  # of a look at everything


@dataclass(frozen=True)
class SnapshotSpan:
    """A look at everything: where it stands in the run, from its first exchange to its last, and what it saw."""

    first: int
    last: int
    snapshot: Snapshot


def plain_purges(view: JudgmentView) -> list[tuple[Exchange, bool]]:
    """Return every answered plain purge by the admin that was alone and not to fail, and whether it is one again.

    A purge is one again right after another that succeeded: the suite had done nothing on the target in between.
    """
    found = view.cached(_find_plain_purges)
    view.read_exchanges.extend(request.n for request, _ in found)
    return found


def require_plain_purges_reliable(view: JudgmentView) -> None:
    """Return unless a plain purge by itself failed.

    Raises:
        Inconclusive: one did, so that a failure beside others, or of an odd purge, tells nothing of these.
    """
    if any(request.status == INTERNAL_ERROR for request, _ in plain_purges(view)):
        raise Inconclusive("a plain purge by itself fails as well: see PURGE-01 and AGAIN-01", Cause.TARGET)


def require_observed_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return every plain purge that succeeded, nothing but reading around it, between two looks; in their order.

    Raises:
        Inconclusive, NotExercised: there is none, for the reason that holds for the first purge.
    """
    found = observed_purges(view) or (require_purge(view, "purge"),)
    for trial in found:
        listings = (trial.before.events, trial.after.events, trial.after.apps)
        view.read_exchanges.extend([trial.request.n, *(x.n for listing in listings for x in listing.exchanges)])
    return found


def observed_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return the trials, also where there is none."""
    return view.cached(_find_observed_purges)


def require_first_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return the trials that PURGE and SEED judge: all but those right after another purge, which are AGAIN-02's.

    Raises:
        Inconclusive, NotExercised: there is none.
    """
    found = tuple(trial for trial in require_observed_purges(view) if not trial.is_repeat)
    if not found:
        raise Inconclusive("of no purge but one right after another the lists could be read", Cause.TARGET)
    return found


def require_each_purge(
    view: JudgmentView, purges: Iterable[PurgeObservation], findings_of: Callable[[PurgeObservation], Iterable[Finding]]
) -> None:
    """Require that nothing is wrong with any of these purges, each of which is a trial of the requirement."""
    require_each_trial(view, (Trial(purge.last_exchange, tuple(findings_of(purge))) for purge in purges))


def require_purges_with_started_apps(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return those of the fresh trials that found any app started all the time.

    Raises:
        NotExercised: none did.
    """
    found = require_first_purges(view)
    return tuple(trial for trial in found if trial.started_apps) or (require_started_apps(found[0], view),)


def require_plain_purges_correct(view: JudgmentView, *, ignore_changed_apps: bool = False) -> None:
    """Return if every plain purge that was seen is whole, so that what is wrong can be put down to what was special.

    Args:
        view: what the run saw.
        ignore_changed_apps: take no account of apps that had another state before.

    Raises:
        Inconclusive: one is not.
    """
    single_process = single_process_apps(view)
    found = [trial for trial in observed_purges(view) if not trial.is_repeat]
    judged = found if ignore_changed_apps else [replace(trial, state_changed_earlier=frozenset()) for trial in found]
    if not all(trial.is_correct(single_process) for trial in judged):
        raise Inconclusive("a plain purge is no whole purge either: see PURGE-03 and SEED", Cause.TARGET)


def _find_plain_purges(evidence: Evidence) -> list[tuple[Exchange, bool]]:
    requests = evidence.cached(state_changing_requests)
    purge_by_number = {x.n: is_purge(x.method, x.path) for x in requests if (x.status or 0) // 100 == 2}  # noqa: PLR2004 -- success
    found, is_repeat = [], False
    for x in requests:
        if _is_plain_purge(x) and target_responses([x]):
            found.append((x, is_repeat))
        is_repeat = purge_by_number.get(x.n, is_repeat)
    return found


def _is_plain_purge(x: Exchange) -> bool:
    is_plain = (x.method, x.path, x.role) == ("POST", PURGE_PATH, ADMIN) and not x.request_body
    return is_plain and not {RETRIED, CONCURRENT, INDUCED} & x.tags.keys()


def _find_observed_purges(evidence: Evidence) -> tuple[PurgeObservation, ...]:
    spans, requests = evidence.cached(snapshot_spans), evidence.cached(state_changing_requests)
    ends, numbers = [look.last for look in spans], [x.n for x in requests]
    states: dict[str, set[str]] = {}
    seeded_earlier: set[str] = set()
    found, known_spans = [], 0
    for request, is_repeat in _find_plain_purges(evidence):
        place = bisect_left(ends, request.n)
        _add_states(states, spans[known_spans:place])
        known_spans = place
        if not 0 < place < len(spans):
            continue
        before, after = spans[place - 1 : place + 1]
        requests_between = requests[bisect_left(numbers, before.first) : bisect_left(numbers, after.last)]
        if after.first < request.n or any(_obscures(x, request) for x in requests_between if x is not request):
            continue
        with suppress(Inconclusive):
            trial = require_purge_between(evidence, request, before.snapshot, after.snapshot)
            state_changed_earlier = frozenset(
                guid for guid, state in trial.apps.items() if states.get(guid, {state}) != {state}
            )
            known_keys = frozenset(
                event_identity(row) for look in spans[: place - 1] for row in look.snapshot.events.rows
            )
            trial = replace(trial, is_repeat=is_repeat, state_changed_earlier=state_changed_earlier)
            trial = replace(trial, seeded_earlier=frozenset(seeded_earlier), known_keys=known_keys)
            seeded_earlier |= {
                str(row["guid"]) for rows in trial.new_events_by_app(exclude_changes=True).values() for row in rows
            }
            found.append(trial)
    return tuple(found)


def _obscures(x: Exchange, purge: Exchange) -> bool:
    """Whether a request between two looks hides what the purge did: another purge, or what did not end before it."""
    return is_purge(x.method, x.path) or x.sent_at + x.elapsed > purge.sent_at


def snapshot_spans(evidence: Evidence) -> list[SnapshotSpan]:
    """Return every look at everything, in their order; its step's name is that of no other look of the experiment."""
    found: dict[tuple[str, str], list[int]] = {}
    for x in evidence.exchanges:
        step, _, part = x.step.rpartition(".")
        if step and part in SNAPSHOT_PARTS:
            found.setdefault((x.experiment, step), []).append(x.n)
    spans = [SnapshotSpan(min(ns), max(ns), read_snapshot(evidence, *place)) for place, ns in found.items()]
    return sorted(spans, key=lambda look: look.last)


def _add_states(states: dict[str, set[str]], spans: Iterable[SnapshotSpan]) -> None:
    """Add the states of apps that looks saw."""
    for look in spans:
        for guid, row in look.snapshot.apps.by_guid.items():
            states.setdefault(guid, set()).add(str(row.get("state")))
