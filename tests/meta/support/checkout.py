"""A copy of the checkout whose package runs without being installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meta.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COPIED = ("src", "spec", "tests")
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy.

    Attributes:
        root: its root.
        installed: folder with the package in the layout of the wheel, as links into the copy.
    """

    root: Path
    installed: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in the root of the copy; `purge_conformance` is that of the copy."""
        environment = os.environ | {"PYTHONPATH": str(self.installed), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-P", "-m", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def copy_checkout(folder: Path) -> Checkout:
    """Copy what the package and its tests consist of into a folder."""
    root, installed = folder / "checkout", folder / "installed"
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=IGNORED)
    shutil.copy(ROOT / "pyproject.toml", root)
    package = installed / "purge_conformance"
    package.mkdir(parents=True)
    for path in (root / "src" / "purge_conformance").iterdir():
        (package / path.name).symlink_to(path)
    (package / "spec").symlink_to(root / "spec")
    (package / "conformance").symlink_to(root / "tests" / "conformance")
    return Checkout(root, installed)
