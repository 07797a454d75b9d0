"""Who is tried beside whom: a few faults that break different things share a server, and a run judges all of them.

A company counts only if exactly the requirements of all of it fail; otherwise each is tried again, alone. So nothing is
taken for granted but this: that no fault survives just where another one breaks what the first should.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.selfcheck.mutants import Server

    ServerGroup = tuple[Server, ...]

MAX_GROUP_SIZE = 3  # faults on one server; of more, too many hide each other
# Family of requirements, named by its prefix -> those without which it cannot be judged, or not for sure.
BASIC_FAMILIES = {"AFTER", "LIST", "PAGE", "PURGE", "RECORD", "SEED", "STATUS"}
PURGE_FAMILIES = {*BASIC_FAMILIES, "AGAIN", "BODY", "PARALLEL", "RACE"}
DEPENDS_ON = {
    "AGAIN": {*PURGE_FAMILIES, "REFUSE"},
    "BODY": PURGE_FAMILIES,
    "ERROR": {"GET"},
    "FIELD": {"GET"},
    "GET": {"AUTH"},
    "LIST": {"AFTER"},
    "MODEL": {*PURGE_FAMILIES, "AUTH", "REFUSE"},
    "PARALLEL": PURGE_FAMILIES,
    "RACE": PURGE_FAMILIES,
    "REFUSE": {*BASIC_FAMILIES, "AUTH"},
}


def one_per_group(servers: Sequence[Server]) -> list[ServerGroup]:
    """Return each by itself."""
    return [(server,) for server in servers]


def group_faults(servers: Sequence[Server]) -> list[ServerGroup]:
    """Return the faults together, as far as they get along, and all else alone: by turns, as the latter often wait."""
    remaining = [subject for subject in servers if subject.kind is Kind.FAULT and not subject.alone]
    independent_counts = {subject: sum(_independent(subject, other) for other in remaining) for subject in remaining}
    remaining.sort(key=independent_counts.__getitem__)  # who gets along with few has the first choice
    groups: list[ServerGroup] = []
    while remaining:
        group = [remaining.pop(0)]
        for server in remaining:
            if len(group) < MAX_GROUP_SIZE and all(_independent(server, other) for other in group):
                group.append(server)
        remaining = [subject for subject in remaining if subject not in group]
        groups.append(tuple(group))
    grouped = {subject for company in groups for subject in company}
    interleaved = zip_longest(one_per_group([subject for subject in servers if subject not in grouped]), groups)
    return [company for pair in interleaved for company in pair if company]


def _independent(one: Server, other: Server) -> bool:
    ones, others = _families(one), _families(other)
    return not (ones | _dependencies(ones)) & others and not _dependencies(others) & ones


def _families(server: Server) -> set[str]:
    return {name.rpartition("-")[0].removeprefix("UP-") for name in server.fails}


def _dependencies(families: set[str]) -> set[str]:
    return {other for family in families for other in DEPENDS_ON.get(family, ())}
