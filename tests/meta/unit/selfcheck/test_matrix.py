"""The kill matrix: the problems of a row."""

from __future__ import annotations

from typing import Any

import pytest

from purge_conformance.selfcheck.matrix import Row
from purge_conformance.selfcheck.mutants import select_servers

FAULT, VARIANT = "purge-returns-data", "purge-body-empty"


@pytest.mark.parametrize(
    ("name", "changes", "problems"),
    [
        (FAULT, {"failed": ("PURGE-02",), "undecided": ("AGAIN-03",)}, []),
        (FAULT, {"error": "it died"}, ["could not be judged: it died"]),
        ("purge-answers-202", {"failed": ("PURGE-01",)}, ["was expected to fail STATUS-01, and did not"]),
        (VARIANT, {"undecided": ("SEED-01",)}, ["did not decide SEED-01, which spec/variants.yaml does not declare"]),
        (VARIANT, {"error": "it died"}, ["could not be judged: it died"]),
    ],
)
def test_problems_are_explained(name: str, changes: dict[str, Any], problems: list[str]) -> None:
    """Each problem has an explanation, and a correct row has none."""
    (mutant,) = select_servers([name])
    assert list(Row(mutant, **changes).problems()) == problems
