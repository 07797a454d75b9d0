"""Random sequences of starts, stops, scalings, deletions, purges and reads, with a look after each step.

It judges nothing: it asks the model only whether it is worth the while to try shorter sequences.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model import reads
from purge_conformance.analysis.app_model.expectations import Kind
from purge_conformance.analysis.app_model.state import Deed
from purge_conformance.analysis.app_model.trace import BECOMES, History, Taken
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.evidence.listing import app_of_process, resources
from purge_conformance.scenarios.authorization import everybody_else
from purge_conformance.scenarios.sequences.generator import draw
from purge_conformance.scenarios.sequences.shrinker import shrunk

if TYPE_CHECKING:
    from purge_conformance.analysis.app_model.state import Step
    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

    Steps = tuple[Step, ...]

PER_PAGE = {"per_page": 5000}  # the most that a page may take
KINDS = {"none": "none", "forged": "invalid", "other": "valid"}  # whose purge is refused -> kind of credential
MOST_PLAYS = 25  # of shorter sequences
REQUESTS_A_STEP = 3


def sequences(client: Client, foundation: SuiteApps) -> None:
    """Play each sequence, each time, until the target disagrees with the model; then shorter ones that may show it."""
    if not foundation.is_usable:
        return
    foundation.delete_if_incomplete()
    player = Player(client, foundation)
    for steps in [*draw(client.settings.seed)] * client.settings.repeat:
        found = player.play(steps).found
        if found:
            player.shrink(steps[: found.place], found.kind)
            return


class Player:
    """Plays sequences, one after the other, each with apps of its own."""

    def __init__(self, client: Client, foundation: SuiteApps) -> None:
        """Begin with nothing played, on a target that records at once."""
        self._client = client
        self._foundation = foundation
        self._plays = 0
        self._late = 0  # pauses that the target needed to record a change
        self._clean = True  # whether a purge was the last thing that was done
        self._processes = _processes(client, foundation)

    def play(self, steps: Steps, *, shorter: bool = False) -> History:
        """Take the steps until the target disagrees or does not answer; then take down the apps that are left."""
        self._plays += 1
        told = {"steps": [str(step) for step in steps], "processes": self._processes, "shorter": shorter}
        self._client.note(f"sequence {self._plays}", told)
        history = History(self._processes)
        if not self._clean:  # what a longer sequence left behind must not help a shorter one
            self._client.post(PURGE_PATH, f"{self._plays} {Deed.PURGE}")
        for place, step in enumerate(steps, 1):
            if not history.ended and history.world.allows(step):
                self._clean = step.deed is Deed.PURGE
                patience = self._late + 1 if shorter else len(self._foundation.poll_intervals)
                history = self._take(history, step, place, patience)
        for name, app in history.world.apps.items():
            if app.exists:
                self._foundation.remove(history.guids[name], f"{self._plays} demolish")
        return history

    def shrink(self, steps: Steps, kind: Kind) -> None:
        """Play shorter sequences, as far as the budgets go; where none shows the same, the same once more."""
        played: dict[Steps, Steps | None] = {steps: steps}

        def shown(rest: Steps) -> Steps | None:
            if rest not in played and len(played) <= MOST_PLAYS and self._can_afford(rest):
                found = self.play(rest, shorter=True).found
                played[rest] = rest[: found.place] if found and found.kind is kind else None
            return played.get(rest)

        if shrunk(steps, shown) == steps and self._can_afford(steps):
            self.play(steps, shorter=True)

    def _can_afford(self, steps: Steps) -> bool:
        purges = 1 + sum(step.deed is Deed.PURGE for step in steps)
        guard = self._client.guard
        return purges <= guard.purges_left and REQUESTS_A_STEP * len(steps) <= guard.requests_left

    def _take(self, history: History, step: Step, place: int, patience: int) -> History:
        """Take a step and look; look again while a change is not recorded, since that may come late."""
        label, pauses = f"{self._plays}.{place}", self._foundation.poll_intervals
        taken = self._do(history, step, place, label)
        if step.deed is Deed.CREATE and history.look is None:
            return history.then(taken)  # nothing was done yet that could be seen
        if step.deed is Deed.READ and not history.then(taken).found:
            return history  # it shows what the last look showed
        if step.app:
            time.sleep(sum(pauses[: self._late]))  # also what need not be recorded may come late
        for look_number in range(patience):
            whole = look.read_pages(self._client, EVENTS_PATH, f"{label} look {look_number}", PER_PAGE)
            now = history.then(replace(taken, look=whole))
            if not (now.found and now.found.kind is Kind.UNRECORDED):
                self._late = max(self._late, look_number)
                break
            if look_number + 1 < patience:
                time.sleep(pauses[look_number])
        return now

    def _do(self, history: History, step: Step, place: int, label: str) -> Taken:
        words = f"{label} {step}"
        guid = history.guids.get(step.what, "")
        match step.deed:
            case Deed.CREATE:
                answer, made = self._foundation.create_extra_app(f"{step.what}{self._plays}", words)
                return Taken(place, step, answer, guid=made)
            case Deed.START | Deed.STOP:
                answer = self._client.post(f"/v3/apps/{guid}/actions/{step.deed}", words)
                settled = self._foundation.reached_state(guid, BECOMES[step.deed], answer, f"{label} became")
                return Taken(place, step, answer, settled=settled)
            case Deed.SCALE:
                path = f"/v3/apps/{guid}/processes/web/actions/scale"
                return Taken(place, step, self._client.post(path, words, data=step.scaled))
            case Deed.DELETE:
                answer = self._foundation.remove(guid, words)
                return Taken(place, step, answer, settled=self._foundation.is_gone(guid, f"{label} gone"))
            case Deed.PURGE:
                return Taken(place, step, self._client.post(PURGE_PATH, words))
            case Deed.REFUSED:
                return Taken(place, step, self._client.post(PURGE_PATH, words, credential=self._somebody(step.what)))
            case Deed.READ:
                rows = history.look.rows if history.look else ()
                asked = reads.query(step.what, rows, history.guids.values(), history.seeded)
                walk = look.read_pages(self._client, EVENTS_PATH, words, asked, max_pages=reads.PAGES + 1)
                return Taken(place, step, walk.exchanges[-1], reads=(walk,))

    def _somebody(self, what: str) -> Credential:
        """Return a credential of that kind that may not purge; none where there is none of the kind."""
        return next((who for who in everybody_else(self._client) if who.kind == KINDS[what]), ANONYMOUS)


def _processes(client: Client, foundation: SuiteApps) -> int:
    """Return how many processes an app of the suite's own has, as far as that is known."""
    rows = [row for x in client.exchanges_of("purge", "after.processes") for row in resources(x)]
    counts = Counter(app_of_process(row) for row in rows)
    return max([1, *(counts[guid] for guid in foundation.apps.values())])
