"""Files are private, whole, and of one writer."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_IMODE, S_ISDIR
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from purge_conformance.evidence import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each umask that a user may have."""
    previous = os.umask(request.param)
    yield
    os.umask(previous)


def _mode(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_everything_is_private(tmp_path: Path) -> None:
    """New folders have mode 0700 and new files 0600, whatever the umask; a folder that existed keeps its mode."""
    tmp_path.chmod(0o755)
    files.create_folder(tmp_path / "a" / "b")
    with files.open_new(tmp_path / "a" / "journal") as file:
        file.write("line\n")
    files.write_text(tmp_path / "a" / "b" / "report", "one")
    with files.writing(tmp_path / "a" / "new", replace=False) as binary:
        binary.write(b"two")
    files.create_folder(tmp_path)
    assert _mode(tmp_path) == 0o755
    assert {_mode(path) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}
    found = {path.name: (_mode(path), path.read_text()) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"journal": (0o600, "line\n"), "report": (0o600, "one"), "new": (0o600, "two")}


def test_file_is_replaced_as_a_private_one(tmp_path: Path) -> None:
    """A file that replaces another is private, too, even if everybody could read the other."""
    (tmp_path / "report").write_text("old")
    (tmp_path / "report").chmod(0o644)
    files.write_text(tmp_path / "report", "new")
    assert (_mode(tmp_path / "report"), (tmp_path / "report").read_text()) == (0o600, "new")


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_new_file_never_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_hard_links: bool) -> None:
    """A file that another command wrote meanwhile stays, also where there are no hard links; no draft remains."""
    if not has_hard_links:
        monkeypatch.setattr(Path, "hardlink_to", _no_hard_links)
    _write_while(tmp_path / "alone", lambda: None)
    with pytest.raises(FileExistsError):
        _write_while(tmp_path / "both", lambda: (tmp_path / "both").write_bytes(b"other"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"alone": b"own", "both": b"other"}


def _write_while(path: Path, event: Callable[[], object], *, replace: bool = False) -> None:
    """Write a file, while something happens."""
    with files.writing(path, replace=replace) as file:
        file.write(b"own")
        event()


def _no_hard_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("replace", [True, False])
def test_device_or_pipe_is_not_replaced(tmp_path: Path, *, replace: bool) -> None:
    """A name that is no regular file is refused before anything is written, and stays what it is."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="it is no regular file"):
        files.write_text(tmp_path / "pipe", "text", replace=replace)
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]


def test_two_writers_of_one_name(tmp_path: Path) -> None:
    """Two writers of one name write to different files; the first to end has the name, the second gets an error."""
    path = tmp_path / "archive"
    with pytest.raises(FileExistsError):
        _write_while(path, lambda: files.write_text(path, "quick", replace=False))
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("archive", b"quick")]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_failed_writer_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    """After an error the older file stays as it was, and no draft remains."""
    (tmp_path / "report").write_text("old")
    with pytest.raises(type(error)):
        _write_while(tmp_path / "report", Mock(side_effect=error), replace=True)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report", "old")]


def test_file_and_its_name_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content is synchronized before the file gets its name, and its folder afterwards."""
    steps: list[str] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        kind = "folder" if S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append(f"{kind}, named: {(tmp_path / 'report').exists()}")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    files.write_text(tmp_path / "report", "text")
    assert steps == ["file, named: False", "folder, named: True"]


@pytest.mark.parametrize(("number", "is_error"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_folder_that_cannot_be_synchronized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, is_error: bool
) -> None:
    """A file system that cannot synchronize folders is no error; a broken disk is one."""

    def fail(path: Any, *arguments: Any, **more: Any) -> int:  # noqa: ANN401 -- of os.open
        if Path(path) == tmp_path:
            raise OSError(number, os.strerror(number))
        return open_file(path, *arguments, **more)

    open_file = os.open
    monkeypatch.setattr(os, "open", fail)
    if is_error:
        with pytest.raises(OSError, match="Input/output"):
            files.write_text(tmp_path / "report", "text")
    else:
        files.write_text(tmp_path / "report", "text")


def test_folder_of_one_command(tmp_path: Path) -> None:
    """A new folder is new: the second command that wants it gets an error."""
    files.create_new_folder(tmp_path / "a" / "run")
    with pytest.raises(FileExistsError):
        files.create_new_folder(tmp_path / "a" / "run")


def test_file_in_place_of_a_folder(tmp_path: Path) -> None:
    """A file that has the name of the folder is an error, not a folder."""
    (tmp_path / "a").touch()
    for create in (files.create_folder, files.create_new_folder):
        with pytest.raises(OSError, match=r"Not a directory|File exists"):
            create(tmp_path / "a")
        with pytest.raises(NotADirectoryError):
            create(tmp_path / "a" / "b")
