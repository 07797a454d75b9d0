"""What the suite is checked against: the faultless reference server, every variant of it, and every fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.errors import BadSetting
from purge_conformance.model import DOCUMENTED, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FAULTLESS = "faultless"


class Kind(StrEnum):
    """Whether a server conforms, and as what."""

    FAULTLESS = "faultless"
    VARIANT = "variant"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Subject:
    """One server, and what a run against it must come to.

    Attributes:
        name: id of the fault or the variant.
        kind: see `Kind`.
        group: heading in the matrix; of a fault that of the first requirement that it breaks.
        summary: one sentence.
        fails: ids of the requirements that must fail.
        undecided: ids of those that must be left open; of a fault nothing is said.
        profiles: those that are looked at.
        own_server: whether it cannot be mounted beside others.
    """

    name: str
    kind: Kind
    group: str
    summary: str
    fails: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = DOCUMENTED
    own_server: bool = False


def subjects(only: Iterable[str] = ()) -> tuple[Subject, ...]:
    """Return all subjects, or those whose name matches a glob; those that take long, to start or to answer, come first.

    Raises:
        BadSetting: a glob matches none.
    """
    found = sorted(_all(), key=lambda subject: not subject.own_server)
    globs = tuple(only)
    for glob in globs:
        if not any(fnmatchcase(subject.name, glob) for subject in found):
            raise BadSetting(
                f"--only {glob!r} matches no fault and no variant. See spec/faults.yaml, spec/variants.yaml."
            )
    return tuple(s for s in found if not globs or any(fnmatchcase(s.name, glob) for glob in globs))


def _all() -> Iterator[Subject]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    for variant in catalogue.variants():
        yield Subject(
            name=variant.id,
            kind=Kind.VARIANT,
            group="Variants",
            summary=variant.summary,
            fails=variant.departs_from,
            undecided=variant.not_judged,
            profiles=variant.profiles,
            own_server=variant.own_server,
        )
    yield Subject(FAULTLESS, Kind.FAULTLESS, "Faultless", "The reference server as it is.")
    for fault in catalogue.faults():
        yield Subject(fault.id, Kind.FAULT, groups[fault.requirements[0]], fault.summary, fault.requirements)
