"""Every scenario as a value, in the order of a run; the plan, the budgets and the selection follow from this table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.config.apps import Mode
from purge_conformance.evidence.steps import App, Scenario
from purge_conformance.scenarios import generated, setup
from purge_conformance.scenarios.app_changes import change_apps, change_apps_after_purges
from purge_conformance.scenarios.auth_bypass import try_bypasses
from purge_conformance.scenarios.authorization import read_as_everyone, send_rejected_purges
from purge_conformance.scenarios.budget import Ability, fewest_purges, share_purges
from purge_conformance.scenarios.concurrent_credentials import send_beside_reads
from purge_conformance.scenarios.concurrent_purges import purge_concurrently
from purge_conformance.scenarios.induced_errors import induce_errors
from purge_conformance.scenarios.listing import read_lists, read_lists_before_purge
from purge_conformance.scenarios.purge import (
    first_purge,
    purge_after_changes,
    purge_with_unexpected_input,
    purge_without_started_apps,
    second_purge,
)
from purge_conformance.scenarios.race import race_purges_with_changes
from purge_conformance.scenarios.repeated import repeat_purges
from purge_conformance.scenarios.sequences.player import play_sequences
from purge_conformance.target.doctor.duration import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from purge_conformance.catalogue.model import Profile, Requirement
    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings
    from purge_conformance.scenarios.generated.schemathesis import Generator
    from purge_conformance.target.apps import SuiteApps

    Procedure = Callable[[Client, SuiteApps], None]
    GeneratedProcedure = Callable[[Client, SuiteApps, Callable[[], Generator]], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a scenario sends at most, if every list fits on a page of the largest size.

    Attributes:
        requests: of any kind.
        purges: with the admin's token.
        may_use_remainder: whether the scenario may use up the budgets after it found a failure.
    """

    requests: int
    purges: int = 0
    may_use_remainder: bool = False

    def times(self, rounds: int) -> Cost:
        """Return the cost of that many rounds."""
        return replace(self, requests=rounds * self.requests, purges=rounds * self.purges)


class Repetition(Enum):
    """What --repeat N does to a scenario."""

    NONE = auto()  # it runs once
    ROUNDS = auto()  # it runs N times, in rounds 1 to N
    INSIDE = auto()  # it runs once and does everything N times
    FURTHER = auto()  # it runs once if N is above 1, and does everything N - 1 times

    def rounds(self, repeat: int) -> int:
        """Return how many times the cost of one round is due; 0: the scenario does not run."""
        return {Repetition.NONE: 1, Repetition.FURTHER: repeat - 1}.get(self, repeat)


@dataclass(frozen=True, slots=True)
class ScenarioDefinition:
    """A scenario.

    Attributes:
        name: declared in `evidence/steps.py`.
        procedure: sends its requests and judges nothing; None if it needs generated cases.
        cost: of one round.
        generated_procedure: the same with generated cases.
        reads_only: whether it sends only requests that cannot change the target.
        repetition: what --repeat does to it.
        needs_hook: whether it runs only with --hook.
        app_modes: of `--apps`; in the others it runs and sends nothing.
        is_base: whether every run has it, also one of a selection: it prepares the target, archives, or cleans up.
        follows: scenarios that a selection runs before it, as its requests or their judgments build on what these
            did to the target.
        is_last: whether it runs after all others, also after one that was cut short.
        needs_ability: what the suite must be able to do with apps; without it, the scenario sends no purge.
    """

    name: Scenario
    procedure: Procedure | None
    cost: Cost
    generated_procedure: GeneratedProcedure | None = None
    reads_only: bool = False
    repetition: Repetition = Repetition.NONE
    needs_hook: bool = False
    app_modes: frozenset[Mode] = frozenset(Mode)
    is_base: bool = False
    follows: tuple[Scenario, ...] = ()
    is_last: bool = False
    needs_ability: Ability | None = None

    @property
    def is_optional(self) -> bool:
        """Whether it runs only with an option: --hook, or --repeat."""
        return self.needs_hook or self.repetition is Repetition.FURTHER

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements that are judged by its evidence, as `spec/requirements.yaml` says."""
        return tuple(requirement for requirement in catalogue.requirements() if requirement.needs(self.name))

    def is_selected(self, settings: Settings) -> bool:
        """Whether a run with these settings includes it."""
        is_allowed = self.reads_only or not settings.is_read_only
        has_hook = bool(settings.hook) or not self.needs_hook
        is_needed = self.is_base or self.name in scenarios_of(settings)
        return is_allowed and has_hook and is_needed and self.repetition.rounds(settings.repeat) > 0

    def run(self, client: Client, apps: SuiteApps, start_generator: Callable[[], Generator]) -> None:
        """Run one round; `start_generator` is called only by a scenario of generated cases."""
        if self.generated_procedure:
            self.generated_procedure(client, apps, start_generator)
        elif self.procedure:
            self.procedure(client, apps)


def _preflight(client: Client, _: SuiteApps) -> None:
    setup.preflight(client, expected_work(client.settings))


def _send_rejected_purges(client: Client, apps: SuiteApps) -> None:
    send_rejected_purges(client, apps)
    send_beside_reads(client, apps)


def _repeat_purges(client: Client, apps: SuiteApps) -> None:
    repeat_purges(client, apps, with_admin=_repeats_purges_as_admin(client.settings))


def _send_generated_cases(client: Client, apps: SuiteApps, start_generator: Callable[[], Generator]) -> None:
    generated.send_generated_cases(client, apps, start_generator().cases)


def _follow_links(client: Client, apps: SuiteApps, start_generator: Callable[[], Generator]) -> None:
    generated.follow_links(client, apps, start_generator().walk)


NONE, ROUNDS, INSIDE, FURTHER = Repetition
WITH_APPS = frozenset({Mode.DRIVE, Mode.HOOK})
TIMED = frozenset({Mode.DRIVE})  # apps that requests of the suite change
# What the duration of a run depends on besides its requests, by scenario: seconds of waits, and created apps.
WAITS_S = {
    Scenario.FOUNDATION: 2.0,
    Scenario.APP_CHANGES: 1.0,
    Scenario.GENERATED: 1.0,
    Scenario.STATEFUL: 1.0,
    Scenario.INDUCED_ERRORS: 2.0,
    Scenario.RACE: 1.0,
    Scenario.SEQUENCES: 4.0,
}
CREATED_APPS = {Scenario.FOUNDATION: len(App), Scenario.SEQUENCES: 10}
SCENARIOS: tuple[ScenarioDefinition, ...] = (
    ScenarioDefinition(Scenario.PREFLIGHT, _preflight, Cost(24), reads_only=True, is_base=True),
    ScenarioDefinition(Scenario.FOUNDATION, setup.create_apps, Cost(80), app_modes=WITH_APPS, is_base=True),
    ScenarioDefinition(Scenario.FILL_PAGE, setup.fill_page, Cost(60), is_base=True),
    ScenarioDefinition(Scenario.ARCHIVE, setup.read_all_events, Cost(6), is_base=True),
    ScenarioDefinition(
        Scenario.LISTS_BEFORE_PURGE,
        read_lists_before_purge,
        Cost(50),
        app_modes=frozenset({Mode.OBSERVE}),
    ),
    ScenarioDefinition(Scenario.PURGE, first_purge, Cost(51, 1)),
    ScenarioDefinition(Scenario.SECOND_PURGE, second_purge, Cost(6, 1), follows=(Scenario.PURGE,)),
    ScenarioDefinition(Scenario.APP_CHANGES, change_apps, Cost(45), follows=(Scenario.SECOND_PURGE,)),
    ScenarioDefinition(Scenario.READS, read_as_everyone, Cost(145), reads_only=True),
    ScenarioDefinition(Scenario.REJECTED_PURGES, _send_rejected_purges, Cost(130)),
    ScenarioDefinition(Scenario.AUTH_BYPASS, try_bypasses, Cost(148)),
    ScenarioDefinition(Scenario.LISTS, read_lists, Cost(137), reads_only=True, follows=(Scenario.APP_CHANGES,)),
    ScenarioDefinition(Scenario.PURGE_AFTER_CHANGES, purge_after_changes, Cost(29, 1), follows=(Scenario.APP_CHANGES,)),
    ScenarioDefinition(Scenario.GENERATED, None, Cost(220, 2), _send_generated_cases, reads_only=True),
    ScenarioDefinition(Scenario.STATEFUL, None, Cost(30, 1), _follow_links),
    ScenarioDefinition(Scenario.REPEAT, _repeat_purges, Cost(45, 2), repetition=FURTHER),
    ScenarioDefinition(Scenario.UNEXPECTED_INPUT, purge_with_unexpected_input, Cost(80, 7), repetition=ROUNDS),
    ScenarioDefinition(
        Scenario.CHANGES_AFTER_PURGES, change_apps_after_purges, Cost(50), follows=(Scenario.PURGE_AFTER_CHANGES,)
    ),
    ScenarioDefinition(Scenario.INDUCED_ERRORS, induce_errors, Cost(40, 5), repetition=ROUNDS, needs_hook=True),
    ScenarioDefinition(Scenario.CONCURRENT_PURGES, purge_concurrently, Cost(70, 7), repetition=ROUNDS),
    ScenarioDefinition(
        Scenario.RACE,
        race_purges_with_changes,
        Cost(83, 5),
        repetition=ROUNDS,
        app_modes=TIMED,
        needs_ability=Ability.TIME,
    ),
    ScenarioDefinition(
        Scenario.PURGE_WITHOUT_STARTED_APPS,
        purge_without_started_apps,
        Cost(20, 1),
        app_modes=WITH_APPS,
        needs_ability=Ability.CHANGE,
    ),
    # It comes last since it may use the rest of the budgets for shorter sequences.
    ScenarioDefinition(
        Scenario.SEQUENCES,
        play_sequences,
        Cost(160, 9, may_use_remainder=True),
        repetition=INSIDE,
        app_modes=TIMED,
        follows=(Scenario.PURGE,),
        needs_ability=Ability.CREATE,
    ),
    ScenarioDefinition(Scenario.CLEANUP, setup.delete_apps, Cost(60), app_modes=WITH_APPS, is_base=True, is_last=True),
)


@cache
def needed_scenarios(profiles: tuple[Profile, ...], select: tuple[str, ...]) -> frozenset[Scenario]:
    """Return the scenarios that judge a selection of requirements, besides the base of every run.

    These are the scenarios of the selected requirements and of those that they rest on, the first scenario that shows
    whether each requirement holds that these assume, and all scenarios that one of them follows.

    Raises:
        BadSetting: a glob matches no requirement of these profiles.
    """
    requirements = catalogue.with_prerequisites(catalogue.select_requirements(profiles, select))
    assumed = catalogue.assumed_by(requirements)
    needed = {each.name for each in SCENARIOS if any(requirement.needs(each.name) for requirement in requirements)}
    for requirement in assumed:  # of `any`, those that run are enough
        showing = [each.name for each in SCENARIOS if each.name in requirement.scenarios and not each.is_optional]
        needed.update(showing[:1] if needed.isdisjoint(showing) else ())
    for each in reversed(SCENARIOS):  # a scenario follows only earlier ones
        needed.update(each.follows if each.name in needed else ())
    return frozenset(needed)


def scenarios_of(settings: Settings) -> frozenset[str]:
    """Return the scenarios of a run, besides the base: those that it is restricted to, or those of its selection."""
    if settings.scenarios is not None:
        return settings.scenarios
    return needed_scenarios(settings.profiles, settings.select)


def _repeats_purges_as_admin(settings: Settings) -> bool:
    """Whether a selection needs the admin's purges of the scenario repeat, and not only its rejected ones.

    A requirement needs them if it needs another scenario with purges by the admin, too.
    """
    requirements = catalogue.with_prerequisites(catalogue.select_requirements(settings.profiles, settings.select))
    purging = [each.name for each in SCENARIOS if each.cost.purges and each.name is not Scenario.REPEAT]
    return any(each.needs(Scenario.REPEAT) and any(map(each.needs, purging)) for each in requirements)


def plan_scenarios(settings: Settings) -> Iterator[tuple[ScenarioDefinition, int]]:
    """Yield each scenario of a run with its round, in order, except those that are last.

    Rounds above 1 follow the first round of the last scenario that has rounds, one round after the other.
    """
    selected = [each for each in SCENARIOS if each.is_selected(settings) and not each.is_last]
    repeated = [each for each in selected if each.repetition is Repetition.ROUNDS]
    for each in selected:
        yield each, 1
        if each in repeated[-1:]:
            yield from ((again, number) for number in range(2, settings.repeat + 1) for again in repeated)


def costs(settings: Settings) -> dict[Scenario, Cost]:
    """Return what each scenario of a run with these settings sends at most, in order."""
    sending = [each for each in SCENARIOS if each.is_selected(settings) and settings.apps.mode in each.app_modes]
    every = {each.name: each.cost.times(each.repetition.rounds(settings.repeat)) for each in sending}
    if Scenario.REPEAT in every and not _repeats_purges_as_admin(settings):
        every[Scenario.REPEAT] = replace(every[Scenario.REPEAT], purges=0)
    return {name: replace(cost, purges=0) for name, cost in every.items()} if settings.is_read_only else every


def total_cost(settings: Settings) -> Cost:
    """Return what a run with these settings sends at most, whatever its limits are."""
    every = costs(settings).values()
    return Cost(sum(cost.requests for cost in every), sum(cost.purges for cost in every))


def expected_work(settings: Settings) -> Work:
    """Return what a run with these settings is expected to do, from which its duration is estimated."""
    names, has_droplets = costs(settings).keys(), not settings.apps.has_nothing_to_run
    return Work(
        total_cost(settings).requests,
        sum(WAITS_S.get(name, 0.0) for name in names),
        sum(CREATED_APPS.get(name, 0) for name in names) if has_droplets else 0,
    )


def cost_within_limits(settings: Settings) -> Cost:
    """Return what a run with these settings sends at most, within its limits."""
    total, limits = total_cost(settings), settings.limits
    if any(cost.may_use_remainder for cost in costs(settings).values()):
        return Cost(limits.max_requests, limits.max_purges)
    return Cost(min(limits.max_requests, total.requests), min(limits.max_purges, total.purges))


def planned_costs(settings: Settings) -> dict[Scenario, Cost]:
    """Return what each scenario sends at most within the limit of purges, in order."""
    every = costs(settings)
    shares = share_purges(settings.limits.max_purges, _purges_of(every))
    return {name: replace(cost, purges=shares.get(name, 0)) for name, cost in every.items()}


def needed_purges(settings: Settings) -> int:
    """Return how many purges a run with these settings needs to judge each requirement in one trial."""
    return fewest_purges(_purges_of(costs(settings)))


def share_of_next(
    coming: Iterable[ScenarioDefinition], purges_left: int, abilities: Collection[Ability], repeat: int = 1
) -> int:
    """Return how many purges the first of the scenarios that are still to come is planned to send.

    Args:
        coming: that one and all after it; a scenario of several rounds once for each.
        purges_left: how many all of them may send.
        abilities: what the suite can do with apps now.
        repeat: the value of --repeat.
    """
    every: dict[Scenario, Cost] = {}
    definitions = list(coming)
    for each in definitions:
        if each.needs_ability is None or each.needs_ability in abilities:
            cost = each.cost if each.repetition is ROUNDS else each.cost.times(each.repetition.rounds(repeat))
            every[each.name] = replace(cost, purges=cost.purges + every.get(each.name, Cost(0)).purges)
    first = definitions[0]
    share = share_purges(purges_left, _purges_of(every)).get(first.name, 0)
    return min(share, first.cost.purges) if first.repetition is ROUNDS else share


def _purges_of(every: dict[Scenario, Cost]) -> dict[Scenario, int]:
    """Return how many purges each scenario sends that sends any."""
    return {name: cost.purges for name, cost in every.items() if cost.purges}
