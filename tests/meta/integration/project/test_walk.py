"""Who follows `docs/extend.md` adds a requirement, its judgment, a fault and a variant, and all is green.

The test applies the blocks of that page to a copy of the checkout, and runs the commands of the page there.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from meta.support.checkout import Checkout, copy_checkout
from meta.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "extend.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
BLOCK = re.compile(
    r'^<!-- walk: (?P<target>\S+)(?: (?P<where>after|before) "(?P<anchor>[^"]+)")? -->\n```\w+\n(?P<code>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
COMMANDS = {"run", "check"}
REQUIREMENT, FAULT, VARIANT = "ALLOW-01", "allow-missing", "allow-empty"


def blocks() -> list[dict[str, str]]:
    """Return the marked blocks of the page, in order."""
    return [found.groupdict() for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


def apply(block: dict[str, str], root: Path) -> None:
    """Create the file of a block, or add the block to it: at its anchor, or at the end."""
    path, code = root / block["target"], block["code"]
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    anchor = block["anchor"]
    assert not anchor or anchor in text, f"{block['target']} has no {anchor!r}. Correct the marker in {PAGE}."
    if block["where"] == "after":
        text = text.replace(f"{anchor}\n", f"{anchor}\n{code}")
    elif block["where"] == "before":
        text = text.replace(anchor, f"{code}{anchor}", 1)
    else:
        text += code
    path.write_text(text, encoding="utf-8")


def command(name: str) -> list[str]:
    """Return the words of a command of the page."""
    (line,) = [block["code"] for block in blocks() if block["target"] == name]
    return shlex.split(line)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the checkout with all blocks of the page applied."""
    copy = copy_checkout(tmp_path_factory.mktemp("walk"))
    for block in blocks():
        if block["target"] not in COMMANDS:
            apply(block, copy.root)
    return copy


@pytest.fixture(scope="module")
def rows(checkout: Checkout) -> dict[str, Any]:
    """The rows of the selfcheck that the page runs, by the name of the server."""
    module, *arguments = command("run")
    done = checkout.run(module.replace("-", "_"), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = checkout.root / arguments[arguments.index("--out") + 1]
    return {row["name"]: row for row in json.loads((folder / "matrix.json").read_text(encoding="utf-8"))["rows"]}


def test_contributing_leads_to_walk() -> None:
    """CONTRIBUTING links to the page."""
    assert "(../docs/extend.md)" in CONTRIBUTING.read_text(encoding="utf-8")


def test_requirement_is_valid(checkout: Checkout) -> None:
    """With the new requirement, the file is valid against its schema."""
    schema = json.loads((checkout.root / "spec" / "requirements.schema.json").read_text(encoding="utf-8"))
    document = yaml.safe_load((checkout.root / "spec" / "requirements.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    assert document["requirements"][-1]["id"] == REQUIREMENT


def test_fault_is_killed(rows: dict[str, Any]) -> None:
    """The new requirement kills the new fault, and no other requirement fails."""
    assert (rows[FAULT]["failed"], rows[FAULT]["problems"]) == ([REQUIREMENT], [])


def test_variant_conforms(rows: dict[str, Any]) -> None:
    """The new variant fails nothing, and neither does the server that answered 405 before."""
    assert [rows[name]["failed"] for name in (VARIANT, "wrong-method-405")] == [[], []]


def test_catalogue_agrees(checkout: Checkout) -> None:
    """Requirements, judgments, faults and the contract still agree."""
    module, *arguments = command("check")
    done = checkout.run(module, "-q", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
