"""The environment of Python in another process has nothing that could change what it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import purge_conformance
from purge_conformance.config import child_python

ROOT = Path(purge_conformance.__file__).parents[1]
HOSTILE = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONSTARTUP": "x",
    "PYTHONDEVMODE": "1",
    "PYTHONUTF8": "0",
    "PYTHONHASHSEED": "random",
    "PYTHONPATH": "/elsewhere",
    "PYTEST_ADDOPTS": "-x",
    "PYTEST_PLUGINS": "x",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "",
    "HYPOTHESIS_PROFILE": "x",
    "SCHEMATHESIS_HOOKS": "x",
    "FORCE_COLOR": "1",
    "COLUMNS": "1",
    "LC_ALL": "C",
    "PURGE_CONFORMANCE_OUT": "/elsewhere",
    "ADMIN_TOKEN": "secret",
    "COVERAGE_PROCESS_START": "x",
}
KEPT = {"PATH": "/bin", "HOME": "/home/user", "TMPDIR": "/scratch", "LD_LIBRARY_PATH": "/lib"}


def test_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python needs is kept, three variables have fixed values, and everything else is absent."""
    monkeypatch.setattr(os, "environ", HOSTILE | KEPT)
    assert child_python.environment() == KEPT | child_python.FIXED_VARIABLES
    assert child_python.environment("COVERAGE_PROCESS_START", "ABSENT")["COVERAGE_PROCESS_START"] == "x"


@pytest.mark.parametrize("entries", [[str(ROOT)], ["/elsewhere", f"{ROOT}/"]])
def test_pythonpath_with_the_package_is_kept(entries: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONPATH is kept if it is how this package was found."""
    value = os.pathsep.join(entries)
    monkeypatch.setattr(os, "environ", {"PYTHONPATH": value})
    assert child_python.environment()["PYTHONPATH"] == value


def test_command_has_no_options_of_this_process() -> None:
    """The command runs this interpreter, without the working directory in its path."""
    assert child_python.command("-m", "x")[:2] == [sys.executable, "-P"]
    assert child_python.command("-m", "x")[-2:] == ["-m", "x"]
