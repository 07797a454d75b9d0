"""Distributes the purges and the requests that a run may send.

Of the purges, first one trial of each case gets its share, then repetitions. Where the requests do not suffice for all
scenarios, those run that judge the most requirements with them; none is begun that could not be finished.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

# The scenarios without which a requirement stays open, and how many purges each needs.
FIRST_SHARES: Mapping[Scenario, int] = {
    Scenario.PURGE: 1,
    Scenario.SECOND_PURGE: 1,
    Scenario.PURGE_AFTER_CHANGES: 1,
    Scenario.UNEXPECTED_INPUT: 1,
    Scenario.CONCURRENT_PURGES: 3,
    Scenario.RACE: 1,
    Scenario.SEQUENCES: 2,
    Scenario.PURGE_WITHOUT_STARTED_APPS: 1,
    Scenario.INDUCED_ERRORS: 1,
}
# The next purges of each, the most important first: other cases, then repetitions. What a scenario does with fewer
# purges than it could send is its own matter.
FURTHER_SHARES: tuple[tuple[Scenario, int], ...] = (
    (Scenario.STATEFUL, 1),  # with a set of headers that no plain purge can carry
    *[(Scenario.UNEXPECTED_INPUT, 1)] * 6,
    (Scenario.RACE, 1),
    (Scenario.RACE, 2),
    (Scenario.CONCURRENT_PURGES, 1),
    (Scenario.CONCURRENT_PURGES, 3),
    (Scenario.SEQUENCES, 2),
    *[(Scenario.GENERATED, 1)] * 2,
    (Scenario.RACE, 1),
    *[(Scenario.INDUCED_ERRORS, 1)] * 4,
    *[(Scenario.SEQUENCES, 1)] * 5,
)
# How many requests scenarios send with the purges of FIRST_SHARES, with a margin of a fifth. The ones that judge the
# most requirements for their requests come first; others are always run.
LEAST_REQUESTS: Mapping[Scenario, int] = {
    Scenario.PURGE: 45,
    Scenario.SECOND_PURGE: 6,
    Scenario.APP_CHANGES: 35,
    Scenario.PURGE_AFTER_CHANGES: 20,
    Scenario.UNEXPECTED_INPUT: 15,
    Scenario.CONCURRENT_PURGES: 45,
    Scenario.INDUCED_ERRORS: 15,
    Scenario.LISTS: 130,
    Scenario.REJECTED_PURGES: 135,
    Scenario.RACE: 35,
    Scenario.CHANGES_AFTER_PURGES: 25,
    Scenario.GENERATED: 60,
    Scenario.PURGE_WITHOUT_STARTED_APPS: 20,
    Scenario.AUTH_BYPASS: 145,
    Scenario.READS: 155,
    Scenario.STATEFUL: 25,
    Scenario.SEQUENCES: 120,
}
REQUESTS_PER_PURGE = 10  # that is sent besides those of FIRST_SHARES
MARGIN = 6 / 5  # of LEAST_REQUESTS


class Ability(StrEnum):
    """What the suite can do with apps in a run."""

    CHANGE = "change"  # start, stop and scale its own apps
    TIME = "time"  # change them at a chosen moment
    CREATE = "create"  # create more of them whenever it needs them


def abilities_of(apps: SuiteApps) -> frozenset[Ability]:
    """Return what the suite can do with the apps that exist now."""
    can = {
        Ability.CHANGE: bool(apps.apps),
        Ability.TIME: bool(apps.apps) and apps.is_timeable,
        Ability.CREATE: apps.is_usable,
    }
    return frozenset(ability for ability, is_given in can.items() if is_given)


def note_left_out(client: Client, cases: Sequence[str]) -> None:
    """Note the cases, by their ids, for which the limit leaves the scenario no purge."""
    if cases:
        client.note(notes.LEFT_OUT, list(cases))


def share_purges(purges: int, most: Mapping[Scenario, int]) -> dict[Scenario, int]:
    """Return how many purges each scenario may send.

    Args:
        purges: how many may be sent.
        most: scenario -> how many it sends at most; one that is not listed gets none.
    """
    if sum(most.values()) <= purges:
        return dict(most)
    shares, left = dict.fromkeys(most, 0), purges
    for scenario, count in (*FIRST_SHARES.items(), *FURTHER_SHARES, *most.items()):
        granted = min(count, most.get(scenario, 0) - shares.get(scenario, 0))
        if 0 < granted <= left:
            shares[scenario] += granted
            left -= granted
    return shares


def fewest_purges(scenarios: Collection[Scenario]) -> int:
    """Return how many purges judge each requirement that these scenarios can judge, in one trial."""
    return sum(count for scenario, count in FIRST_SHARES.items() if scenario in scenarios)


def has_generated_purges(purges: int, number: int) -> bool:
    """Return whether a run that sends all it can is planned to send so many generated purges.

    Args:
        purges: how many purges may be sent.
        number: how many of them are to be generated.
    """
    most: Counter[Scenario] = Counter()
    for scenario, count in (*FIRST_SHARES.items(), *FURTHER_SHARES):
        most[scenario] += count
    return share_purges(purges, most)[Scenario.GENERATED] >= number


def least_requests(rounds: Mapping[Scenario, int]) -> int:
    """Return how many requests these scenarios need to judge each requirement in one trial; scenario -> its rounds."""
    return sum(LEAST_REQUESTS.get(scenario, 0) * count for scenario, count in rounds.items())


def affordable_scenarios(
    requests: int, coming: Sequence[Scenario], follows: Mapping[Scenario, Sequence[Scenario]]
) -> list[Scenario]:
    """Return the scenarios to run of those to come; not all where the requests do not suffice for all.

    First rounds come before further ones, then those that judge the most requirements for their requests.

    Args:
        requests: how many may be sent.
        coming: the scenarios, one of several rounds once for each.
        follows: scenario -> those that must have run before it.
    """
    rounds, granted, left = Counter(coming), Counter[Scenario](), requests * MARGIN
    for turn in range(max(rounds.values(), default=0)):
        for scenario in (each for each in (*LEAST_REQUESTS, *coming) if rounds[each] > turn >= granted[each]):
            missing = [each for each in follows.get(scenario, ()) if rounds[each] > granted[each] == 0]
            needed = sum(LEAST_REQUESTS.get(each, 0) for each in (scenario, *missing))
            if needed <= left:
                granted.update((scenario, *missing))
                left -= needed
    return list(granted.elements())


def affordable_purges(requests: int, rounds: Mapping[Scenario, int]) -> int:
    """Return how many purges leave each of the scenarios to come enough requests.

    Args:
        requests: how many may be sent.
        rounds: scenario -> how many rounds of it are to come.
    """
    shares = dict((*FURTHER_SHARES[:1], *FIRST_SHARES.items()))  # the first further one is a case of its own
    least = sum(shares.get(scenario, 0) * count for scenario, count in rounds.items())
    return least + max(0, requests - least_requests(rounds)) // REQUESTS_PER_PURGE
