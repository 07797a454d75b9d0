"""What the suite is checked against: the faultless reference server, every variant of it, and every fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.catalogue.model import DOCUMENTED, Profile
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.catalogue.model import Variant

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
        own_server: whether it is not mounted beside others.
        variants: ids of those that it has.
        alone: whether no other is tried beside it.
    """

    name: str
    kind: Kind
    group: str
    summary: str
    fails: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = DOCUMENTED
    own_server: bool = False
    variants: tuple[str, ...] = ()
    alone: bool = False


def subjects(only: Iterable[str] = ()) -> tuple[Subject, ...]:
    """Return all subjects, or those whose name matches a glob; those that take long, to start or to answer, come first.

    Of all, a variant that a make has is not judged alone as well.

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
    if globs:
        return tuple(s for s in found if any(fnmatchcase(s.name, glob) for glob in globs))
    together = {name for make in catalogue.makes() for name in make.variants}
    return tuple(s for s in found if s.name not in together)


def _all() -> Iterator[Subject]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    variants = {variant.id: variant for variant in catalogue.variants()}
    for make in catalogue.makes():
        summary = f"{make.summary} {', '.join(make.variants)}."
        yield _conforming(make.id, summary, [variants[name] for name in make.variants])
    for variant in variants.values():
        yield _conforming(variant.id, variant.summary, [variant])
    yield Subject(FAULTLESS, Kind.FAULTLESS, "Faultless", "The reference server as it is.")
    for fault in catalogue.faults():
        group = groups[fault.requirements[0]]
        yield Subject(fault.id, Kind.FAULT, group, fault.summary, fault.requirements, alone=fault.alone)


def _conforming(name: str, summary: str, variants: Sequence[Variant]) -> Subject:
    """Return the server that has these variants; it conforms in the profiles in which each of them does."""
    return Subject(
        name=name,
        kind=Kind.VARIANT,
        group="Variants",
        summary=summary,
        fails=tuple(dict.fromkeys(each for variant in variants for each in variant.departs_from)),
        undecided=tuple(dict.fromkeys(each for variant in variants for each in variant.not_judged)),
        profiles=tuple(profile for profile in DOCUMENTED if all(profile in v.profiles for v in variants)),
        own_server=any(variant.own_server for variant in variants),
        variants=tuple(variant.id for variant in variants),
    )
