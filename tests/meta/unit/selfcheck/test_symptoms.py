"""The data about what faults look like follows from a kill matrix."""

from __future__ import annotations

import json

from purge_conformance import catalogue
from purge_conformance.selfcheck.symptoms import package_data


def test_matrix_replaces_what_it_shows() -> None:
    """A fault of the matrix has its features; what was known of others stays if it is current."""
    first, second, third = catalogue.faults()[:3]
    features = [*first.requirements, f"{first.requirements[0]} got words"]
    outdated = ["OLD-01", "OLD-01 got words"]
    rows = [
        {"kind": "fault", "name": first.id, "symptoms": features},
        {"kind": "fault", "name": second.id},
        {"kind": "conforming server", "name": "server", "symptoms": features},
    ]
    matrix = {"rows": rows}
    data = json.loads(
        package_data(matrix, {first.id: outdated, second.id: outdated, third.id: list(third.requirements)})
    )
    assert data.keys() == {fault.id for fault in catalogue.faults()}
    assert data[first.id] == sorted(features)
    assert data[second.id] == sorted(second.requirements)
    assert data[third.id] == sorted(third.requirements)
