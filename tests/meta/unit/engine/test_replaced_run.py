"""`--force` loses an earlier run only once the new one has its evidence, and never an archive."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from purge_conformance.engine import run_folder
from purge_conformance.engine.replaced_run import REPLACED, replaced_run
from purge_conformance.errors import ArchiveIncomplete, BadSetting
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Header

NOW = "20261130T120000Z"
FILES = {*run_folder.NAMES, *REPLACED}


@pytest.fixture(autouse=True)
def at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each run start in the same second."""
    monkeypatch.setattr(time, "strftime", lambda *_: NOW)


def leave_run(folder: Path, text: str) -> None:
    """Leave all files of a run, and one that is no file of a run."""
    for name in (*FILES, "notes.txt"):
        (folder / name).write_text(text, encoding="utf-8")


def content(folder: Path) -> dict[str, str]:
    """Return name -> text of each file, those below included."""
    return {str(p.relative_to(folder)): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


def test_run_is_replaced(tmp_path: Path) -> None:
    """Evidence and all reports are deleted; each archive stays under a name of its own, with its description."""
    lines: list[str] = []
    for number in range(3):
        leave_run(tmp_path, f"{number}")
        with replaced_run(tmp_path, lines.append, print):
            assert not any((tmp_path / name).exists() for name in FILES)
    names = [f"archive-{NOW}{n}.jsonl.gz{end}" for n in ("", "-2", "-3") for end in ("", ".json")]
    assert content(tmp_path) == dict(zip(names, "001122", strict=True)) | {"notes.txt": "2"}
    assert lines == [f"The archive of the earlier run in this folder is now {tmp_path / name}" for name in names[::2]]
    with replaced_run(tmp_path, lines.append, print):
        pass
    assert len(lines) == 3


@pytest.mark.parametrize("error", [ArchiveIncomplete("refused"), KeyboardInterrupt()])
def test_refused_run_replaces_nothing(error: BaseException, tmp_path: Path) -> None:
    """A run that is refused, or leaves no evidence, puts the earlier one back; an archive that it wrote stays."""
    leave_run(tmp_path, "old")
    with pytest.raises(type(error)), replaced_run(tmp_path, print, print):  # noqa: PT012 -- what a run leaves
        if isinstance(error, ArchiveIncomplete):
            (tmp_path / "evidence.jsonl").write_text("new", encoding="utf-8")
            (tmp_path / "archive.jsonl.gz").write_text("new", encoding="utf-8")
        raise error
    further = {f"archive-{NOW}-2.jsonl.gz": "new"} if isinstance(error, ArchiveIncomplete) else {}
    assert content(tmp_path) == dict.fromkeys((*FILES, "notes.txt"), "old") | further
    assert all(path.is_file() for path in tmp_path.iterdir())


def test_run_that_crashes_keeps_both(tmp_path: Path) -> None:
    """If the new run has evidence when it crashes, the earlier one is in a folder that a warning names."""
    leave_run(tmp_path, "old")
    lines: list[str] = []
    with pytest.raises(RuntimeError, match="crashed"), replaced_run(tmp_path, print, lines.append):  # noqa: PT012 -- as above
        (tmp_path / "evidence.jsonl").write_text("new", encoding="utf-8")
        raise RuntimeError("crashed")
    aside = tmp_path / f"replaced-{NOW}"
    assert (content(aside), (tmp_path / "evidence.jsonl").read_text("utf-8")) == (dict.fromkeys(REPLACED, "old"), "new")
    assert lines == [f"Evidence and reports of the earlier run in this folder are now in {aside}"]


def test_run_that_cannot_be_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one file cannot be moved, all stay under their names, and the new run is refused."""
    leave_run(tmp_path, "old")
    rename = Path.rename

    def refuse(path: Path, new: Path) -> Path:
        if path.name == "junit.xml":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        return rename(path, new)

    monkeypatch.setattr(Path, "rename", refuse)
    words = r"junit\.xml cannot be replaced: Operation not permitted\. Name another folder with --out"
    with pytest.raises(BadSetting, match=words), replaced_run(tmp_path, print, print):
        pass
    assert content(tmp_path) == dict.fromkeys((*FILES, "notes.txt"), "old")


def test_run_in_progress_is_not_replaced(tmp_path: Path) -> None:
    """A folder whose run is still writing its evidence is refused with --force, too, and stays as it is."""
    header = Header("0.1.0", {}, "http://127.0.0.1:1", {}, "2026-01-02T03:04:05Z")
    words = r"A run is writing .*evidence\.jsonl\. Wait until it has ended"
    with Journal(tmp_path, header):
        with pytest.raises(BadSetting, match=words):
            run_folder.take_folder(tmp_path, force=True)
        with pytest.raises(BadSetting, match=words), replaced_run(tmp_path, print, print):
            pass
    assert (tmp_path / "evidence.jsonl").exists()
    with replaced_run(tmp_path, print, print):
        assert not (tmp_path / "evidence.jsonl").exists()
