"""How this package starts Python in a process of its own, where nothing of the user's environment changes an outcome.

A variable of Python, pytest, Hypothesis or a terminal could remove assertions, turn warnings into errors, or load a
plugin, and so change a verdict. Tokens are not needed there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import purge_conformance

# What Python needs to start, to find its packages and to write temporary files.
ALLOWED_VARIABLES = (
    "PATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "SYSTEMROOT",
    "APPDATA",
    "TMPDIR",
    "TEMP",
    "TMP",
)
COVERAGE_VARIABLES = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")  # of our own tests
FIXED_VARIABLES = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def command(*arguments: str) -> list[str]:
    """Return a command line that runs this interpreter; no option of this process, such as -O, applies to it."""
    no_user_site = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-P", *no_user_site, *arguments]


def environment(*more: str) -> dict[str, str]:
    """Return the environment of such a process; `more` are names of further variables that it gets."""
    names = (*ALLOWED_VARIABLES, *(["PYTHONPATH"] if _is_on_pythonpath() else []), *more)
    return {name: os.environ[name] for name in names if name in os.environ} | FIXED_VARIABLES


def _is_on_pythonpath() -> bool:
    """Whether this package was found by PYTHONPATH, so that the other process needs it, too."""
    root = Path(purge_conformance.__file__).parents[1].resolve()
    return any(Path(entry).resolve() == root for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)
