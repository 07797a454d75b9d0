"""Random sequences of everything that the apps and the events can go through, against a model of them."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.app_model.expectations import Kind
from purge_conformance.analysis.assertions import (
    Broken,
    Inconclusive,
    NotExercised,
    Seen,
    Trial,
    Undecided,
    hold_each,
    stopped,
)
from purge_conformance.analysis.sequence import plays
from purge_conformance.analysis.sequence_script import script
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.analysis.sequence import Play

# The judgments of what is simple, by their files: they name what they see, and the model need not name it again.
SIMPLE = ("purge", "seed", "afterwards", "refused", "authentication")
SIMPLE_READS = ("list_filters", "list_pages", "get", "seed")
OTHERWISE = {"PURGE-02", "SEED-06", "SEED-07", "AUTH-05", "AUTH-06", "AUTH-08"}  # of bodies, times and reads


@pytest.mark.requirement("MODEL-01")
def test_model_agrees(seen: Seen) -> None:
    """After any sequence of starts, stops, scalings, deletions and purges the list MUST show what follows from it."""
    played = list(plays(seen))
    odd = next((play for play in played if play.found), None)
    if odd is None or odd.found is None:
        _agreed(seen, played)
        hold_each(seen, map(_trial, played))
        return
    again = [play for play in played if play.shorter and play.found and play.found.kind is odd.found.kind]
    if known := list(_known(seen, SIMPLE_READS if odd.found.kind is Kind.READ else SIMPLE)):
        raise Inconclusive(f"what is simpler fails as well: see {', '.join(known)}", Cause.TARGET)
    if odd.found.others and not again:
        raise Inconclusive("every event but the seeded ones is gone: somebody purged, perhaps another", Cause.RACE)
    told = _finding(seen, min([odd, *again], key=lambda play: play.length), again)
    whole = [play for play in played if not play.shorter]
    hold_each(seen, (replace(_trial(play), findings=(told,) if play is odd else ()) for play in whole))


def _trial(play: Play) -> Trial:
    """Return a sequence that was played as a trial, of which nothing is wrong."""
    return Trial(play.taken[-1].answer.n if play.taken else 0, (), " ".join(map(str, play.steps)))


def _agreed(seen: Seen, played: Sequence[Play]) -> None:
    """Return if whole sequences were played, and a purge seeded something in one.

    Raises:
        Inconclusive: they were cut short.
        NotExercised: there was none, or none with a started app.
    """
    stopped(seen, "sequences")
    if lost := [play.history.lost for play in played if play.history.lost]:
        raise Inconclusive(f"a sequence could not be followed to its end: {lost[0]}", Cause.TARGET)
    if not any(play.history.seed_guids for play in played):
        trouble = seen.note("foundation", "trouble") or seen.note("foundation", "untimed")
        trouble = trouble or "no app of the suite's own was started when a purge came"
        raise NotExercised(str(trouble), Cause.CONFIGURATION)


def _finding(seen: Seen, play: Play, again: Sequence[Play]) -> Finding:
    """Tell where the target disagrees in the shortest sequence, with a script that does it again."""
    found = play.found
    assert found
    words = f"after step {play.length} of {play.length}, {found.step}: {found.expected}"
    never = "" if again else f"; played {sum(1 for _ in plays(seen)) - 1} times more, it did not come again"
    return Finding(words, found.got + never, found.exchange, script=script(seen, play))


def _known(seen: Seen, files: Sequence[str]) -> Iterator[str]:
    """Yield the MUSTs of the core profile among these judgments that fail."""
    musts = {r.id for r in catalogue.requirements() if (r.level, r.profile) == (Level.MUST, Profile.CORE)} - OTHERWISE
    for name in files:
        module = importlib.import_module(f"purge_conformance.conformance.test_{name}")
        for judgment in vars(module).values():
            for mark in getattr(judgment, "pytestmark", ()):
                if mark.args[0] in musts and _fails(judgment, seen):
                    yield mark.args[0]


def _fails(judgment: Callable[[Seen], None], seen: Seen) -> bool:
    try:
        judgment(Seen(seen))
    except Broken:
        return True
    except Undecided:
        return False
    return False
