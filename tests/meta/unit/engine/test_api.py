"""What Python programs call."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

import purge_conformance
from meta.support.paths import ROOT
from purge_conformance import Report, Requirement, compare, load_report, run
from purge_conformance.engine import rehearsal
from purge_conformance.engine.pytest_session import judge_here
from purge_conformance.errors import BadData, BadSetting, ConsentMissing
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "src" / "purge_conformance"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a small run, with its evidence and reports."""
    rehearsal.write_small_run(tmp_path)
    judge_here(tmp_path)
    return tmp_path


def test_every_name_is_there() -> None:
    """Each name of the interface exists, and the stub declares the same names; no other name does."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    declared = {name.asname for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert {*declared, "__version__"} == set(purge_conformance.__all__) == set(dir(purge_conformance))
    assert all(getattr(purge_conformance, name) for name in purge_conformance.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'judge'"):
        purge_conformance.judge  # type: ignore[attr-defined] # noqa: B018 -- that is the test


def test_package_imports_nothing_itself() -> None:
    """The package alone is quick to import: it imports only what imports others when they are used."""
    body = ast.parse((PACKAGE / "__init__.py").read_text("utf-8")).body
    assert {node.module for node in body if isinstance(node, ast.ImportFrom)} == {"__future__", "importlib"}
    assert not any(isinstance(node, ast.Import) for node in body)


def test_report_of_an_earlier_run(folder: Path) -> None:
    """A report is loaded from the folder of a run, or from its file; its requirements have outcomes."""
    report = load_report(str(folder))
    assert isinstance(report, Report)
    assert report == load_report(folder / "report.json")
    first = report.requirements[0]
    assert isinstance(first.requirement, Requirement)
    assert (first.id, first.outcome in Outcome, report.exit_code) == ("PURGE-01", True, 1)
    with pytest.raises(BadData, match=r"has no report\.json"):
        load_report(folder / "nothing")


def test_reports_are_compared(folder: Path) -> None:
    """Reports are compared as values and as places; equal ones have no regression."""
    report = load_report(folder)
    for old, new in ((report, report), (folder, report), (str(folder), folder / "report.json")):
        comparison = compare(old, new)
        assert comparison.compared
        assert comparison.regressions == ()


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    """A setting that does not exist, a wrong value and a missing consent are named before anything is sent."""
    with pytest.raises(TypeError, match=r"run\(\) has no setting 'purges'\. It has: tokens, .*max_purges"):
        run("http://127.0.0.1:1", purges=3)
    with pytest.raises(BadSetting, match=r"max_purges: -1 is not a whole number .* Correct that argument of run\(\)"):
        run("http://127.0.0.1:1", max_purges=-1)
    with pytest.raises(BadSetting, match="The role admn is not known"):
        run("http://127.0.0.1:1", tokens={"admn": "env:T"})
    with pytest.raises(ConsentMissing, match=r"--allow-purge api\.example\.org"):
        run("https://api.example.org", tokens={"admin": "file:none"}, out=tmp_path / "out", profile="core")
    assert not (tmp_path / "out").exists()
