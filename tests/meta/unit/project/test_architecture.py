"""The picture and the table of `docs/architecture.md` show the rooms that the import contracts declare."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from xml.etree import ElementTree as ET

from meta.support.paths import ROOT

PACKAGE = ROOT / "src" / "purge_conformance"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"
BOXES, FLOORS = 17, 12
OUTSIDE = re.compile(r"__main__|\(\w+\)")  # the entry point, and what is not in src/


def floors() -> list[set[str]]:
    """Return the rooms of each import layer in pyproject.toml, the top one first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract["id"] == "rooms"]
    rooms = [{name for name in re.split(r"[\s|]+", layer) if not OUTSIDE.fullmatch(name)} for layer in layers]
    return [names for names in rooms if names]


def drawn_floors() -> list[set[str]]:
    """Return the names of the boxes in each row of the picture, the top one first."""
    by_height: dict[float, set[str]] = defaultdict(set)
    for text in ET.parse(ROOT / "docs" / "_static" / "rooms.svg").iter(f"{SVG}text"):  # noqa: S314 -- our own file
        names = {part.text or "" for part in text.iter(f"{SVG}tspan") if part.get("class") == "name"}
        by_height[float(text.get("y", 0))] |= names
    return [by_height[height] for height in sorted(by_height)]


def test_picture_shows_layers() -> None:
    """Each row of the picture is an import layer, in the same order."""
    assert drawn_floors() == floors()


def test_alternative_text_names_rooms() -> None:
    """The text for readers who do not see the picture names the rooms in the same order."""
    (alternative,) = re.findall(r"rooms\.svg\n:alt: (.+)", PAGE)
    order = [alternative.index(name) for names in floors() for name in sorted(names)]
    assert order == sorted(order)


def test_table_describes_rooms() -> None:
    """The table of the page has a row for each room."""
    described = set(re.findall(r"^\| `(\w+)(?:\.py|/)` \|", PAGE, re.MULTILINE))
    assert set.union(*floors()) <= described


def test_structure_is_small() -> None:
    """The package has at most 17 rooms on 12 floors."""
    found = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert (len(found) <= BOXES, len(floors()) <= FLOORS) == (True, True)
