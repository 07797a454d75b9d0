"""Executes random sequences of starts, stops, scalings, deletions, purges and reads; the list is read after each step.

It judges nothing. It asks the model only whether to try shorter sequences.
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
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, resource_path
from purge_conformance.client.auth.credentials import GARBAGE
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import read_pages
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import APPS, app_of_process, resources
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.scenarios.authorization import non_admin_credentials
from purge_conformance.scenarios.sequences.generator import CREDENTIAL_KINDS, generate
from purge_conformance.scenarios.sequences.shrinker import shrink

if TYPE_CHECKING:
    from purge_conformance.analysis.app_model.state import Step as SequenceStep
    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.tag_values import CredentialKind
    from purge_conformance.target.apps import SuiteApps

    Steps = tuple[SequenceStep, ...]

LARGEST_PAGE = {"per_page": 5000}
MAX_SHRINK_RUNS = 25  # of shorter sequences
REQUESTS_PER_STEP = 3


def play_sequences(client: Client, apps: SuiteApps) -> None:
    """Execute each sequence, N times for --repeat N, until the target disagrees with the model; then shorter ones."""
    if not apps.is_usable:
        return
    player = Player(client, apps)  # counts the processes of the apps that may be deleted now
    apps.delete_if_incomplete()
    for steps in [*generate(client.settings.seed, client.planned_purges)] * client.settings.repeat:
        disagreement = player.play(steps).disagreement
        if disagreement:
            player.shrink(steps[: disagreement.position], disagreement.kind)
            return


class Player:
    """Executes sequences one after the other, each with apps of its own."""

    def __init__(self, client: Client, apps: SuiteApps) -> None:
        """Start with the assumption that the target records changes at once."""
        self._client = client
        self._apps = apps
        self._number = 0  # of the current sequence
        self._recording_delay = 0  # pauses that the target needed to record a change
        self._is_clean = True  # whether the last step was a purge
        self._process_count = _max_process_count(client, apps)

    def play(self, steps: Steps, *, is_shrunk: bool = False) -> SequenceTrace:
        """Execute the steps until the target disagrees or does not respond; then delete the apps of the sequence."""
        self._number += 1
        actions = tuple(str(step) for step in steps)
        self._client.note(
            notes.SEQUENCE, notes.SequencePlan(self._number, actions, self._process_count, shorter=is_shrunk)
        )
        trace = SequenceTrace(self._process_count)
        if not self._is_clean:  # events of a longer sequence must not influence a shorter one
            self._client.post(PURGE_PATH, self._place(Step.RESET_PURGE))
        for position, step in enumerate(steps, 1):
            if not trace.is_finished and trace.model.allows(step):
                self._is_clean = step.action is Action.PURGE
                max_reads = self._recording_delay + 1 if is_shrunk else len(self._apps.patience.intervals)
                trace = self._execute_and_read(trace, step, position, max_reads)
        for name, app in trace.model.apps.items():
            if app.exists:
                self._apps.remove(trace.guids[name], self._place(Step.DELETE))
        return trace

    def shrink(self, steps: Steps, kind: DisagreementKind) -> None:
        """Execute shorter sequences within the budgets; if none disagrees in the same way, repeat the original."""
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

    def _place(self, step: Step, position: int | None = None, index: int | None = None) -> Place:
        return Place(step, index, sequence=self._number, position=position)

    def _execute_and_read(
        self, trace: SequenceTrace, step: SequenceStep, position: int, max_reads: int
    ) -> SequenceTrace:
        """Execute a step and read the list; read it again while a change is not recorded, at most `max_reads` times."""
        pauses = self._apps.patience.intervals
        execution = self._execute(trace, step, position)
        if step.action is Action.CREATE and trace.listing is None:
            return trace.with_step(execution)  # before the first other step, the list shows nothing of it
        if step.action is Action.READ and not trace.with_step(execution).disagreement:
            return trace  # the list is as before
        if step.app:
            time.sleep(sum(pauses[: self._recording_delay]))  # for events that should not be recorded
        for read in range(max_reads):
            where = self._place(Step.LIST_AFTER_ACTION, position, read)
            listing = read_pages(self._client, EVENTS_PATH, where, LARGEST_PAGE)
            now = trace.with_step(replace(execution, listing=listing))
            if not (now.disagreement and now.disagreement.kind is DisagreementKind.CHANGE_UNRECORDED):
                self._recording_delay = max(self._recording_delay, read)
                break
            if read + 1 < max_reads:
                time.sleep(pauses[read])
        return now

    def _execute(self, trace: SequenceTrace, step: SequenceStep, position: int) -> ExecutedStep:
        where = self._place(Step.ACTION, position)
        guid = trace.guids.get(step.argument, "")
        match step.action:
            case Action.CREATE:
                response, created_guid = self._apps.create_extra_app(f"{step.argument}{self._number}", where)
                return ExecutedStep(position, step, response, created_guid=created_guid)
            case Action.START | Action.STOP:
                response = self._client.post(f"{resource_path(APPS, guid)}/actions/{step.action}", where)
                waiting = self._place(Step.AWAIT_STATE, position)
                is_confirmed = self._apps.reached_state(guid, RESULTING_STATES[step.action], response, waiting)
                return ExecutedStep(position, step, response, is_confirmed=is_confirmed)
            case Action.SCALE:
                path = f"{resource_path(APPS, guid)}/processes/web/actions/scale"
                return ExecutedStep(position, step, self._client.post(path, where, data=step.scale_values))
            case Action.DELETE:
                response = self._apps.remove(guid, where)
                is_confirmed = self._apps.is_gone(guid, self._place(Step.AWAIT_DELETION, position))
                return ExecutedStep(position, step, response, is_confirmed=is_confirmed)
            case Action.PURGE:
                return ExecutedStep(position, step, self._client.post(PURGE_PATH, where))
            case Action.REJECTED_PURGE:
                credential = self._credential_of_kind(CREDENTIAL_KINDS[step.argument])
                tags = {Tag.CREDENTIAL: credential.kind}
                request = Request("POST", PURGE_PATH, where, credential, tags=tags)
                return ExecutedStep(position, step, self._client.send(request))
            case Action.READ:
                rows = trace.listing.rows if trace.listing else ()
                query = reads.build_query(step.argument, rows, trace.guids.values(), trace.seeded_events)
                walk = read_pages(self._client, EVENTS_PATH, where, query, max_pages=reads.PAGES_PER_WALK + 1)
                return ExecutedStep(position, step, walk.exchanges[-1], walks=(walk,))

    def _credential_of_kind(self, wanted: CredentialKind) -> Credential:
        """Return a credential of that kind that must not purge; a malformed token if there is none of the kind."""
        candidates = (who for who in non_admin_credentials(self._client) if self._client.may_send(who))
        return next((who for who in candidates if who.kind is wanted), GARBAGE)


def _max_process_count(client: Client, apps: SuiteApps) -> int:
    """Return the largest number of processes of an app of the suite after the first purge; at least 1."""
    place = Place(Step.PURGE, phase=Phase.AFTER, part=Part.PROCESSES)
    rows = [row for page in client.recorded(place, Scenario.PURGE) for row in resources(page)]
    counts = Counter(app_of_process(row) for row in rows)
    return max([1, *(counts[guid] for guid in apps.apps.values())])
