"""Every plain purge of a run, of whichever scenario, and those between two snapshots.

A plain purge is the documented request: as admin, without a body or a query. One that carries a set of further headers
is one of them, unless the headers are the cause of what it shows: then HEADER-01 judges it.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps, single_process_apps, state_changing_requests
from purge_conformance.analysis.assertions import require_each_trial
from purge_conformance.analysis.next_steps import FIX_READS
from purge_conformance.analysis.outcomes import Inconclusive, PrerequisiteFailed, Trial
from purge_conformance.analysis.purge import (
    PurgeObservation,
    require_purge,
    require_purge_between,
    require_started_apps,
)
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import event_identity, snapshots
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.report.model import Cause

# Answers to a purge that have nothing to do with its body and with other purges.
UNRELATED_FAILURES = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import SnapshotSpan
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Finding


def plain_purges(view: JudgmentView) -> list[tuple[Exchange, bool]]:
    """Return every answered plain purge that was neither concurrent nor induced to fail, and whether it is a repeat.

    A purge is a repeat right after another purge that succeeded, without any change by the suite in between.
    """
    purges = view.cached(_find_plain_purges)
    view.read_exchanges.extend(request.n for request, _ in purges)
    return purges


def require_plain_purges_reliable(view: JudgmentView, *statuses: int | None) -> None:
    """Require that no plain purge had one of these statuses, each of them a failure of any purge.

    Raises:
        PrerequisiteFailed: one had, so concurrency or unexpected input cannot be the cause of another failure.
    """
    failures = UNRELATED_FAILURES & set(statuses)
    if status := next((request.status for request, _ in plain_purges(view) if request.status in failures), None):
        raise PrerequisiteFailed(f"plain purges already answer {status}")


def require_observed_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return every successful plain purge between two snapshots with only reads in between, in order.

    Raises:
        Undecided: there is none, for the reason that applies to the first purge.
    """
    purges = observed_purges(view) or (require_purge(view, Scenario.PURGE),)
    for purge in purges:
        listings = (purge.before.events, purge.after.events, purge.after.apps)
        view.read_exchanges.extend([purge.request.n, *(x.n for listing in listings for x in listing.exchanges)])
    return purges


def observed_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return what `require_observed_purges` returns, or an empty tuple."""
    return view.cached(_find_observed_purges)


def require_first_purges(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return the observed purges that PURGE and SEED judge: all except repeats, which AGAIN-02 judges.

    Raises:
        Undecided: there is none.
    """
    purges = tuple(purge for purge in require_observed_purges(view) if not purge.is_repeat)
    if not purges:
        raise Inconclusive("The list could not be read before and after any first purge.", Cause.TARGET, FIX_READS)
    return purges


def require_each_purge(
    view: JudgmentView,
    purges: Iterable[PurgeObservation],
    findings_of: Callable[[PurgeObservation], Iterable[Finding]],
    *cases: str,
) -> None:
    """Require that no purge has a finding; each purge is a trial of the requirement, and of each of these cases."""
    trials = [Trial(purge.last_exchange, tuple(findings_of(purge))) for purge in purges]
    for case in cases:
        view.count(case, (trial.exchange for trial in trials))
    require_each_trial(view, trials)


def require_purges_with_started_apps(view: JudgmentView) -> tuple[PurgeObservation, ...]:
    """Return the first purges with an app that was started before and after them.

    Raises:
        NotExercised: there is none.
    """
    purges = require_first_purges(view)
    return tuple(purge for purge in purges if purge.started_apps) or (require_started_apps(purges[0], view),)


def find_unusual_apps(view: JudgmentView, purges: Collection[PurgeObservation]) -> frozenset[str] | None:
    """Return the apps of other clients that one of these purges treats incorrectly; None if others are affected.

    For example, an app whose process was replaced by a rolling deployment is seeded with another guid. SEED names such
    an app; other judgments leave it out. None is returned for an own app of the suite, and for every started app.
    """
    single_process = single_process_apps(view)
    unusual = frozenset(app for purge in purges for app in purge.wrong_apps(single_process))
    started = {app for purge in purges for app in purge.started_apps}
    return None if unusual & own_apps(view) or (unusual and started <= unusual) else unusual


def require_plain_purges_correct(view: JudgmentView, *, ignore_changed_apps: bool = False) -> frozenset[str]:
    """Require that every observed plain purge is correct, so that another defect has a special cause.

    Args:
        view: the evidence.
        ignore_changed_apps: ignore apps that had another state before.

    Returns:
        the apps to leave out, as `find_unusual_apps` does.

    Raises:
        PrerequisiteFailed: one is not.
    """
    single_process = single_process_apps(view)
    purges = [purge for purge in observed_purges(view) if not purge.is_repeat]
    judged = purges if ignore_changed_apps else [replace(purge, state_changed_earlier=frozenset()) for purge in purges]
    unusual = find_unusual_apps(view, judged)
    if unusual is None or not all(purge.without_apps(unusual).is_correct(single_process) for purge in judged):
        raise PrerequisiteFailed("plain purges already fail")
    return unusual


def _find_plain_purges(evidence: Evidence) -> list[tuple[Exchange, bool]]:
    requests = evidence.cached(state_changing_requests)
    purge_by_number = {x.n: is_purge(x.method, x.path) for x in requests if x.succeeded}
    purges, is_repeat = [], False
    for x in requests:
        if is_plain_purge(x) and target_responses([x]):
            purges.append((x, is_repeat))
        is_repeat = purge_by_number.get(x.n, is_repeat)
    return _without_effects_of_headers(purges)


def is_plain_purge(x: Exchange) -> bool:
    """Whether a request is a plain purge that was neither concurrent nor induced to fail."""
    is_plain = (x.method, x.path, x.role) == ("POST", PURGE_PATH, ADMIN) and not x.request_body
    return is_plain and not {Tag.SUPERSEDED, Tag.CONCURRENT, Tag.INDUCED, Tag.PART_OF_SET} & x.tags.keys()


def _without_effects_of_headers(purges: list[tuple[Exchange, bool]]) -> list[tuple[Exchange, bool]]:
    """Return the purges without those whose set of headers never gets 200, and those that were refused."""
    successful = {x.tags.get(Tag.HEADERS) for x, _ in purges if x.status == HTTPStatus.OK}
    return [
        (x, is_repeat)
        for x, is_repeat in purges
        if Tag.HEADERS not in x.tags or (x.tags[Tag.HEADERS] in successful and not x.rejected)
    ]


def _with_harmless_headers(purges: list[PurgeObservation]) -> list[PurgeObservation]:
    """Return the purges without those that are never complete with their set of headers."""
    complete = {purge.request.tags.get(Tag.HEADERS) for purge in purges if purge.is_complete()}
    names = [purge.request.tags.get(Tag.HEADERS) for purge in purges]
    return [purge for purge, name in zip(purges, names, strict=True) if name is None or name in complete]


def _find_observed_purges(evidence: Evidence) -> tuple[PurgeObservation, ...]:
    spans, requests = evidence.cached(snapshots), evidence.cached(state_changing_requests)
    ends, numbers = [span.last for span in spans], [x.n for x in requests]
    states: dict[str, set[str]] = {}
    seeded_earlier: set[str] = set()
    purges, known_spans = [], 0
    for request, is_repeat in _find_plain_purges(evidence):
        index = bisect_left(ends, request.n)
        _add_states(states, spans[known_spans:index])
        known_spans = index
        if not 0 < index < len(spans):
            continue
        before, after = spans[index - 1 : index + 1]
        requests_between = requests[bisect_left(numbers, before.first) : bisect_left(numbers, after.last)]
        if after.first < request.n or any(_obscures(x, request) for x in requests_between if x is not request):
            continue
        with suppress(Inconclusive):
            purge = require_purge_between(evidence, request, before.snapshot, after.snapshot)
            state_changed_earlier = frozenset(
                guid for guid, state in purge.apps.items() if states.get(guid, {state}) != {state}
            )
            known_keys = frozenset(
                event_identity(row) for span in spans[: index - 1] for row in span.snapshot.events.rows
            )
            purge = replace(purge, is_repeat=is_repeat, state_changed_earlier=state_changed_earlier)
            purge = replace(purge, seeded_earlier=frozenset(seeded_earlier), known_keys=known_keys)
            seeded_earlier |= {
                str(row["guid"]) for rows in purge.new_events_by_app(exclude_changes=True).values() for row in rows
            }
            purges.append(purge)
    return tuple(_with_harmless_headers(purges))


def _obscures(x: Exchange, purge: Exchange) -> bool:
    """Whether a request between two snapshots hides the effect of the purge: another purge, or a concurrent request."""
    return is_purge(x.method, x.path) or x.sent_at + x.elapsed > purge.sent_at


def _add_states(states: dict[str, set[str]], spans: Iterable[SnapshotSpan]) -> None:
    for span in spans:
        for guid, row in span.snapshot.apps.by_guid.items():
            states.setdefault(guid, set()).add(str(row.get("state")))
