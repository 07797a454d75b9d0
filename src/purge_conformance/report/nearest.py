"""The fault of the reference server that a defect resembles, by what fails and how.

`fault_symptoms.json` has the features of each fault, as a run against the reference server with that fault showed them;
`benchmarks/nearest.py` writes it and measures how often the answer is right.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from purge_conformance.report.symptoms import symptoms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.report.defect import Defect
    from purge_conformance.report.model import Result

    Symptoms = Mapping[str, frozenset[str]]  # id of a fault -> its features

FILE_NAME = "fault_symptoms.json"
# Below it nothing is near. Without its own entry, a fault has 0.4 or more with one of its kind, others have below 0.1.
MIN_SIMILARITY = 0.4


@dataclass(frozen=True, slots=True)
class Match:
    """A fault, and how similar a defect is to it: 1 has the same features, 0 none of them."""

    fault: str
    similarity: float


def with_nearest_fault(defect: Defect, results: Iterable[Result]) -> Defect:
    """Return a defect with the fault that it resembles, if one is near."""
    match = nearest(symptoms_of(defect, results), known_symptoms())
    return replace(defect, behaves_like=match.fault if match else None)


def nearest(features: frozenset[str], symptoms: Symptoms, min_similarity: float = MIN_SIMILARITY) -> Match | None:
    """Return the fault whose features are most similar; None if none is near.

    A feature weighs more, the fewer faults have it. Of equally similar faults it is the first.
    """
    weights = _weights(tuple(symptoms.values()))
    unknown = math.log(len(symptoms) + 1)
    matches = (
        Match(fault, _similarity(features, own, weights, unknown)) for fault, own in symptoms.items() if features & own
    )
    best = max(matches, key=lambda match: match.similarity, default=None)
    return best if best and best.similarity >= min_similarity else None


@cache
def known_symptoms() -> Symptoms:
    """Return the features of each fault of the reference server."""
    rows = json.loads((files("purge_conformance.report") / FILE_NAME).read_text(encoding="utf-8"))
    return {fault: frozenset(features) for fault, features in rows.items()}


@cache
def _weights(features: tuple[frozenset[str], ...]) -> Mapping[str, float]:
    counts = Counter(feature for each in features for feature in each)
    return {feature: math.log((len(features) + 1) / count) for feature, count in counts.items()}


def _similarity(first: frozenset[str], second: frozenset[str], weights: Mapping[str, float], unknown: float) -> float:
    """Return the weighted share of the features that both have (Jaccard)."""

    def weigh(features: Iterable[str]) -> float:
        return sum(weights.get(feature, unknown) for feature in features)

    return weigh(first & second) / (weigh(first | second) or 1.0)
