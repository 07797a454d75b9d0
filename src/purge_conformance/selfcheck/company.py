"""Who is tried beside whom: a few faults that break different things share a server, and a run judges all of them.

A company counts only if exactly the requirements of all of it fail; otherwise each is tried again, alone. So nothing is
taken for granted but this: that no fault survives just where another one breaks what the first should.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from purge_conformance.selfcheck.subjects import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.selfcheck.subjects import Subject

    Company = tuple[Subject, ...]

MOST = 2  # faults on one server; of more, too many hide each other


def alone(subjects: Sequence[Subject]) -> list[Company]:
    """Return each by itself."""
    return [(subject,) for subject in subjects]


def in_company(subjects: Sequence[Subject]) -> list[Company]:
    """Return the faults together, as far as they get along, and all else alone; in the order of the first of each."""
    found: dict[str, Company] = {}
    waiting = _mixed([subject for subject in subjects if subject.kind is Kind.FAULT and not subject.alone])
    while waiting:
        company = [waiting.pop(0)]
        for subject in waiting:
            if len(company) < MOST and all(_get_along(subject, other) for other in company):
                company.append(subject)
        waiting = [subject for subject in waiting if subject not in company]
        found[company[0].name] = tuple(company)
    beside = {subject.name for company in found.values() for subject in company[1:]}
    return [found.get(subject.name, (subject,)) for subject in subjects if subject.name not in beside]


def _mixed(subjects: list[Subject]) -> list[Subject]:
    """Return one of each part in turn: what stands far apart has little in common."""
    size = -(-len(subjects) // MOST)
    parts = (subjects[begin : begin + size] for begin in range(0, len(subjects), size))
    return [subject for subject in chain.from_iterable(zip_longest(*parts)) if subject]


def _get_along(one: Subject, other: Subject) -> bool:
    return one.group != other.group and not set(one.fails) & set(other.fails)
