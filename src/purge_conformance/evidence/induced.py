"""The errors that a hook induces, on which scenarios and analysis have to agree."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

INDUCED_STATUSES = (409, 503, 500)  # of purges, in this order
INDUCED_OPERATIONS: Mapping[Step, str] = MappingProxyType(
    {Step.INDUCED_PURGE: "purge", Step.INDUCED_LIST: "list", Step.INDUCED_GET: "get"}
)
