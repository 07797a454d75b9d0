"""Every change of the conforming behaviour that has a name: the faults and the variants of `spec/`, by their ids."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.faults import (
    authorization as access_faults,
)
from purge_conformance.reference.faults import (
    buried as buried_faults,
)
from purge_conformance.reference.faults import (
    bypass as bypass_faults,
)
from purge_conformance.reference.faults import (
    concurrency as parallel_faults,
)
from purge_conformance.reference.faults import (
    destroy as destroy_faults,
)
from purge_conformance.reference.faults import (
    errors as error_faults,
)
from purge_conformance.reference.faults import (
    intermittent as intermittent_faults,
)
from purge_conformance.reference.faults import (
    lists as list_faults,
)
from purge_conformance.reference.faults import (
    paging as page_faults,
)
from purge_conformance.reference.faults import (
    purge as purge_faults,
)
from purge_conformance.reference.faults import (
    race as race_faults,
)
from purge_conformance.reference.faults import (
    read as read_faults,
)
from purge_conformance.reference.faults import (
    recording as recording_faults,
)
from purge_conformance.reference.faults import (
    requests as request_faults,
)
from purge_conformance.reference.faults import (
    reseed as reseed_faults,
)
from purge_conformance.reference.faults import (
    seed as seed_faults,
)
from purge_conformance.reference.faults import (
    seed_guid as seed_guid_faults,
)
from purge_conformance.reference.faults import (
    seed_values as seed_value_faults,
)
from purge_conformance.reference.faults import (
    sequence as sequence_faults,
)
from purge_conformance.reference.variants import (
    apps as app_variants,
)
from purge_conformance.reference.variants import (
    authorization as access_variants,
)
from purge_conformance.reference.variants import (
    concurrency as parallel_variants,
)
from purge_conformance.reference.variants import (
    filter as filter_variants,
)
from purge_conformance.reference.variants import (
    foundation as foundation_variants,
)
from purge_conformance.reference.variants import (
    large_foundation as many_variants,
)
from purge_conformance.reference.variants import (
    lists as list_variants,
)
from purge_conformance.reference.variants import (
    paging as page_variants,
)
from purge_conformance.reference.variants import (
    purge_answers as purge_variants,
)
from purge_conformance.reference.variants import (
    requests as request_variants,
)
from purge_conformance.reference.variants import (
    responses as answer_variants,
)
from purge_conformance.reference.variants import (
    sequence as sequence_variants,
)
from purge_conformance.reference.variants import (
    wire as wire_variants,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.reference.mutation import Change

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
    return reduce(lambda behaviour, name: _find_change(name)(behaviour), names, Behaviour())


def _find_change(name: str) -> Change:
    changes = {**FAULTS, **VARIANTS}
    if name not in changes:
        raise BadSetting(
            f"{name!r} is no fault and no variant of the reference server. Take one of: {', '.join(sorted(changes))}."
        )
    return changes[name]
