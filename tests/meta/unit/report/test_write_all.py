"""All reports are written at once, and no control character is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.results import NOTHING, make_run
from purge_conformance.errors import ReportsNotWritten
from purge_conformance.evidence.safe_text import visible
from purge_conformance.report import REPORT_NAMES, write_all
from purge_conformance.report import junit as as_junit

if TYPE_CHECKING:
    from pathlib import Path


def test_write_all_replaces_reports(tmp_path: Path) -> None:
    """Every report is written, older ones are replaced, and no other file remains."""
    (tmp_path / "summary.md").write_text("old")
    paths = write_all(make_run(), NOTHING, tmp_path)
    assert [path.name for path in paths] == ["report.json", "junit.xml", "summary.md", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.read_text() != "old" for path in paths)


def test_write_all_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that fails leaves the older report unchanged, and no draft; the other reports are written."""
    (tmp_path / "junit.xml").write_text("old")
    monkeypatch.setattr(as_junit, "render", lambda run: f"{run.target}\ud800")  # cannot be encoded
    with pytest.raises(ReportsNotWritten, match=r"junit.xml: the suite failed \(UnicodeEncodeError\)") as caught:
        write_all(make_run(), NOTHING, tmp_path)
    assert caught.value.names == ("junit.xml",)
    assert {path.name for path in tmp_path.iterdir()} == set(REPORT_NAMES)
    assert (tmp_path / "junit.xml").read_text() == "old"


@pytest.mark.parametrize(
    ("names", "next_step"),
    [(["report.json"], "judge"), (["report.html"], "report"), (["junit.xml", "summary.md"], "report")],
)
def test_write_all_names_what_is_missing(names: list[str], next_step: str, tmp_path: Path) -> None:
    """The reports that cannot be written are named with the reason and the command that writes them again."""
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(
        ReportsNotWritten, match=f"{', '.join(names)}: Is a directory.*conformance {next_step} "
    ) as caught:
        write_all(make_run(), NOTHING, tmp_path)
    assert caught.value.names == tuple(names)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == set(REPORT_NAMES) - set(names)


@given(st.text(st.characters(exclude_categories=())))
@settings(deadline=None, derandomize=True, database=None)
def test_visible_removes_control_characters(text: str) -> None:
    """Visible text contains no control character except tab and line feed, and is valid UTF-8."""
    shown = visible(text)
    shown.encode()
    assert not [c for c in shown if ord(c) < 32 and c not in "\t\n"]
    assert not set(shown) & set("\x7f\x9b\u202e\u2066\ufeff")
