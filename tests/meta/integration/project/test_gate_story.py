"""A gate from its first green build to a fixed defect, by the action's own steps and by junit.xml alone."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from meta.support.ci_files import PROGRAM, run_action
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FAULT = "purge-returns-data"
QUICK = "--select=PURGE-*\n--examples=1\n"
KNOWN = "known failure"


@dataclass(frozen=True)
class Build:
    """What one build shows: the exit code, the titles of its errors, and what a reader of junit.xml alone sees."""

    code: int
    errors: list[str]
    red_cases: list[str]
    headline: str
    report: Path


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Build]]:
    """The function that runs the action against a server with or without a defect."""
    with reference_process.server(["--fault", FAULT]) as faulty, reference_process.server() as correct:

        def run(*, is_faulty: bool, known: Path | None = None) -> Build:
            folder = tmp_path_factory.mktemp("build")
            url, tokens = faulty if is_faulty else correct
            arguments = QUICK + (f"--known-failures={known}\n" if known else "")
            step = {"with": {"target": url, "tokens": "admin=env:ADMIN_TOKEN", "arguments": arguments}}
            done = run_action(step, folder, {"ADMIN_TOKEN": tokens["admin"]})
            report = folder / done.outputs["report"]
            suite = ET.parse(report / "junit.xml").getroot()[0]  # noqa: S314 -- our own output
            red = [case for case in suite.iter("testcase") if {each.tag for each in case} & {"failure", "error"}]
            facts = {each.get("name"): each.get("value", "") for each in suite.iter("property")}
            titles = re.findall(r"^::error title=(.*?)::", done.printed, re.MULTILINE)
            return Build(done.code, titles, [case.get("name", "") for case in red], facts["headline"] or "", report)

        yield run


def known_failures(*arguments: str | Path) -> None:
    """Run the command that keeps the file."""
    subprocess.run([PROGRAM, "known-failures", *map(str, arguments)], capture_output=True, check=True)


def test_gate_from_green_to_green(build: Callable[..., Build], tmp_path: Path) -> None:
    """Green; with a defect red; entered green, with the exception named; expired or fixed red; pruned green."""
    file = tmp_path / "known-failures.yaml"
    first = build(is_faulty=False)
    assert (first.code, first.errors, first.red_cases) == (0, [], [])

    broken = build(is_faulty=True)
    assert (broken.code, bool(broken.red_cases)) == (1, True)
    assert [title.split()[0] for title in broken.errors] == broken.red_cases

    known_failures("write", broken.report, "--out", file, "--owner=capi", "--reason=Reported.")
    entered = build(is_faulty=True, known=file)
    assert (entered.code, entered.errors, entered.red_cases) == (0, [], [])
    assert f"except for 1 {KNOWN}" in entered.headline

    entries = file.read_text("utf-8")
    file.write_text(re.sub(r"expires: \S+", "expires: 2020-01-31", entries), encoding="utf-8")
    expired = build(is_faulty=True, known=file)
    assert (expired.code, bool(expired.red_cases)) == (1, True)
    assert expired.errors

    file.write_text(entries, encoding="utf-8")
    fixed = build(is_faulty=False, known=file)
    assert (fixed.code, fixed.red_cases) == (1, [f"known-failures.{name}" for name in broken.red_cases])
    assert fixed.errors == fixed.red_cases

    known_failures("prune", file, "--report", fixed.report)
    last = build(is_faulty=False, known=file)
    assert (last.code, last.errors, last.red_cases) == (0, [], [])
