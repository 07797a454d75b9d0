"""Checks the shell scripts in action.yml and docs/ci/ with shellcheck, as `tox -e places` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXCLUDED = "SC2086"  # words of a variable that are meant to be split


def scripts() -> Iterator[tuple[str, str, str]]:
    """Yield the file, the shell and the text of each script."""
    for step in _load("action.yml")[0]["runs"]["steps"]:
        yield "action.yml", step["shell"], step["run"]
    (job,) = _load("docs/ci/gitlab.yml")[0].values()
    yield "docs/ci/gitlab.yml", "sh", "\n".join(job["script"])
    *_, task = _load("docs/ci/concourse.yml")
    yield "docs/ci/concourse.yml", task["run"]["path"], task["run"]["args"][-1]


def _load(name: str) -> list[Any]:
    """Return the documents of a file."""
    return list(yaml.safe_load_all((ROOT / name).read_text(encoding="utf-8")))


def main() -> int:
    """Print what shellcheck finds, and return 1 if it finds something."""
    codes = []
    for name, shell, text in scripts():
        command = ["shellcheck", f"--shell={shell}", f"--exclude={EXCLUDED}", "-"]
        done = subprocess.run(command, input=text, text=True, check=False)  # noqa: S603 -- the linter alone
        codes.append(done.returncode)
        print(f"{name} ({shell}): {'ok' if codes[-1] == 0 else 'see above'}")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
