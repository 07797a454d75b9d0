"""What an id stands for: a requirement, a fault, a variant or a server profile, and what `spec/` relates to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.loader import faults, requirements, server_profiles, variants
from purge_conformance.catalogue.model import set_order
from purge_conformance.errors import BadSetting, did_you_mean

if TYPE_CHECKING:
    from purge_conformance.catalogue.model import Fault, Requirement, ServerProfile, Variant

    Entry = Requirement | Fault | Variant | ServerProfile


def find_entry(name: str) -> Entry:
    """Return what has this id; upper and lower case do not matter.

    Raises:
        BadSetting: nothing has it; the message names the most similar ids.
    """
    entries: dict[str, Entry] = {
        each.id: each for entries in (requirements(), faults(), variants(), server_profiles()) for each in entries
    }
    by_folded = {identifier.casefold(): entry for identifier, entry in entries.items()}
    if (found := by_folded.get(name.casefold())) is None:
        raise BadSetting(
            f"{name!r} is not the id of a requirement, a fault, a variant or a server profile."
            f"{did_you_mean(name, entries)} "
            "`purge-conformance list` prints the requirements; spec/faults.yaml and spec/variants.yaml have the others."
        )
    return found


def find_requirement(name: str) -> Requirement:
    """Return the requirement with this id; upper and lower case do not matter.

    Raises:
        BadSetting: there is none; the message names the most similar ids.
    """
    by_id = {each.id: each for each in requirements()}
    if (found := by_id.get(name.upper())) is None:
        raise BadSetting(
            f"{name!r} is not the id of a requirement.{did_you_mean(name, by_id)} "
            "`purge-conformance list` prints all ids."
        )
    return found


def faults_violating(requirement: str) -> tuple[Fault, ...]:
    """Return the faults of the reference server that violate a requirement, which fails because of each."""
    return tuple(fault for fault in faults() if requirement in fault.requirements)


def variants_allowed_by(requirement: Requirement) -> tuple[Variant, ...]:
    """Return the legal variants that the words of a requirement allow: they quote the same sentence."""
    quote = requirement.quote.rstrip(".")
    return tuple(variant for variant in variants() if quote in variant.allowed_by)


def variants_violating(requirement: str) -> tuple[Variant, ...]:
    """Return the legal variants that violate a requirement, which is a SHOULD."""
    return tuple(variant for variant in variants() if requirement in variant.violates_should)


def variants_hiding(requirement: str) -> tuple[Variant, ...]:
    """Return the legal variants because of which no run can judge a requirement."""
    return tuple(variant for variant in variants() if requirement in variant.not_judged)


def dependents_of(requirement: str) -> tuple[str, ...]:
    """Return the ids of the requirements whose failure is inconclusive if this one fails."""
    return tuple(each.id for each in requirements() if requirement in each.all_prerequisites())


def history_of(requirement: Requirement) -> dict[str, tuple[str, ...]]:
    """Return requirement set -> the cases that it introduced, from the one that introduced the requirement on."""
    sets = {requirement.since, *(case.since for case in requirement.cases)}
    return {
        each: tuple(case.id for case in requirement.cases if case.since == each) for each in sorted(sets, key=set_order)
    }
