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
class Server:
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


def select_servers(only: Iterable[str] = ()) -> tuple[Server, ...]:
    """Return all subjects, or those whose name matches a glob; those that take long, to start or to answer, come first.

    Of all, a variant that a make has is not judged alone as well.

    Raises:
        BadSetting: a glob matches none.
    """
    servers = sorted(_all_servers(), key=lambda server: not server.own_server)
    globs = tuple(only)
    for glob in globs:
        if not any(fnmatchcase(server.name, glob) for server in servers):
            raise BadSetting(
                f"--only {glob!r} matches no fault and no variant. See spec/faults.yaml, spec/variants.yaml."
            )
    if globs:
        return tuple(s for s in servers if any(fnmatchcase(s.name, glob) for glob in globs))
    in_profiles = {name for make in catalogue.server_profiles() for name in make.variants}
    return tuple(s for s in servers if s.name not in in_profiles)


def _all_servers() -> Iterator[Server]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    variants = {variant.id: variant for variant in catalogue.variants()}
    for make in catalogue.server_profiles():
        summary = f"{make.summary} {', '.join(make.variants)}."
        yield _conforming_server(make.id, summary, [variants[name] for name in make.variants])
    for variant in variants.values():
        yield _conforming_server(variant.id, variant.summary, [variant])
    yield Server(FAULTLESS, Kind.FAULTLESS, "Faultless", "The reference server as it is.")
    for fault in catalogue.faults():
        group = groups[fault.requirements[0]]
        yield Server(fault.id, Kind.FAULT, group, fault.summary, fault.requirements, alone=fault.alone)


def _conforming_server(name: str, summary: str, variants: Sequence[Variant]) -> Server:
    """Return the server that has these variants; it conforms in the profiles in which each of them does."""
    return Server(
        name=name,
        kind=Kind.VARIANT,
        group="Variants",
        summary=summary,
        fails=tuple(
            dict.fromkeys(requirement_id for variant in variants for requirement_id in variant.violates_should)
        ),
        undecided=tuple(dict.fromkeys(requirement_id for variant in variants for requirement_id in variant.not_judged)),
        profiles=tuple(profile for profile in DOCUMENTED if all(profile in v.profiles for v in variants)),
        own_server=any(variant.own_server for variant in variants),
        variants=tuple(variant.id for variant in variants),
    )
