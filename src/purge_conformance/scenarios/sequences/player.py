"""Random sequences of starts, stops, scalings, deletions, purges and reads, with a look after each step.

It judges nothing: it asks the model only whether it is worth the while to try shorter sequences.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model import reads
from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.app_model.state import Action
from purge_conformance.analysis.app_model.trace import RESULTING_STATES, ExecutedStep, SequenceTrace
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.credentials import ANONYMOUS
from purge_conformance.evidence.listing import app_of_process, resources
from purge_conformance.scenarios.authorization import non_admin_credentials
from purge_conformance.scenarios.sequences.generator import generate
from purge_conformance.scenarios.sequences.shrinker import shrink

if TYPE_CHECKING:
    from purge_conformance.analysis.app_model.state import Step
    from purge_conformance.client.client import Client
    from purge_conformance.client.credentials import Credential
    from purge_conformance.target.apps import SuiteApps

    Steps = tuple[Step, ...]

LARGEST_PAGE = {"per_page": 5000}  # the most that a page may take
CREDENTIAL_KINDS = {
    "none": "none",
    "forged": "invalid",
    "other": "valid",
}  # whose purge is refused -> kind of credential
MAX_SHRINK_RUNS = 25  # of shorter sequences
REQUESTS_PER_STEP = 3


def play_sequences(client: Client, foundation: SuiteApps) -> None:
    """Play each sequence, each time, until the target disagrees with the model; then shorter ones that may show it."""
    if not foundation.is_usable:
        return
    foundation.delete_if_incomplete()
    player = Player(client, foundation)
    for steps in [*generate(client.settings.seed)] * client.settings.repeat:
        disagreement = player.play(steps).disagreement
        if disagreement:
            player.shrink(steps[: disagreement.position], disagreement.kind)
            return


class Player:
    """Plays sequences, one after the other, each with apps of its own."""

    def __init__(self, client: Client, foundation: SuiteApps) -> None:
        """Begin with nothing played, on a target that records at once."""
        self._client = client
        self._foundation = foundation
        self._run_count = 0
        self._recording_delay = 0  # pauses that the target needed to record a change
        self._is_clean = True  # whether a purge was the last thing that was done
        self._process_count = _max_process_count(client, foundation)

    def play(self, steps: Steps, *, is_shrunk: bool = False) -> SequenceTrace:
        """Take the steps until the target disagrees or does not answer; then take down the apps that are left."""
        self._run_count += 1
        note = {"steps": [str(step) for step in steps], "processes": self._process_count, "shorter": is_shrunk}
        self._client.note(f"sequence {self._run_count}", note)
        trace = SequenceTrace(self._process_count)
        if not self._is_clean:  # what a longer sequence left behind must not help a shorter one
            self._client.post(PURGE_PATH, f"{self._run_count} {Action.PURGE}")
        for place, step in enumerate(steps, 1):
            if not trace.is_finished and trace.model.allows(step):
                self._is_clean = step.action is Action.PURGE
                max_reads = self._recording_delay + 1 if is_shrunk else len(self._foundation.poll_intervals)
                trace = self._execute_and_read(trace, step, place, max_reads)
        for name, app in trace.model.apps.items():
            if app.exists:
                self._foundation.remove(trace.guids[name], f"{self._run_count} demolish")
        return trace

    def shrink(self, steps: Steps, kind: DisagreementKind) -> None:
        """Play shorter sequences, as far as the budgets go; where none shows the same, the same once more."""
        results: dict[Steps, Steps | None] = {steps: steps}

        def reproduce(rest: Steps) -> Steps | None:
            if rest not in results and len(results) <= MAX_SHRINK_RUNS and self._can_afford(rest):
                disagreement = self.play(rest, is_shrunk=True).disagreement
                results[rest] = rest[: disagreement.position] if disagreement and disagreement.kind is kind else None
            return results.get(rest)

        if shrink(steps, reproduce) == steps and self._can_afford(steps):
            self.play(steps, is_shrunk=True)

    def _can_afford(self, steps: Steps) -> bool:
        purges = 1 + sum(step.action is Action.PURGE for step in steps)
        guard = self._client.guard
        return purges <= guard.purges_left and REQUESTS_PER_STEP * len(steps) <= guard.requests_left

    def _execute_and_read(self, trace: SequenceTrace, step: Step, place: int, max_reads: int) -> SequenceTrace:
        """Take a step and look; look again while a change is not recorded, since that may come late."""
        label, pauses = f"{self._run_count}.{place}", self._foundation.poll_intervals
        execution = self._execute(trace, step, place, label)
        if step.action is Action.CREATE and trace.listing is None:
            return trace.with_step(execution)  # nothing was done yet that could be seen
        if step.action is Action.READ and not trace.with_step(execution).disagreement:
            return trace  # it shows what the last look showed
        if step.app:
            time.sleep(sum(pauses[: self._recording_delay]))  # also what need not be recorded may come late
        for look_number in range(max_reads):
            listing = look.read_pages(self._client, EVENTS_PATH, f"{label} look {look_number}", LARGEST_PAGE)
            now = trace.with_step(replace(execution, listing=listing))
            if not (now.disagreement and now.disagreement.kind is DisagreementKind.CHANGE_UNRECORDED):
                self._recording_delay = max(self._recording_delay, look_number)
                break
            if look_number + 1 < max_reads:
                time.sleep(pauses[look_number])
        return now

    def _execute(self, trace: SequenceTrace, step: Step, place: int, label: str) -> ExecutedStep:
        step_name = f"{label} {step}"
        guid = trace.guids.get(step.argument, "")
        match step.action:
            case Action.CREATE:
                response, created_guid = self._foundation.create_extra_app(
                    f"{step.argument}{self._run_count}", step_name
                )
                return ExecutedStep(place, step, response, created_guid=created_guid)
            case Action.START | Action.STOP:
                response = self._client.post(f"/v3/apps/{guid}/actions/{step.action}", step_name)
                is_confirmed = self._foundation.reached_state(
                    guid, RESULTING_STATES[step.action], response, f"{label} became"
                )
                return ExecutedStep(place, step, response, is_confirmed=is_confirmed)
            case Action.SCALE:
                path = f"/v3/apps/{guid}/processes/web/actions/scale"
                return ExecutedStep(place, step, self._client.post(path, step_name, data=step.scale_values))
            case Action.DELETE:
                response = self._foundation.remove(guid, step_name)
                return ExecutedStep(place, step, response, is_confirmed=self._foundation.is_gone(guid, f"{label} gone"))
            case Action.PURGE:
                return ExecutedStep(place, step, self._client.post(PURGE_PATH, step_name))
            case Action.REJECTED_PURGE:
                return ExecutedStep(
                    place,
                    step,
                    self._client.post(PURGE_PATH, step_name, credential=self._credential_of_kind(step.argument)),
                )
            case Action.READ:
                rows = trace.listing.rows if trace.listing else ()
                query = reads.build_query(step.argument, rows, trace.guids.values(), trace.seeded_events)
                walk = look.read_pages(self._client, EVENTS_PATH, step_name, query, max_pages=reads.PAGES_PER_WALK + 1)
                return ExecutedStep(place, step, walk.exchanges[-1], walks=(walk,))

    def _credential_of_kind(self, kind: str) -> Credential:
        """Return a credential of that kind that may not purge; none where there is none of the kind."""
        return next(
            (who for who in non_admin_credentials(self._client) if who.kind == CREDENTIAL_KINDS[kind]), ANONYMOUS
        )


def _max_process_count(client: Client, foundation: SuiteApps) -> int:
    """Return how many processes an app of the suite's own has, as far as that is known."""
    rows = [row for x in client.exchanges_of("purge", "after.processes") for row in resources(x)]
    counts = Counter(app_of_process(row) for row in rows)
    return max([1, *(counts[guid] for guid in foundation.apps.values())])
