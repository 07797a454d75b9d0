"""All reports are written at once, and no control character is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.results import NOTHING, make_run
from purge_conformance.evidence.safe_text import visible
from purge_conformance.report import junit as as_junit
from purge_conformance.report import write_all

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
    """A writer that fails leaves the older report unchanged, and no draft."""
    (tmp_path / "junit.xml").write_text("old")
    monkeypatch.setattr(as_junit, "render", lambda run: f"{run.target}\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        write_all(make_run(), NOTHING, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "report.json"]
    assert (tmp_path / "junit.xml").read_text() == "old"


@given(st.text(st.characters(exclude_categories=())))
@settings(deadline=None, derandomize=True, database=None)
def test_visible_removes_control_characters(text: str) -> None:
    """Visible text contains no control character except tab and line feed, and is valid UTF-8."""
    shown = visible(text)
    shown.encode()
    assert not [c for c in shown if ord(c) < 32 and c not in "\t\n"]
    assert not set(shown) & set("\x7f\x9b\u202e\u2066\ufeff")
