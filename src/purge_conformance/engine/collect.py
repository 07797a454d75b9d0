"""Runs the scenarios in their order and records the evidence."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, SCOPE_PREFIX
from purge_conformance.engine.archiving import archive_events, observing
from purge_conformance.engine.scope import unselected_scenarios
from purge_conformance.errors import (
    BudgetExhausted,
    ChecksFailed,
    Interrupted,
    PurgeBlocked,
    RequestBlocked,
    SuiteError,
    TargetUnreachable,
    TargetUnusable,
    UsageError,
)
from purge_conformance.evidence import clock, notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Header
from purge_conformance.evidence.steps import Scenario
from purge_conformance.scenarios.budget import (
    FIRST_SHARES,
    LEAST_REQUESTS,
    abilities_of,
    affordable_purges,
    affordable_scenarios,
    least_requests,
)
from purge_conformance.scenarios.definitions import (
    SCENARIOS,
    needed_purges,
    plan_scenarios,
    share_of_next,
)
from purge_conformance.scenarios.generated import schemathesis
from purge_conformance.target import archive
from purge_conformance.target.apps import suite_apps_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.scenarios.definitions import ScenarioDefinition
    from purge_conformance.target.apps import SuiteApps


def collect(  # noqa: PLR0913 -- the callbacks, and what the selfcheck and an interrupt provide
    settings: Settings,
    folder: Path,
    on_send: Callable[[Client, Exchange], None],
    generator: schemathesis.Generator | None = None,
    guard: Guard | None = None,
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> Evidence:
    """Run every selected scenario and return the evidence, which is then also in `folder`.

    The evidence notes which scenarios were cut short and whether the target no longer answered; what was recorded
    until then stays.

    Args:
        settings: the options of the run.
        folder: a new one, for the run.
        on_send: is called after every exchange.
        generator: generates cases; None: one for this run.
        guard: admits each request; None: one for this run.
        warn: is called with what the user has to know before the first app is created or before the first purge.

    Raises:
        BadSetting: the folder contains another run or its archive, or cannot be written.
        ArchiveIncomplete: not all events could be archived, so no purge was sent; the suite's apps are deleted.
        RunInProgress: another run of the suite began at the same time; the suite's apps are deleted.
        PurgeRefused: the command of --before-purge did not succeed, so no purge was sent; the suite's apps are deleted.
        ChecksFailed: the target shows that settings are wrong; the folder has no file of this run.
        SuiteError: the evidence could not be written completely; the suite's apps are deleted.
    """
    archive.require_unused(folder / archive.FILE_NAME)
    with Journal(folder, _header(settings)) as journal, ExitStack() as children:
        start_generator = _generator_starter(settings, generator, children)
        growing = archive.GrowingArchive(folder / archive.FILE_NAME, settings.limits.max_events)
        client = Client(settings, journal, guard or Guard.from_settings(settings), observing(growing, on_send))
        run = _Run(client, suite_apps_for(client, warn), start_generator)
        try:
            run.run_all(
                {
                    Scenario.PREFLIGHT: start_generator,  # a run that ends before this starts no process
                    Scenario.ARCHIVE: lambda: archive_events(client, journal.evidence(), growing, warn),
                }
            )
        finally:
            journal.sync()
        if journal.error:
            raise SuiteError(
                f"{journal.error} The apps that this run created were deleted, except those that are listed above."
            )
        return journal.evidence()


def _generator_starter(
    settings: Settings, generator: schemathesis.Generator | None, children: ExitStack
) -> Callable[[], schemathesis.Generator]:
    """Return a function whose first call starts the child processes, unless the caller already has a generator."""

    @cache
    def start() -> schemathesis.Generator:
        if generator:
            return generator
        return children.enter_context(schemathesis.generator(seed=settings.seed, examples=settings.examples))

    return start


@dataclass(frozen=True)
class _Run:
    client: Client
    apps: SuiteApps
    start_generator: Callable[[], schemathesis.Generator]
    begun: set[Scenario] = field(default_factory=set)  # those whose requests are planned

    def run_all(self, after: Mapping[Scenario, Callable[[], object]]) -> None:
        """Run the scenarios in order; at last delete the suite's apps, also after an error.

        Args:
            after: what to call when a scenario has ended.
        """
        try:
            coming = list(plan_scenarios(self.client.settings))
            for index, (definition, number) in enumerate(coming):
                self.client.begin(definition.name, number)
                is_affordable = self._plan([each for each, _ in coming[index:]])
                self._run_scenario(definition, is_affordable=is_affordable)
                if definition.name in after:
                    after[definition.name]()
        except TargetUnusable as reason:
            self.client.note(notes.UNUSABLE, notes.Unusable(reason.cause, str(reason)))
        except TargetUnreachable as reason:
            self.client.note(notes.LOST, str(reason))
        except Interrupted as reason:
            self.client.note(notes.INTERRUPTED, str(reason))
        except UsageError as reason:
            self.client.note(notes.REFUSAL, str(reason))
            raise
        finally:
            self._clean_up()

    def _plan(self, coming: Sequence[ScenarioDefinition]) -> bool:
        """Plan what the next scenario may send, with what the ones before did not need; return whether it is to run.

        It is not if the requests do not suffice for all, and others judge more requirements with them, unless they do
        not even suffice for one.
        """
        guard, repeat, next_one = self.client.guard, self.client.settings.repeat, coming[0]
        sending = [each for each in coming if self._can_send(each)]
        follows = {each.name: each.follows for each in sending}
        rounds = Counter(affordable_scenarios(guard.requests_left, [each.name for each in sending], follows))
        if next_one in sending and not rounds[next_one.name]:
            if self.begun:
                return False
            rounds[next_one.name] = 1  # as far as the requests go: no other scenario could be finished either
        self.begun.update({next_one.name} & LEAST_REQUESTS.keys())
        rounds[Scenario.SEQUENCES] *= repeat  # they are repeated inside
        purges = min(guard.purges_left, affordable_purges(guard.requests_left, rounds))
        affordable = [each for each in coming if rounds[each.name] or each not in sending]
        self.client.planned_purges = share_of_next(affordable, purges, abilities_of(self.apps), repeat)
        others = least_requests(rounds - Counter([next_one.name]))
        least = LEAST_REQUESTS.get(next_one.name, 0)
        self.client.planned_requests = min(guard.requests_left, max(least, guard.requests_left - others))
        return True

    def _can_send(self, definition: ScenarioDefinition) -> bool:
        """Whether a scenario has the apps that it needs to send anything."""
        has_apps = definition.needs_ability is None or definition.needs_ability in abilities_of(self.apps)
        return has_apps and self.client.settings.apps.mode in definition.app_modes

    def _run_scenario(self, definition: ScenarioDefinition, *, is_affordable: bool) -> None:
        """Run one scenario; a blocked request or a defect of the suite ends this scenario only."""
        try:
            self.client.guard.time_limit.require()
            self._require_requests(is_affordable=is_affordable)
            self._require_purges(definition)
            definition.run(self.client, self.apps, self.start_generator)
        except RequestBlocked as reason:
            self.client.note_cut_short(reason)
        except (ChecksFailed, TargetUnusable, TargetUnreachable, Interrupted):
            raise
        except Exception as error:  # noqa: BLE001 -- the other scenarios still run
            self.client.note(notes.CRASHED, f"{type(error).__name__}: {error}")

    def _require_requests(self, *, is_affordable: bool) -> None:
        """Require that --max-requests leaves enough requests for the next scenario.

        Raises:
            BudgetExhausted: it does not.
        """
        if not is_affordable:
            raise BudgetExhausted(
                f"--max-requests {self.client.settings.limits.max_requests} leaves too few requests. "
                f"Give --max-requests {self.client.guard.more_requests}."
            )

    def _require_purges(self, definition: ScenarioDefinition) -> None:
        """Require that --max-purges leaves a purge for a scenario without which a requirement stays open.

        Raises:
            PurgeBlocked: it does not.
        """
        if definition.name in FIRST_SHARES and self._can_send(definition) and not self.client.planned_purges:
            limit = self.client.settings.limits.max_purges
            raise PurgeBlocked(
                f"--max-purges {limit} leaves no purge for the scenario {definition.name}. Give --max-purges "
                f"{needed_purges(self.client.settings)} or more."
            )

    def _clean_up(self) -> None:
        for definition in (each for each in SCENARIOS if each.is_last):
            self.client.begin(definition.name)
            self.client.guard.release_cleanup_reserve()
            try:
                definition.run(self.client, self.apps, self.start_generator)
            except (RequestBlocked, TargetUnreachable) as reason:
                self.client.note(notes.LEFT, [str(reason)])
            self.client.note(notes.FINISHED, value=True)


def _token_scopes(settings: Settings) -> dict[str, list[str]]:
    """Return role -> the scopes of Cloud Controller, of each token that can be read."""
    readable = {role: scopes(token) for role, token in settings.tokens.items()}
    return {
        role: sorted(scope for scope in found if scope.startswith(SCOPE_PREFIX))
        for role, found in readable.items()
        if found is not None
    }


def _header(settings: Settings) -> Header:
    return Header(
        suite=__version__,
        digests=catalogue.digests(),
        target=settings.target.url,
        settings={
            "profiles": [str(profile) for profile in settings.profiles],
            "select": list(settings.select),
            "unselected_scenarios": unselected_scenarios(settings),
            "roles": sorted(settings.tokens),
            "admin_scope": ADMIN_SCOPE in (scopes(settings.tokens[ADMIN]) or ()),
            "token_scopes": _token_scopes(settings),
            "examples": settings.examples,
            "seed": settings.seed,
            "repeat": settings.repeat,
            "apps": str(settings.apps.mode),
            "space": settings.apps.space,
            "transport": settings.transport.describe(settings.target.url),
            "hook": settings.hook.kind if settings.hook else None,
            "timeout": settings.limits.timeout,
            "patience": settings.limits.patience,
            "max_purges": settings.limits.max_purges,
            "max_requests": settings.limits.max_requests,
            "max_time": settings.limits.max_time,
            "allow_incomplete_archive": settings.allow_incomplete_archive,
            "alongside": settings.alongside,
            "before_purge": bool(settings.before_purge),
        },
        started_at=clock.format_rfc3339(time.time()),
        requirement_set=catalogue.requirement_set(),
    )
