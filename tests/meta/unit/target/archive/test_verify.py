"""`archive verify` finds whatever is not as it was written."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.archive import ROWS
from meta.support.invoke import invoke
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target import archive
from purge_conformance.target.archive.files import summary_path
from purge_conformance.target.archive.list_check import Extent, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.story import EvidenceBuilder


@pytest.fixture
def whole(builder: EvidenceBuilder, tmp_path: Path) -> Path:
    """A whole archive."""
    return write(builder, tmp_path, Reading(Extent.WHOLE))


def write(builder: EvidenceBuilder, folder: Path, reading: Reading) -> Path:
    """Write an archive."""
    path = folder / archive.FILE_NAME
    builder.add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, data={"resources": ROWS})
    archive.write(path, "http://t", builder.exchanges, lambda: reading, allow_incomplete=True)
    return path


def test_whole_archive(whole: Path) -> None:
    """A whole archive has no problem; the command exits with 0."""
    found = archive.verify(whole)
    assert (found.events, found.added_late, found.problems) == (45, 0, ())
    done = invoke("archive", "verify", str(whole))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "The archive is whole."
    assert found.sha256 in done.stdout


def rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of an archive."""
    path.write_bytes(gzip.compress(b"".join(change(gzip.decompress(path.read_bytes()).splitlines(keepends=True)))))


def change_summary(path: Path, **members: Any) -> None:  # noqa: ANN401 -- any JSON value
    """Change members of a summary."""
    summary = json.loads(summary_path(path).read_text())
    summary_path(path).write_text(json.dumps(summary | members))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-30]), "cut off or damaged (EOFError)"),
    "not gzip": (lambda path: path.write_bytes(b"{}\n"), "cut off or damaged (BadGzipFile)"),
    "a byte changed": (
        lambda path: path.write_bytes(path.read_bytes()[:-6] + b"x" + path.read_bytes()[-5:]),
        "damaged",
    ),
    "empty": (lambda path: path.write_bytes(b""), "has 0 events, and its summary says 45"),
    "a line is missing": (lambda path: rewrite(path, lambda lines: lines[:-1]), "has 44 events"),
    "a line differs": (lambda path: rewrite(path, lambda lines: [b"{}\n", *lines[1:]]), "The SHA-256 of the events is"),
    "no JSON": (lambda path: rewrite(path, lambda lines: [b"{\n", *lines[1:]]), "Line 1 is not a JSON value"),
    "half a line": (lambda path: rewrite(path, lambda lines: [*lines, b'{"guid": "la']), "Line 46 is not a JSON value"),
    "no summary": (lambda path: summary_path(path).unlink(), ".json cannot be read (No such file"),
    "a summary that is no JSON": (lambda path: summary_path(path).write_text("{"), "it is not valid JSON"),
    "a summary that is no object": (lambda path: summary_path(path).write_text("[]"), "is not a JSON object"),
    "another number": (lambda path: change_summary(path, events=46), "its summary says 46"),
    "a number of another type": (lambda path: change_summary(path, events="45"), "its summary says '45'"),
    "another digest": (lambda path: change_summary(path, sha256="0"), "and the summary says '0'"),
    "incomplete": (lambda path: change_summary(path, complete=False, reason="Why."), "incomplete. Why."),
    "perhaps complete": (lambda path: change_summary(path, complete="true"), "incomplete. The list could not be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named(name: str, whole: Path) -> None:
    """Each damage is named; the command exits with 3."""
    damage, words = DAMAGES[name]
    damage(whole)
    assert words in "\n".join(archive.verify(whole).problems)
    done = invoke("archive", "verify", str(whole))
    assert (done.exit_code, words in done.stderr) == (3, True), done.stderr
    assert done.stderr.splitlines()[-1] == "The archive is not whole."


def test_incomplete_archive_is_not_whole(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """An archive that was written incomplete says why."""
    path = write(builder, tmp_path, Reading(Extent.PART, "Page 2 is missing."))
    (problem,) = archive.verify(path).problems
    assert problem.endswith("Page 2 is missing.")


def test_lines_after_the_summary(whole: Path) -> None:
    """Lines that follow those of the summary are counted: a killed run may leave them."""
    rewrite(whole, lambda lines: [*lines, b'{"guid": "late"}\n'])
    found = archive.verify(whole)
    assert (found.events, found.added_late, found.problems) == (46, 1, ())
    assert "1 of them were added just before the run was killed" in invoke("archive", "verify", str(whole)).stdout


def test_missing_archive(tmp_path: Path) -> None:
    """A file that does not exist, or a folder, is a usage error."""
    for path in (tmp_path / "none.jsonl.gz", tmp_path):
        with pytest.raises(BadSetting, match="cannot be read"):
            archive.verify(path)
        assert invoke("archive", "verify", str(path)).exit_code == 2


def test_help_names_verify() -> None:
    """`archive --help` names `archive verify FILE`, whose own help has the full name of the command."""
    assert "archive verify FILE" in invoke("archive", "--help").stdout
    assert "archive verify [OPTIONS] FILE" in invoke("archive", "verify", "--help").stdout


def test_summary_in_place_of_the_archive(whole: Path) -> None:
    """The .json beside an archive is not taken for one: the message has the command for the archive."""
    with pytest.raises(BadSetting, match="is the summary of an archive") as caught:
        archive.verify(summary_path(whole))
    assert str(caught.value).endswith(f"purge-conformance archive verify {whole}")
