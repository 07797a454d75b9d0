"""A purge while apps are started, stopped and scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import simple_apps
from purge_conformance.analysis.assertions import Inconclusive, Trial, answer, hold_each
from purge_conformance.analysis.purge import by_app, guids_of, purged_between
from purge_conformance.analysis.race import QUIET, histories, reading, rounds, timeline
from purge_conformance.evidence.listing import STARTED
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.race import Reading, Round


@pytest.mark.requirement("RACE-02")
def test_still_apps_are_purged(seen: Seen) -> None:
    """Apps that nobody changes during a purge MUST be seeded as ever, whatever becomes of others meanwhile."""
    every = rounds(seen)
    own = simple_apps(seen)
    reading(seen, every)
    if any(finding for found in every if found.name == QUIET for finding in _wrong(seen, found, own)):
        raise Inconclusive("without haste it is wrong too: see PURGE-03 and SEED", Cause.TARGET)
    hold_each(seen, (Trial(found.shown, tuple(_wrong(seen, found, own)), found.name) for found in _purged(every)))


@pytest.mark.requirement("RACE-03")
def test_some_order_explains(seen: Seen) -> None:
    """What is left of an app that is changed during a purge MUST be explained by some order of what was done."""
    every = rounds(seen)
    unexplained = reading(seen, every)
    hold_each(seen, (Trial(found.shown, tuple(_lost(found, unexplained)), found.name) for found in _purged(every)))


def _lost(found: Round, unexplained: Reading) -> Iterator[Finding]:
    """Yield the apps of a round of which no order explains what is left."""
    words = "what some order of these leaves; a purge destroys, and seeds then or later"
    for history in histories(found):
        if needed := unexplained(history):
            yield Finding(f"of the app {history.app} {words}", timeline(history, needed, found), found.shown)


def _purged(every: list[Round]) -> list[Round]:
    """Return the rounds with changes beside a purge that succeeded.

    Raises:
        Inconclusive: none did.
    """
    raced = [found for found in every if found.name != QUIET]
    done = [found for found in raced if found.succeeded]
    if not done:
        told = "; ".join(answer(x) for found in raced for x in found.purges) or "no purge was sent"
        raise Inconclusive(f"no purge succeeded while apps were changed: {told}", Cause.TARGET)
    return done


def _wrong(seen: Seen, found: Round, own: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with the apps that nobody changed in a round."""
    if found.succeeded is None:
        return
    purge = purged_between(seen, found.succeeded, found.before, found.after)
    populated = purge.populated(besides_changes=True)
    repeated, kept = purge.repeated(own), by_app(purge.kept.values(), purge.apps)
    for app, state in purge.apps.items():
        if app not in found.changed:
            due = f"{'one event' if state == STARTED else 'no event'} for the app {app}, {state} all the time"
            if (app in populated) != (state == STARTED) or app in repeated:
                yield Finding(due, guids_of(populated.get(app, ())), purge.last)
            elif app in kept:
                yield Finding(f"none of its old events for the app {app}", guids_of(kept[app]), purge.last)
