"""Writes what each fault looks like, and measures how often the nearest fault is of the right kind.

`python benchmarks/nearest.py --update FOLDER` takes the faults of a selfcheck (`purge-conformance selfcheck --out DIR`
or one with --only) into the data of the package. Faults that no selfcheck showed yet have only their requirements.

Without arguments it measures: for each fault, its own entry is left out, and the nearest of the others is sought. It is
right if both faults are of one kind, which means that one module of the reference server implements them, and that they
violate a common requirement or requirements of a common group.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.reference import registry
from purge_conformance.report.nearest import FILE_NAME, MIN_SIMILARITY, nearest
from purge_conformance.selfcheck.run import SYMPTOMS

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parents[1] / "src" / "purge_conformance" / "report" / FILE_NAME
THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def update(folder: Path | None) -> None:
    """Write the data of the package: the entries of a selfcheck, and for all other faults those that it has."""
    old: dict[str, list[str]] = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    new: dict[str, list[str]] = json.loads((folder / SYMPTOMS).read_text(encoding="utf-8")) if folder else {}
    rows = {}
    for fault in catalogue.faults():
        features = new.get(fault.id) or old.get(fault.id) or []
        named = {feature for feature in features if " " not in feature}
        rows[fault.id] = features if named == set(fault.requirements) else sorted(fault.requirements)
    lines = (f" {json.dumps(fault)}: {json.dumps(features)}" for fault, features in rows.items())
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


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
    modules = {registry.FAULTS[name].__module__ for name in (fault, answer)}
    return len(modules) == 1 and bool(_groups(fault) & _groups(answer))


def _groups(fault: str) -> set[str]:
    groups = {requirement.id: requirement.group for requirement in catalogue.requirements()}
    (found,) = (each for each in catalogue.faults() if each.id == fault)
    return {groups[name] for name in found.requirements}


def main() -> None:
    """Update or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--update", type=Path, metavar="FOLDER", help="take the faults of this selfcheck over")
    arguments = parser.parse_args()
    if arguments.update or not DATA.exists():
        update(arguments.update)
    rows: dict[str, list[str]] = json.loads(DATA.read_text(encoding="utf-8"))
    measure({fault: frozenset(features) for fault, features in rows.items()})


if __name__ == "__main__":
    main()
