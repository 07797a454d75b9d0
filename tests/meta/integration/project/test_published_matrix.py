"""The published results of the self-check are current.

`purge-conformance selfcheck --out reports/selfcheck` writes them;
`python tests/meta/integration/project/test_published_matrix.py` copies the rates into README.md, and what each fault
looks like into the data of the package.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.report.nearest import FILE_NAME, known_symptoms
from purge_conformance.selfcheck.matrix import Rate
from purge_conformance.selfcheck.matrix_report import headline
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.symptoms import package_data, symptoms_in

ROOT = Path(__file__).parents[4]
README, FOLDER = ROOT / "README.md", ROOT / "reports" / "selfcheck"
MATRIX = FOLDER / "matrix.json"
SYMPTOMS = ROOT / "src" / "purge_conformance" / "report" / FILE_NAME
BLOCK = r"(<!-- generated: {} -->\n)(.*?)(<!-- end -->)"


def selfcheck_block() -> str:
    """Return the line with the two rates."""
    data = json.loads(MATRIX.read_text(encoding="utf-8"))
    variants = sum(len(row["variants"]) for row in data["rows"])
    killed, false_alarms = (Rate(data[name]["count"], data[name]["of"]) for name in ("killed", "false_alarms"))
    rates = headline(killed, false_alarms, variants)
    return f"**{rates}**: the [kill matrix](reports/selfcheck/matrix.md).\n"


BLOCKS = {"selfcheck": selfcheck_block}


def test_published_matrix_is_current() -> None:
    """The published matrix is complete, valid, without a problem, and has a row for each current fault and variant."""
    data = json.loads(MATRIX.read_text(encoding="utf-8"))
    jsonschema.validate(data, catalogue.document("matrix.schema.json"), jsonschema.Draft202012Validator)
    assert (data["only"], [row["problems"] for row in data["rows"] if row["problems"]]) == ([], [])
    assert sorted(row["name"] for row in data["rows"]) == sorted(subject.name for subject in select_servers())


@pytest.mark.parametrize("name", BLOCKS)
def test_readme_matches_published_files(name: str) -> None:
    """README.md contains the published results."""
    block = re.search(BLOCK.format(name), README.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    assert block[2] == BLOCKS[name]()


def test_package_knows_published_faults() -> None:
    """The data of the package says of each fault what the published matrix says."""
    published = symptoms_in(json.loads(MATRIX.read_text(encoding="utf-8")))
    known = known_symptoms()
    assert {name: frozenset(features) for name, features in published.items()} == {
        name: known[name] for name in published
    }


def write() -> None:
    """Write the published results into README.md and into the data of the package."""
    data = json.loads(SYMPTOMS.read_text(encoding="utf-8"))
    matrix = json.loads(MATRIX.read_text(encoding="utf-8"))
    SYMPTOMS.write_text(package_data(matrix, data), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    for name, shown in BLOCKS.items():
        head, old, tail = re.findall(BLOCK.format(name), text, re.DOTALL)[0]
        text = text.replace(head + old + tail, head + shown() + tail)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
