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

    from purge_conformance.selfcheck.mutants import Subject

    Company = tuple[Subject, ...]

MOST = 3  # faults on one server; of more, too many hide each other
# Family of requirements, named by its prefix -> those without which it cannot be judged, or not for sure.
PLAIN = {"AFTER", "LIST", "PAGE", "PURGE", "RECORD", "SEED", "STATUS"}
WHOLE = {*PLAIN, "AGAIN", "BODY", "PARALLEL", "RACE"}
RESTS_ON = {
    "AGAIN": {*WHOLE, "REFUSE"},
    "BODY": WHOLE,
    "ERROR": {"GET"},
    "FIELD": {"GET"},
    "GET": {"AUTH"},
    "LIST": {"AFTER"},
    "MODEL": {*WHOLE, "AUTH", "REFUSE"},
    "PARALLEL": WHOLE,
    "RACE": WHOLE,
    "REFUSE": {*PLAIN, "AUTH"},
}


def alone(subjects: Sequence[Subject]) -> list[Company]:
    """Return each by itself."""
    return [(subject,) for subject in subjects]


def in_company(subjects: Sequence[Subject]) -> list[Company]:
    """Return the faults together, as far as they get along, and all else alone: by turns, as the latter often wait."""
    waiting = [subject for subject in subjects if subject.kind is Kind.FAULT and not subject.alone]
    partners = {subject: sum(_get_along(subject, other) for other in waiting) for subject in waiting}
    waiting.sort(key=partners.__getitem__)  # who gets along with few has the first choice
    found: list[Company] = []
    while waiting:
        company = [waiting.pop(0)]
        for subject in waiting:
            if len(company) < MOST and all(_get_along(subject, other) for other in company):
                company.append(subject)
        waiting = [subject for subject in waiting if subject not in company]
        found.append(tuple(company))
    together = {subject for company in found for subject in company}
    turns = zip_longest(alone([subject for subject in subjects if subject not in together]), found)
    return [company for turn in turns for company in turn if company]


def _get_along(one: Subject, other: Subject) -> bool:
    ones, others = _families(one), _families(other)
    return not (ones | _ground(ones)) & others and not _ground(others) & ones


def _families(subject: Subject) -> set[str]:
    return {name.rpartition("-")[0].removeprefix("UP-") for name in subject.fails}


def _ground(families: set[str]) -> set[str]:
    return {other for family in families for other in RESTS_ON.get(family, ())}
