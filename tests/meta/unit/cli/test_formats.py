"""`--format` of the commands and of plain pytest."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import invoke
from meta.support.paths import CONFORMANCE
from purge_conformance.config import loader
from purge_conformance.config.options import KEYS
from purge_conformance.engine import rehearsal
from purge_conformance.engine.pytest_session import judge_here
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = next(key for key in KEYS if key.name == "format")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a small run, with its evidence and reports."""
    out = tmp_path / "out"
    out.mkdir()
    rehearsal.write_small_run(out)
    judge_here(out)
    return out


def test_report_writes_formats(folder: Path, tmp_path: Path) -> None:
    """`report` writes further reports into the folder and to named files, and prints annotations last."""
    place = tmp_path / "new" / "code.json"
    done = invoke("report", str(folder), "--format", f"sarif,gitlab={place}", "--format=github-annotations")
    lines = done.output.splitlines()
    assert (done.exit_code, lines[4:6]) == (0, [str(folder / "report.sarif"), str(place)])
    assert place.exists()
    assert lines[6:]
    assert all(re.match("::(error|warning|notice) title=", line) for line in lines[6:])


def test_formats_are_checked_first(folder: Path) -> None:
    """A name that is not known and a place that cannot be written end a command with 2 and name the flag."""
    for value, words in ((f"sarif={folder}", "--format sarif"), ("sarf", "one of: json"), ("sarif=", "NAME=FILE")):
        done = invoke("report", str(folder), f"--format={value}")
        assert (done.exit_code, words in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sarif,har", ["sarif", "har"]),
        ("sarif=a,b.sarif, junit=c", ["sarif=a,b.sarif", "junit=c"]),
    ],
)
def test_commas_in_file_names(text: str, values: list[str]) -> None:
    """A comma separates formats only before the name of one."""
    assert FORMAT.parse(text) == values


def test_formats_of_a_file(tmp_path: Path) -> None:
    """The configuration file has formats as a list or as one text; a wrong one is named."""
    file = tmp_path / "purge-conformance.yaml"
    file.write_text("format: [sarif, har=x.har]\n")
    assert loader.merge({}, file, {})["format"] == ["sarif", "har=x.har"]
    file.write_text("format: sarif\n")
    assert loader.merge({}, file, {})["format"] == ["sarif"]
    file.write_text("format: [pdf]\n")
    with pytest.raises(BadSetting, match=r"format: .*pdf.* is not NAME or NAME=FILE"):
        loader.merge({}, file, {})


def test_pytest_writes_formats(folder: Path, pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Plain pytest writes further reports, and prints annotations as lines of their own."""
    options = (f"--evidence={folder}", f"--conformance-out={tmp_path / 'again'}", "--conformance-format=har,ctrf")
    tests = ("-c", str(CONFORMANCE / "pytest.ini"), f"--rootdir={CONFORMANCE}", str(CONFORMANCE / "test_get.py"))
    done = pytester.runpytest_inprocess(*tests, *options, "--conformance-format=github-annotations")
    assert {"evidence.har", "ctrf-report.json"} <= {path.name for path in (tmp_path / "again").iterdir()}
    assert any(line.startswith("::error title=") for line in done.outlines)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--conformance-format=sarif",), "--conformance-format sarif needs a folder. Give --conformance-out FOLDER"),
        (("--conformance-format=sarif=no/such.sarif", "--evidence={other}"), "one file for several runs"),
    ],
)
def test_pytest_refuses_formats_without_a_place(
    options: tuple[str, ...], words: str, folder: Path, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Without a folder a format needs a file, and several runs cannot share one."""
    (tmp_path / "other").mkdir()
    os.link(folder / "evidence.jsonl", tmp_path / "other" / "evidence.jsonl")
    tests = ("-c", str(CONFORMANCE / "pytest.ini"), f"--rootdir={CONFORMANCE}", str(CONFORMANCE / "test_get.py"))
    given = (option.format(other=tmp_path / "other") for option in options)
    done = pytester.runpytest_inprocess(*tests, f"--evidence={folder}", *given)
    assert (done.ret, words in done.stderr.str()) == (4, True)
