"""The data of the package that says what each fault looks like, from a kill matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def symptoms_in(matrix: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return fault -> features of its failures, of each fault that `matrix.json` has them of."""
    return {row["name"]: row["symptoms"] for row in matrix["rows"] if row["kind"] == "fault" and row.get("symptoms")}


def package_data(matrix: Mapping[str, Any], old: Mapping[str, Sequence[str]]) -> str:
    """Return the text of `fault_symptoms.json`, one fault per line.

    A fault that the matrix does not show keeps what it had, or has only its requirements.
    """
    new = {**old, **symptoms_in(matrix)}
    lines = []
    for fault in catalogue.faults():
        features = new.get(fault.id, ())
        is_current = {each for each in features if " " not in each} == set(fault.requirements)
        lines.append(f" {json.dumps(fault.id)}: {json.dumps(sorted(features if is_current else fault.requirements))}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
