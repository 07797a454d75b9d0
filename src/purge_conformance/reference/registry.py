"""All faults and variants of `spec/`, by their ids.

The modules of `faults` and `variants` register their changes when they are imported, which happens here.
"""

from __future__ import annotations

import pkgutil
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting, did_you_mean
from purge_conformance.reference import faults, variants
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.mutation import FAULTS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from purge_conformance.reference.mutation import Change

__all__ = ["FAULTS", "VARIANTS", "behaviour_with"]


def _import_modules(package: ModuleType) -> None:
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        import_module(f"{package.__name__}.{name}")


_import_modules(faults)
_import_modules(variants)


def behaviour_with(names: Iterable[str]) -> Behaviour:
    """Apply the named faults and variants to the conforming behaviour, in their order.

    Raises:
        BadSetting: a name is unknown.
    """
    return reduce(lambda behaviour, name: _find_change(name)(behaviour), names, Behaviour())


def _find_change(name: str) -> Change:
    changes = {**FAULTS, **VARIANTS}
    if name not in changes:
        raise BadSetting(
            f"{name!r} is not a fault or a variant of the reference server.{did_you_mean(name, sorted(changes))} "
            "spec/faults.yaml and spec/variants.yaml list all ids."
        )
    return changes[name]
