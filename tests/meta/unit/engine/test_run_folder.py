"""Two runs never share a folder."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from purge_conformance.engine import run_folder
from purge_conformance.engine.latest import latest_run
from purge_conformance.errors import BadSetting
from purge_conformance.evidence import files

DEVICE = Path(os.devnull)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder where each run starts in the same second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda *_: "20261130T120000Z")


def test_default_folders_differ() -> None:
    """Runs that start in the same second have different folders, each created for one of them."""
    folders = [run_folder.create_default_folder() for _ in range(3)]
    assert [folder.name for folder in folders] == ["20261130T120000Z", "20261130T120000Z-2", "20261130T120000Z-3"]
    assert all(folder.is_dir() for folder in folders)


def test_default_folder_that_cannot_be_created() -> None:
    """Where no default folder can be created, the message names --out."""
    run_folder.PARENT.touch()
    with pytest.raises(BadSetting, match=r"cannot be created: Not a directory\. Name a folder with --out"):
        run_folder.create_default_folder()


@pytest.mark.parametrize("existing", ["", "new", "new/below", str(run_folder.PARENT)])
@pytest.mark.parametrize("out", [None, "new", "new/below", "new/below/more"])
def test_folder_of_failed_start_is_removed(out: str | None, existing: str, tmp_path: Path) -> None:
    """The folders that were created for a run that does not start are removed; those that existed stay."""
    (tmp_path / existing).mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadSetting, match="no consent"):
        _fail_in(out)
    assert sorted(tmp_path.rglob("*")) == before


def test_folder_that_cannot_be_created_leaves_none(tmp_path: Path) -> None:
    """The folders above one that cannot be created do not stay either."""
    with pytest.raises(BadSetting, match="cannot be created: File name too long"):
        _fail_in(f"new/{'x' * 300}")
    assert [*tmp_path.iterdir()] == []


def _fail_in(out: str | None) -> None:
    with run_folder.own_folder(out, run_folder.create_default_folder) as taken:
        assert taken.path.is_dir()
        raise BadSetting("no consent")


def test_folder_with_files_stays(tmp_path: Path) -> None:
    """What a run has written is never removed."""
    with pytest.raises(KeyboardInterrupt), run_folder.own_folder(None, run_folder.create_default_folder) as taken:
        _interrupt(taken.path)
    assert [path.name for path in tmp_path.rglob("*.txt")] == ["a.txt"]


def _interrupt(folder: Path) -> None:
    (folder / "a.txt").touch()
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", run_folder.NAMES)
def test_folder_of_another_run(name: str, tmp_path: Path) -> None:
    """A folder with any file of a run is refused; other files do no harm."""
    (tmp_path / "notes.txt").touch()
    assert run_folder.take_folder(tmp_path) == tmp_path
    (tmp_path / name).touch()
    with pytest.raises(BadSetting, match=r"of another run.*, or give --force, which"):
        run_folder.take_folder(tmp_path)
    assert run_folder.take_folder(tmp_path, force=True) == run_folder.require_usable(tmp_path, force=True) == tmp_path


def test_archive_is_never_overwritten(tmp_path: Path) -> None:
    """A name that another command has just taken is not used: the archive keeps its own."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        files.rename_new(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in ("a", "b")] == ["a", "b"]


def run_in(name: str, warnings: list[str]) -> Path:
    """Create a default folder, point to it, and leave evidence in it."""
    folder = run_folder.PARENT / name
    folder.mkdir(parents=True)
    with latest_run(folder, warnings.append):
        assert os.path.lexists(run_folder.PARENT / "latest")
        (folder / "evidence.jsonl").touch()
    return folder


def test_latest_points_to_the_newest_run() -> None:
    """`latest` is a relative link to the newest run, also when the folder of all runs is moved."""
    warnings: list[str] = []
    for name in ("one", "two"):
        run_in(name, warnings)
        assert os.readlink(run_folder.PARENT / "latest") == name  # noqa: PTH115 -- the text of the link
    assert (warnings, len(list(run_folder.PARENT.iterdir()))) == ([], 3)


@pytest.mark.parametrize("earlier", [[], ["one"]])
def test_latest_of_a_refused_run(earlier: list[str]) -> None:
    """A run that ends before it has evidence leaves the link as it was."""
    for name in earlier:
        run_in(name, [])
    folder = run_folder.PARENT / "refused"
    folder.mkdir(parents=True)
    with pytest.raises(BadSetting, match="refused"), latest_run(folder, print):
        raise BadSetting("refused")
    links = [os.readlink(path) for path in run_folder.PARENT.iterdir() if path.is_symlink()]  # noqa: PTH115 -- as above
    assert links == earlier


def test_latest_of_a_later_run_stays() -> None:
    """A refused run does not change a link that points to a later run, and restores none to a folder that is gone."""
    names = {name: run_folder.PARENT / name for name in ("first", "later")}
    for folder in names.values():
        folder.mkdir(parents=True)
    link = run_folder.PARENT / "latest"
    with pytest.raises(BadSetting, match="refused"), latest_run(names["first"], print):  # noqa: PT012 -- as runs overlap
        with latest_run(names["later"], print):
            (names["later"] / "evidence.jsonl").touch()
        raise BadSetting("refused")
    assert link.resolve() == names["later"].resolve()
    with pytest.raises(BadSetting, match="refused"), latest_run(names["first"], print):  # noqa: PT012 -- as above
        (names["later"] / "evidence.jsonl").unlink()
        names["later"].rmdir()
        raise BadSetting("refused")
    assert not os.path.lexists(link)


def test_latest_that_cannot_be_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where links are impossible, or a folder has that name, a warning names the folder of the run, which goes on."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    warnings: list[str] = []
    (run_folder.PARENT / "latest").mkdir(parents=True)
    run_in("one", warnings)
    (run_folder.PARENT / "latest").rmdir()
    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = run_folder.PARENT / "two"
    folder.mkdir()
    with latest_run(folder, warnings.append):
        pass
    reasons = {"one": "it is no symbolic link", "two": "Operation not permitted"}
    assert warnings == [
        f"{run_folder.PARENT}/latest does not point to this run, because {reason}. Its reports are in "
        f"{run_folder.PARENT / name}."
        for name, reason in reasons.items()
    ]


def test_evidence_is_kept_beside_its_reports(tmp_path: Path) -> None:
    """The folder of new reports gets a private copy of the evidence; the same evidence may be there already."""
    (tmp_path / "evidence.jsonl").write_text("one", encoding="utf-8")
    for _ in range(2):
        run_folder.keep_evidence(tmp_path, tmp_path / "again")
    run_folder.keep_evidence(tmp_path, tmp_path)
    copy = tmp_path / "again" / "evidence.jsonl"
    assert (copy.read_text(encoding="utf-8"), copy.stat().st_mode & 0o777) == ("one", 0o600)


def test_reports_are_not_written_beside_other_evidence(tmp_path: Path) -> None:
    """A folder that has the evidence of another run is refused, and stays as it is."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "evidence.jsonl").write_text(name, encoding="utf-8")
    with pytest.raises(BadSetting, match=r"has the evidence of another run than .*one"):
        run_folder.keep_evidence(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "other" / "evidence.jsonl").read_text(encoding="utf-8") == "other"


def test_copy_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that cannot be written is reported, with the next step."""
    (tmp_path / "evidence.jsonl").touch()
    with pytest.raises(BadSetting, match=r"cannot be written: Not a directory\. Name another folder with --out"):
        run_folder.keep_evidence(tmp_path, tmp_path / "evidence.jsonl" / "below")


def test_link_to_nothing_is_called_that(tmp_path: Path) -> None:
    """A link to a folder is as good as the folder; one to nothing is refused, and nothing is created."""
    (tmp_path / "folder").mkdir()
    for name, target in (("good", "folder"), ("bad", "none")):
        (tmp_path / name).symlink_to(target)
    assert run_folder.take_folder(tmp_path / "good") == tmp_path / "good"
    with pytest.raises(BadSetting, match=r"bad is a symbolic link to nothing\. Create what it points to"):
        run_folder.take_folder(tmp_path / "bad")
    assert not (tmp_path / "none").exists()


def test_file_is_no_folder(tmp_path: Path) -> None:
    """A file or a device in place of the folder is called that, for a run and for the reports of an old one."""
    (tmp_path / "file").touch()
    for call in (lambda: run_folder.take_folder(tmp_path / "file"), lambda: run_folder.keep_evidence(tmp_path, DEVICE)):
        with pytest.raises(BadSetting, match=r"is no folder\. Name another folder with --out"):
            call()
