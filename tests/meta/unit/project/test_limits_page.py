"""The page of limits and guarantees says what the code does and names tests that exist."""

from __future__ import annotations

import importlib
import re
from functools import reduce

import pytest

from meta.support.paths import ROOT
from purge_conformance.config.options import KEYS

PAGE = (ROOT / "docs" / "limits-and-guarantees.md").read_text(encoding="utf-8")
UNITS = {"KiB": 1024, "MiB": 1024**2}
BOUNDS = re.findall(r"^\| (.+?) \| ([\d,]+) (\S+).*? \| (?:`(--\S+)`)? ?\| `(\S+)` \|$", PAGE, re.MULTILINE)
IN_MIB = {"config.settings.Limits.max_memory", "config.settings.RECEIVED_PER_MEMORY"}  # by their own unit


def value_of(path: str) -> object:
    """Return the constant, or the default of a field, at a path below the package."""
    names = path.split(".")
    depth = next(n for n in range(1, len(names)) if not names[n].islower() or n == len(names) - 1)
    module = importlib.import_module(".".join(["purge_conformance", *names[:depth]]))
    if names[depth] == "Limits":
        return getattr(module.Limits(), names[-1])
    return reduce(getattr, names[depth:], module)


@pytest.mark.parametrize(("what", "number", "unit", "flag", "path"), BOUNDS, ids=[row[-1] for row in BOUNDS])
def test_bounds_are_those_of_the_code(what: str, number: str, unit: str, flag: str, path: str) -> None:
    """Each row of the table has the value of the code, and its flag is one of the command's."""
    factor = 1 if path in IN_MIB else UNITS.get(unit, 1)
    assert int(number.replace(",", "")) * factor == value_of(path), what
    assert not flag or flag in {key.option for key in KEYS}


def test_no_row_is_left_out() -> None:
    """Each row of the table of bounds is compared."""
    table = PAGE.partition("| In the code |")[2]
    assert len(BOUNDS) == len(re.findall(r"^\| (?!---)", table, re.MULTILINE)) >= 30


def test_named_tests_exist() -> None:
    """Each test that a promise names is there."""
    promises = PAGE.partition("## What is not promised")[0]
    names = re.findall(r"`((?:unit|integration)/[\w/.]+)`", promises)
    assert len(names) >= 12
    assert [name for name in names if not (ROOT / "tests" / "meta" / name).exists()] == []
