"""The servers of a selfcheck: the faultless reference server, its variants, and its mutants, one per fault."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import combinations
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.catalogue.model import DOCUMENTED, Profile
from purge_conformance.errors import BadSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.catalogue.model import Variant

FAULTLESS = "faultless"


class Kind(StrEnum):
    """What a server is: the conforming ones, and mutants."""

    FAULTLESS = "faultless"
    VARIANT = "variant"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Server:
    """One server, and the expected result of a run against it.

    Attributes:
        name: id of the fault, the variant or the server profile.
        kind: see `Kind`.
        group: heading in the matrix; for a fault, that of the first requirement that it breaks.
        summary: one sentence.
        fails: ids of the requirements that must fail.
        undecided: ids of the requirements that must not be decided; not checked for a fault.
        profiles: the profiles whose requirements are checked.
        own_server: whether it runs in its own process instead of being mounted beside others.
        variants: ids of its variants.
        alone: whether it is never grouped with other faults.
        intermittent: whether its fault does not fail in each trial.
        with_droplets: whether it shows only where apps run droplets.
        timeout: seconds of --timeout in the run against it; None: the default.
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
    intermittent: bool = False
    with_droplets: bool = False
    timeout: float | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `serve` for a server of its own."""
        names = (self.name,) if self.kind is Kind.FAULT else self.variants
        return tuple(word for name in names for word in (f"--{self.kind}", name))


def select_servers(only: Iterable[str] = ()) -> tuple[Server, ...]:
    """Return all servers, or those whose name matches a glob; the slow ones come first.

    Slow are those in their own processes, and those that keep requests waiting.

    Without globs, variants that are part of a server profile are left out, since it is judged.

    Raises:
        BadSetting: a glob matches no server.
    """
    servers = sorted(_all_servers(), key=lambda server: not (server.own_server or server.timeout))
    globs = tuple(only)
    for glob in globs:
        if not any(fnmatchcase(server.name, glob) for server in servers):
            raise BadSetting(
                f"--only {glob!r} matches no fault and no variant.{did_you_mean(glob, [s.name for s in servers])} "
                "Use ids of spec/faults.yaml and spec/variants.yaml."
            )
    if globs:
        return tuple(s for s in servers if any(fnmatchcase(s.name, glob) for glob in globs))
    in_profiles = {name for profile in catalogue.server_profiles() for name in profile.variants}
    return tuple(s for s in servers if s.name not in in_profiles)


def _all_servers() -> Iterator[Server]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    variants = {variant.id: variant for variant in catalogue.variants()}
    for profile in catalogue.server_profiles():
        summary = f"{profile.summary} {', '.join(profile.variants)}."
        yield _conforming_server(profile.id, summary, [variants[name] for name in profile.variants])
    for variant in variants.values():
        yield _conforming_server(variant.id, variant.summary, [variant])
    yield Server(FAULTLESS, Kind.FAULTLESS, "Faultless", "The reference server as it is.")
    for fault in catalogue.faults():
        yield Server(
            fault.id,
            Kind.FAULT,
            groups[fault.requirements[0]],
            fault.summary,
            fault.requirements,
            alone=fault.alone,
            intermittent=fault.intermittent,
            with_droplets=fault.with_droplets,
            timeout=fault.timeout,
        )


def draw_pairs(seed: int, number: int) -> tuple[Server, ...]:
    """Return servers with two variants each that touch time, in different ways; the same ones for the same seed."""
    variants = [variant for variant in catalogue.variants() if variant.touches_time]
    pairs = [pair for pair in combinations(variants, 2) if pair[0].touches_time != pair[1].touches_time]
    drawn = random.Random(seed).sample(pairs, min(number, len(pairs)))  # noqa: S311 -- the same for the same seed
    return tuple(
        _conforming_server("+".join(v.id for v in pair), " ".join(v.summary for v in pair), pair) for pair in drawn
    )


def _conforming_server(name: str, summary: str, variants: Sequence[Variant]) -> Server:
    """Return the server with these variants; its profiles are those in which all of them conform."""
    profiles = tuple(profile for profile in DOCUMENTED if all(profile in v.profiles for v in variants))
    judged = {requirement.id for requirement in catalogue.requirements() if requirement.profile in profiles}
    return Server(
        name=name,
        kind=Kind.VARIANT,
        group="Variants",
        summary=summary,
        fails=tuple(dict.fromkeys(name for variant in variants for name in variant.violates_should if name in judged)),
        undecided=tuple(dict.fromkeys(requirement_id for variant in variants for requirement_id in variant.not_judged)),
        profiles=profiles,
        own_server=any(variant.own_server for variant in variants),
        variants=tuple(variant.id for variant in variants),
        with_droplets=any(variant.with_droplets for variant in variants),
    )
