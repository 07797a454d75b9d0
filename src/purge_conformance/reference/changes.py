"""Every change of the conforming behaviour that has a name: the faults and the variants of `spec/`, by their ids."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting
from purge_conformance.reference import (
    access_faults,
    access_variants,
    answer_variants,
    app_variants,
    buried_faults,
    bypass_faults,
    destroy_faults,
    error_faults,
    filter_variants,
    foundation_variants,
    intermittent_faults,
    list_faults,
    list_variants,
    many_variants,
    page_faults,
    page_variants,
    parallel_faults,
    parallel_variants,
    purge_faults,
    purge_variants,
    race_faults,
    read_faults,
    recording_faults,
    request_faults,
    request_variants,
    reseed_faults,
    seed_faults,
    seed_guid_faults,
    seed_value_faults,
    sequence_faults,
    sequence_variants,
    wire_variants,
)
from purge_conformance.reference.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.reference.change_kit import Change

FAULTS: Mapping[str, Change] = {
    **purge_faults.FAULTS,
    **destroy_faults.FAULTS,
    **buried_faults.FAULTS,
    **seed_faults.FAULTS,
    **seed_guid_faults.FAULTS,
    **reseed_faults.FAULTS,
    **seed_value_faults.FAULTS,
    **read_faults.FAULTS,
    **recording_faults.FAULTS,
    **request_faults.FAULTS,
    **list_faults.FAULTS,
    **parallel_faults.FAULTS,
    **access_faults.FAULTS,
    **bypass_faults.FAULTS,
    **race_faults.FAULTS,
    **error_faults.FAULTS,
    **page_faults.FAULTS,
    **intermittent_faults.FAULTS,
    **sequence_faults.FAULTS,
}
VARIANTS: Mapping[str, Change] = {
    **purge_variants.VARIANTS,
    **request_variants.VARIANTS,
    **access_variants.VARIANTS,
    **answer_variants.VARIANTS,
    **list_variants.VARIANTS,
    **foundation_variants.VARIANTS,
    **app_variants.VARIANTS,
    **many_variants.VARIANTS,
    **page_variants.VARIANTS,
    **filter_variants.VARIANTS,
    **wire_variants.VARIANTS,
    **parallel_variants.VARIANTS,
    **sequence_variants.VARIANTS,
}


def behaviour_with(names: Iterable[str]) -> Behaviour:
    """Change the conforming behaviour by each of the named faults and variants, in their order.

    Raises:
        BadSetting: a name is unknown.
    """
    return reduce(lambda behaviour, name: _change(name)(behaviour), names, Behaviour())


def _change(name: str) -> Change:
    known = {**FAULTS, **VARIANTS}
    if name not in known:
        raise BadSetting(
            f"{name!r} is no fault and no variant of the reference server. Take one of: {', '.join(sorted(known))}."
        )
    return known[name]
