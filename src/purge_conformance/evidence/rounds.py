"""The rounds of scenarios whose evidence is judged together: scenarios and analysis have to agree on them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CONCURRENT_ROUNDS = (1, 2)  # of concurrent-purges
CONCURRENT_PURGES = 3  # in each of them
RACES: Mapping[int, int] = MappingProxyType({1: 1, 2: 2, 3: 1})  # round of race -> purges in it, one after the other
RACE_CASES: Mapping[int, str] = MappingProxyType({1: "one-purge", 2: "two-purges"})  # purges in a round -> its case
