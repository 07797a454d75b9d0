"""Runs what the files for CI systems run, in a folder of the test, with an installation that is there already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from meta.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(sys.executable).with_name("purge-conformance")
PAGE = ROOT / "docs" / "gate-ci.md"
RECIPE = re.compile(r"^<!-- recipe: (\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
# A python that makes an environment as `-m venv` does, without a download: what the test runs with is in it.
FAKE_PYTHON = f"""#!/bin/sh
test "$1 $2" = "-m venv" || exit 9
mkdir -p "$3/bin"
ln -sf {PROGRAM} {sys.executable} "$3/bin/"
ln -sf {sys.executable} "$3/bin/python"
printf '#!/bin/sh\\necho "$@" > pip.txt\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""


@dataclass(frozen=True)
class ActionResult:
    """The end of the action: the code of its last step, its output, and the outputs of the action."""

    code: int
    printed: str
    outputs: dict[str, str]


def recipe(name: str) -> str:
    """Return a marked block of the page on CI."""
    blocks: dict[str, str] = dict(RECIPE.findall(PAGE.read_text("utf-8")))
    return blocks[name]


def run_action(step: Mapping[str, Any], folder: Path, environ: Mapping[str, str]) -> ActionResult:
    """Run the steps of action.yml as a runner of GitHub does.

    Args:
        step: of a workflow, that uses the action; its `env` may name secrets.
        folder: the workspace, and the place of all other files.
        environ: the secrets, and further variables.
    """
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    python = _program(folder / "runner" / "python", FAKE_PYTHON)
    inputs = {name: each.get("default", "") for name, each in action["inputs"].items()} | step.get("with", {})
    values = {f"inputs.{name}": str(value) for name, value in (inputs | {"python": str(python)}).items()}
    values |= {"github.action_path": str(ROOT), "runner.temp": str(folder / "runner")}
    values |= {f"secrets.{name}": value for name, value in environ.items()}
    files = {"GITHUB_OUTPUT": folder / "runner" / "output", "GITHUB_STEP_SUMMARY": folder / "runner" / "summary.md"}
    for file in files.values():
        file.touch()
    base = os.environ | environ | {name: str(path) for name, path in files.items()} | _filled(step.get("env"), values)
    code, printed = 0, ""
    for each in action["runs"]["steps"]:
        code, text = run_script(each["run"], folder, base | _filled(each.get("env"), values))
        printed += text
        if code:
            break
    found = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
    values |= {f"steps.run.outputs.{name}": value for name, value in found.items()}
    outputs = _filled({name: each["value"] for name, each in action["outputs"].items()}, values)
    return ActionResult(code, printed, outputs)


def run_script(script: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a script in a folder as GitHub's `shell: bash` does; return its exit code and what it printed."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=dict(environ), capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout + done.stderr


def with_installation(folder: Path) -> dict[str, str]:
    """Return variables in which `pip` installs nothing, and `purge-conformance` is the installed one."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    _program(bin_folder / "pip", '#!/bin/sh\necho "$@" > pip.txt\n')
    (bin_folder / "purge-conformance").symlink_to(PROGRAM)
    return {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def _filled(texts: Mapping[str, str] | None, values: Mapping[str, str]) -> dict[str, str]:
    """Return texts with the value of each expression."""
    return {name: EXPRESSION.sub(lambda found: values[found[1]], text) for name, text in (texts or {}).items()}
