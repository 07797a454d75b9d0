"""The installed wheel judges a server, without a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.wheel
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, so that the test covers both."""
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT)], check=True)
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed into an empty environment."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([str(scripts / "python"), "-m", "pip", "install", "--quiet", f"{wheel}[reference]"], check=True)
    return scripts / "purge-conformance"


def test_wheel_carries_spec_and_judgments(wheel: Path) -> None:
    """The wheel contains every file of src/, spec/ and tests/conformance/ except README.md."""
    rooms = {
        "purge_conformance": ROOT / "src" / "purge_conformance",
        "purge_conformance/spec": ROOT / "spec",
        "purge_conformance/conformance": ROOT / "tests" / "conformance",
    }
    expected = {
        f"{name}/{path.relative_to(room).as_posix()}"
        for name, room in rooms.items()
        for path in room.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != "README.md"
    }
    with ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert carried == expected


def test_installed_command_lists(command: Path, tmp_path: Path) -> None:
    """The installed command lists every requirement."""
    done = subprocess.run([command, "list", "--json"], cwd=tmp_path, capture_output=True, check=True)
    assert {"core", "upstream"} == {requirement["profile"] for requirement in json.loads(done.stdout)}


def test_installed_command_judges(command: Path, tmp_path: Path) -> None:
    """The installed command judges its own reference server, and writes the report."""
    done = subprocess.run([command, "run", "--examples", "1", "--out", "out"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert json.loads((tmp_path / "out" / "report.json").read_text())["verdict"] == "conformant"
