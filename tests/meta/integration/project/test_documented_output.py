"""README.md shows what the command prints.

`python tests/meta/integration/project/test_documented_output.py` updates it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from purge_conformance.engine import reference_process as embedded

README = Path(__file__).parents[4] / "README.md"
BLOCK = r"(<!-- generated: {} -->\n```\n)(.*?)(```\n<!-- end -->)"
FAULT = "misses-apps-without-instances"
# What differs from run to run: ports, durations, guids, times, how many requests it took (a filter is tried for each
# second that has an event, a race as long as it lasts), and what is read while purges are under way.
VOLATILE = (
    r"127\.0\.0\.1:\d+",
    r"\d+\.\d s",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"(?<=-)[0-9a-f]{8}\b",  # the run, in names
    r"\d{4}-\d\d-\d\dT[\d:]+Z",
    r"\d{8}T\d{6}Z",
    r"\d+(?= of [\d,]+ requests)",
    r", (about \d+ (s|min)|less than 1 s) left",
    r"\d+(?= requests, \d+ purges)|(?<=readers of the list saw: ).*",
)


def run(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Return what `purge-conformance run` prints without a terminal."""
    command = [sys.executable, "-m", "purge_conformance", "run", *arguments]
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | (environment or {}), stdout=subprocess.PIPE, text=True, check=False
        )
    return done.stdout


def reference_output() -> str:
    """Return the output of a run of the reference server."""
    return run()


def fault_output() -> str:
    """Return the end of the output of a run of a faulty server."""
    with embedded.server(["--fault", FAULT]) as (url, tokens):
        sources = [f"--token={role}=env:{role.upper()}_TOKEN" for role in tokens]
        return run(
            url, "--quiet", *sources, environment={f"{role.upper()}_TOKEN": text for role, text in tokens.items()}
        )


BLOCKS = {"run": reference_output, "fault": fault_output}


def mask_variable_parts(text: str) -> str:
    """Return the text without the parts that vary."""
    for pattern in VOLATILE:
        text = re.sub(pattern, "*", text)
    return text


@pytest.mark.parametrize("name", BLOCKS)
def test_readme_output_is_current(name: str) -> None:
    """README.md contains the current output of the command."""
    block = re.search(BLOCK.format(name), README.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    assert mask_variable_parts(block[2]) == mask_variable_parts(BLOCKS[name]())


def write() -> None:
    """Write the current output into README.md."""
    text = README.read_text(encoding="utf-8")
    for name, shown in BLOCKS.items():
        head, _, tail = re.split(BLOCK.format(name), text, flags=re.DOTALL)[1:4]
        text = re.sub(BLOCK.format(name), "\0", text, flags=re.DOTALL).replace("\0", head + shown() + tail)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
