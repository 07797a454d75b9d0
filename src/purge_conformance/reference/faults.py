"""The faults of `spec/faults.yaml`, by their ids: each changes the conforming behaviour into one that breaks a rule."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting
from purge_conformance.reference import list_faults, purge_faults, request_faults
from purge_conformance.reference.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.reference.fault_kit import Fault

FAULTS: Mapping[str, Fault] = {**purge_faults.FAULTS, **request_faults.FAULTS, **list_faults.FAULTS}


def behaviour_with(names: Iterable[str]) -> Behaviour:
    """Change the conforming behaviour by each of the named faults, in their order.

    Raises:
        BadSetting: a fault is unknown.
    """
    return reduce(lambda behaviour, name: _fault(name)(behaviour), names, Behaviour())


def _fault(name: str) -> Fault:
    if name not in FAULTS:
        raise BadSetting(f"{name!r} is no fault of the reference server. Take one of: {', '.join(sorted(FAULTS))}.")
    return FAULTS[name]
