"""Who is tried beside whom: two faults that break different things share a server, and a run judges both.

A pair counts only if exactly the requirements of both fail; otherwise each is tried again, alone. So nothing is taken
for granted but this: that one fault does not survive just where the other one breaks what the first should.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from purge_conformance.selfcheck.subjects import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.selfcheck.subjects import Subject

    Company = tuple[Subject, ...]


def alone(subjects: Sequence[Subject]) -> list[Company]:
    """Return each by itself."""
    return [(subject,) for subject in subjects]


def in_company(subjects: Sequence[Subject]) -> list[Company]:
    """Return the faults in pairs, as far as they go, and all else alone; in the order of the first of each."""
    found: list[Company] = []
    waiting = _mixed([subject for subject in subjects if _is_sociable(subject)])
    while waiting:
        one = waiting.pop(0)
        other = next((subject for subject in waiting if _get_along(one, subject)), None)
        found.append((one, other) if other else (one,))
        if other:
            waiting.remove(other)
    paired = {company[0].name: company for company in found}
    beside = {company[1].name for company in found if len(company) > 1}
    return [paired.get(subject.name, (subject,)) for subject in subjects if subject.name not in beside]


def _mixed(subjects: list[Subject]) -> list[Subject]:
    """Return one of the first half, then one of the second, and so on: what stands far apart has little in common."""
    half = -(-len(subjects) // 2)
    pairs = zip_longest(subjects[:half], subjects[half:])
    return [subject for subject in chain.from_iterable(pairs) if subject]


def _is_sociable(subject: Subject) -> bool:
    return subject.kind is Kind.FAULT and not subject.alone


def _get_along(one: Subject, other: Subject) -> bool:
    return one.group != other.group and not set(one.fails) & set(other.fails)
