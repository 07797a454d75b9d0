"""Every command against a target whose every answer is hostile: nothing raw is printed or written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from meta.support.hostile_target import answer_hostile, is_hidden, problems, run_on_terminal
from meta.support.paths import ROOT
from meta.support.running_command import ADMIN, PROGRAM, SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

AUDITOR = "--token=global_auditor=env:AUDITOR_SECRET"
ENVIRONMENT = (
    os.environ | SECRET | {"AUDITOR_SECRET": "another-opaque-secret", "COLUMNS": "40"}
)  # lines are wrapped as often as can be
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "conformance"))
SHORT_RUN = ("--examples=1", "--max-requests=150", "--max-purges=3", "--verbose", "--out=out")
CONSENT = "--allow-purge=127.0.0.1"  # the links in the root document cannot be read
COMMANDS = {
    "doctor": ("doctor", ADMIN, AUDITOR),
    "plan": ("plan", ADMIN),
    "archive": ("archive", ADMIN, "--out=archive.gz"),
    "cleanup": ("cleanup", ADMIN),
    "cleanup-dry": ("cleanup", ADMIN, "--dry-run"),
    "cleanup-run": ("cleanup", ADMIN, "--run=\x1b[2J\n::error::"),
    "usage": ("run", ADMIN, "--select=\x1b[2J\n::error::x"),
    "option": ("run", "--\u202e::error::x"),
}


@pytest.mark.parametrize(("status", "encoding"), [(200, "utf-8"), (401, "ascii")])
@pytest.mark.parametrize("name", COMMANDS)
def test_commands_print_nothing_raw(
    name: str, status: int, encoding: str, stub_server: StubServer, tmp_path: Path
) -> None:
    """On a pipe, neither standard output nor standard error holds a control character or a command for a CI system."""
    stub_server.answer = answer_hostile(status)
    command, *words = COMMANDS[name]
    done = subprocess.run(
        [PROGRAM, command, stub_server.url, *words],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout + done.stderr
    assert problems(done.stdout) + problems(done.stderr) == []
    assert done.returncode in {0, 2, 3}
    assert b"Traceback" not in done.stderr
    assert encoding != "ascii" or (done.stdout + done.stderr).isascii()


@pytest.mark.parametrize("name", ["doctor", "plan", "archive", "cleanup", "cleanup-dry", "usage"])
def test_terminal_shows_nothing_raw(name: str, stub_server: StubServer, tmp_path: Path) -> None:
    """On a terminal, there is nothing but text, line feeds and the suite's own colours."""
    stub_server.answer = answer_hostile()
    command, *words = COMMANDS[name]
    shown = run_on_terminal([PROGRAM, command, stub_server.url, *words], tmp_path, ENVIRONMENT)
    assert shown
    assert problems(shown, is_terminal=True) == []


def test_run_is_tame(stub_server: StubServer, tmp_path: Path) -> None:
    """A run, its judgments, its reports and plain pytest show the text of the target as data."""
    stub_server.answer = answer_hostile()
    commands = [
        [PROGRAM, "run", stub_server.url, ADMIN, AUDITOR, CONSENT, *SHORT_RUN],
        [PROGRAM, "judge", "out", "--out=again"],
        [PROGRAM, "report", "out"],
        [*PYTEST, "--evidence=out", "-rA"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=300, check=False)
        assert problems(done.stdout) + problems(done.stderr) == []
        assert done.returncode in {0, 1, 3}, done.stderr
    shown = run_on_terminal([PROGRAM, "judge", "out", "--out=third"], tmp_path, ENVIRONMENT)
    assert problems(shown, is_terminal=True) == []
    assert rb"\x1b]0;OWNED" in shown
    for folder in ("out", "again", "third"):
        _check_reports(tmp_path / folder)


def test_pytest_is_tame(stub_server: StubServer, tmp_path: Path) -> None:
    """Plain pytest against the target itself prints nothing raw either."""
    stub_server.answer = answer_hostile()
    options = ["--conformance-examples=1", "--conformance-max-requests=120", "--conformance-max-purges=2"]
    done = subprocess.run(
        [
            *PYTEST,
            f"--target={stub_server.url}",
            ADMIN,
            CONSENT,
            *options,
        ],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert problems(done.stdout) + problems(done.stderr) == []


def _check_reports(folder: Path) -> None:
    """Require that each report is valid, and holds the text of the target neither raw nor as markup."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz")
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    reports = {name: texts[name] for name in ("report.json", "report.html", "junit.xml", "summary.md")}
    for name, text in reports.items():
        assert [char for char in text if is_hidden(char) and char not in "\n\ufe0f"] == [], name
    for name in (name for name in texts if name.endswith(".sh")):
        assert [char for char in texts[name] if is_hidden(char) and char != "\n"] == [], name
    json.loads(reports["report.json"])
    ET.fromstring(reports["junit.xml"])  # noqa: S314 -- our own file
    assert "<img" not in reports["report.html"]
    own = re.compile(r"^</?details>(<summary>[A-Za-z ]+</summary>)?$", re.MULTILINE)  # of the list of cases
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(own.sub("", reports["summary.md"]))
    kinds = {token.type for token in [*tokens, *(child for token in tokens for child in token.children or [])]}
    assert not kinds & {"html_block", "html_inline", "link_open", "image"}
    rows = [line for line in reports["summary.md"].splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in rows} <= {4, 5, 6, 3}
    assert "@admin" not in "".join(line for line in reports["summary.md"].splitlines() if not line.startswith("curl"))
