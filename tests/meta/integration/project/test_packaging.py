"""The files of the project agree with each other: version, tox environments, wheel."""

from __future__ import annotations

import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

import purge_conformance

ROOT = Path(__file__).parents[4]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOX = ConfigParser(interpolation=None)
TOX.read(ROOT / "tox.ini")
HABITS = [name.strip() for name in TOX["tox"]["env_list"].split(",")]
# Measurements, other hosts, new dependencies, a tag.
ON_DEMAND = {"browser", "bench", "kill", "linkcheck", "newest", "night", "release", "seeds"}


def test_package_has_declared_version() -> None:
    """The version that the package shows is that of pyproject.toml."""
    assert PROJECT["project"]["version"] == purge_conformance.__version__


@pytest.mark.parametrize("habit", [*HABITS, *sorted(ON_DEMAND)])
def test_tox_environment_is_described(habit: str) -> None:
    """`tox list` describes every environment; a colon would start a condition."""
    description = TOX[f"testenv:{habit}"]["description"]
    assert description
    assert ":" not in description


def test_every_environment_runs() -> None:
    """`tox` runs every environment of tox.ini except those for an occasion."""
    environments = {name.removeprefix("testenv:") for name in TOX if name.startswith("testenv:")}
    assert environments - ON_DEMAND == set(HABITS)


def test_every_package_is_listed() -> None:
    """Every folder of Python files in src/ is a package of the wheel, and so are spec/ and tests/conformance/."""
    source = ROOT / "src"
    found = {".".join(path.parent.relative_to(source).parts) for path in source.rglob("*.py")}
    extra = {"purge_conformance.spec", "purge_conformance.conformance"}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | extra


def test_every_data_file_is_listed() -> None:
    """Every file of a package that other than Python is package data; README.md is for readers of the repository."""
    settings = PROJECT["tool"]["setuptools"]
    for package in settings["packages"]:
        folder = ROOT / settings["package-dir"].get(package, Path("src", *package.split(".")))
        data = {
            path for path in folder.iterdir() if path.is_file() and path.suffix != ".py" and path.name != "README.md"
        }
        listed = {path for pattern in settings["package-data"].get(package, []) for path in folder.glob(pattern)}
        assert listed == data, package


def test_ci_runs_readme_command() -> None:
    """CI's script runs the test command of the README."""
    last = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert last in (ROOT / "README.md").read_text()
