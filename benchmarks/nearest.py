"""Measures how often the fault that a defect resembles is of the right kind.

For each fault, its own entry is left out, and the nearest of the others is sought. It is right if both faults are of
one kind: they violate the same requirements, or one module of the reference server implements both and they violate
requirements of a common group.

The data is that of the package. `python tests/meta/integration/project/test_published_matrix.py` writes it from the
published kill matrix; `python benchmarks/nearest.py --update MATRIX` takes over the faults of another `matrix.json`,
for example of `purge-conformance selfcheck --only NAME --out DIR`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.reference import registry
from purge_conformance.report.nearest import FILE_NAME, MIN_SIMILARITY, nearest
from purge_conformance.selfcheck.symptoms import package_data

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parents[1] / "src" / "purge_conformance" / "report" / FILE_NAME
THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def update(matrix: Path) -> None:
    """Write the data of the package: the faults of a matrix, and for all others what it has."""
    old = json.loads(DATA.read_text(encoding="utf-8"))
    DATA.write_text(package_data(json.loads(matrix.read_text(encoding="utf-8")), old), encoding="utf-8")


def measure(symptoms: Mapping[str, frozenset[str]]) -> None:
    """Print how many faults got an answer without their own entry, and how many of these answers were right."""
    shown = {fault: features for fault, features in symptoms.items() if any(" " in feature for feature in features)}
    print(f"{len(shown)} of {len(symptoms)} faults have been shown by a selfcheck.\n")
    print("| similarity at least | answers | right | |\n| --: | --: | --: | --- |")
    for threshold in THRESHOLDS:
        answers = {
            fault: match.fault
            for fault, features in shown.items()
            if (match := nearest(features, {name: each for name, each in shown.items() if name != fault}, threshold))
        }
        right = sum(is_right(fault, answer) for fault, answer in answers.items())
        share = f"{100 * right / len(answers):.0f} %" if answers else "-"
        mark = "used" if threshold == MIN_SIMILARITY else ""
        print(f"| {threshold:.1f} | {len(answers)} | {right} ({share}) | {mark} |")
        if threshold == MIN_SIMILARITY:
            wrong = [f"{fault} -> {answer}" for fault, answer in answers.items() if not is_right(fault, answer)]
    print("\nWrong at the threshold that is used: " + ("; ".join(wrong) or "none"))


def is_right(fault: str, answer: str) -> bool:
    """Whether two faults are of one kind."""
    by_id = {each.id: set(each.requirements) for each in catalogue.faults()}
    modules = {registry.FAULTS[name].__module__ for name in (fault, answer)}
    is_related = len(modules) == 1 and bool(_groups(fault) & _groups(answer))
    return by_id[fault] == by_id[answer] or is_related


def _groups(fault: str) -> set[str]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    (found,) = (each for each in catalogue.faults() if each.id == fault)
    return {groups[name] for name in found.requirements}


def main() -> None:
    """Update or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--update", type=Path, metavar="MATRIX", help="take over the faults of this matrix.json")
    arguments = parser.parse_args()
    if arguments.update:
        update(arguments.update)
    rows: dict[str, list[str]] = json.loads(DATA.read_text(encoding="utf-8"))
    measure({fault: frozenset(features) for fault, features in rows.items()})


if __name__ == "__main__":
    main()
