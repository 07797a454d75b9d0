"""Groups independent faults, so that one run against one server judges several of them.

A group counts only if exactly the requirements of all its faults fail; otherwise each of its faults is judged again,
alone. So the grouping decides only how long a selfcheck takes, with one assumption: no fault is killed only because
another fault of its group is there.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.selfcheck.mutants import Server

    ServerGroup = tuple[Server, ...]

MAX_GROUP_SIZE = 3  # faults on one server; in larger groups, too many hide each other


def one_per_group(servers: Sequence[Server]) -> list[ServerGroup]:
    """Return a group of its own for each server."""
    return [(server,) for server in servers]


def group_faults(servers: Sequence[Server]) -> list[ServerGroup]:
    """Return groups of independent faults, interleaved with the other servers, whose runs often wait."""
    requirements = {requirement.id: requirement for requirement in catalogue.requirements()}
    remaining = [server for server in servers if server.kind is Kind.FAULT and not server.alone]
    areas = {server: _areas(server.fails) for server in remaining}
    prerequisites = {server: _areas(_prerequisites(server, requirements)) for server in remaining}

    def are_independent(one: Server, other: Server) -> bool:
        disturbed = areas[one] | prerequisites[one]
        return disturbed.isdisjoint(areas[other]) and prerequisites[other].isdisjoint(areas[one])

    # Faults with few possible companions choose first.
    remaining.sort(key=lambda server: sum(are_independent(server, other) for other in areas))
    groups: list[ServerGroup] = []
    while remaining:
        group = [remaining.pop(0)]
        for server in remaining:
            if len(group) < MAX_GROUP_SIZE and all(are_independent(server, other) for other in group):
                group.append(server)
        remaining = [server for server in remaining if server not in group]
        groups.append(tuple(group))
    others = one_per_group([server for server in servers if server not in areas])
    return [group for pair in zip_longest(others, groups) for group in pair if group]


def _areas(ids: Iterable[str]) -> set[str]:
    """Return the areas of requirements: their ids without number and without the prefix of the profile."""
    return {name.rpartition("-")[0].removeprefix("UP-") for name in ids}


def _prerequisites(server: Server, requirements: Mapping[str, Requirement]) -> set[str]:
    """Return the ids without which the requirements that a fault violates are not judged."""
    return {
        name
        for violated in server.fails
        for name in (*requirements[violated].all_prerequisites(), *requirements[violated].assumes)
    }
