"""The rehearsal finds what would keep a run from being judged."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from purge_conformance.engine import pytest_session, rehearsal
from purge_conformance.errors import BadSetting, SuiteError
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from purge_conformance.report.model import Result, Run


class Usage(NamedTuple):
    """The space of a disk, in bytes."""

    free: int


def test_rehearsal_leaves_nothing(tmp_path: Path) -> None:
    """The judgments of this package work, and nothing of the rehearsal remains."""
    rehearsal.rehearse(tmp_path, pytest_session.judge_here)
    assert list(tmp_path.iterdir()) == []


def _with_results(change: Callable[[Result], Result]) -> Callable[[Path], Run]:
    def judge(folder: Path) -> Run:
        run = pytest_session.judge_here(folder)
        return replace(run, requirements=tuple(map(change, run.requirements)))

    return judge


def _pass(result: Result) -> Result:
    return replace(result, outcome=Outcome.PASSED, cause=None) if result.outcome is Outcome.FAILED else result


def _lose(result: Result) -> Result:
    return replace(result, outcome=Outcome.NOT_EXERCISED, cause=Cause.TARGET)


def _crash(result: Result) -> Result:
    return replace(result, outcome=Outcome.INCONCLUSIVE, cause=Cause.SUITE) if result.id == "PURGE-01" else result


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_pass, "no requirement failed, expected one"),
        (_lose, "no requirement passed, expected one"),
        (_crash, "The judgments of PURGE-01 do not work"),
    ],
)
def test_wrong_outcomes_are_found(change: Callable[[Result], Result], words: str, tmp_path: Path) -> None:
    """Judgments that never fail, never pass or crash are found; the message names the next step."""
    with pytest.raises(BadSetting, match=f"{words}.*Reinstall it: pip install"):
        rehearsal.rehearse(tmp_path, _with_results(change))


def _raise(error: Exception) -> Callable[[Path], Run]:
    def judge(_: Path) -> Run:
        raise error

    return judge


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.EROFS, "Read-only file system"),
            "cannot be written: Read-only file system. Name",
        ),
        (
            SuiteError("It ended.\nE   ImportError: no jinja2\n!!!"),
            "did not start: ImportError: no jinja2.",
        ),
        (SuiteError("It did not end."), "did not start: It did not end. Reinstall"),
        (BadSetting("The evidence could not be written: full."), "The evidence could not be written: full."),
    ],
)
def test_errors_are_usage_errors(error: Exception, words: str, tmp_path: Path) -> None:
    """Whatever keeps the judgments from working is a usage error of one line, with the next step."""
    with pytest.raises(BadSetting) as caught:
        rehearsal.rehearse(tmp_path, _raise(error))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("is_full", "flag"), [(True, "--out"), (False, "TMPDIR")])
def test_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_full: bool, flag: str) -> None:
    """A run does not start on a disk, or with a temporary folder, that has not even room for the evidence."""
    few, many = rehearsal.MIN_FREE_BYTES - 1, rehearsal.MIN_FREE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(few if (place == tmp_path) == is_full else many))
    with pytest.raises(BadSetting, match=f"has 16,777,215 bytes left, and a run needs 16,777,216.*{flag}"):
        rehearsal.rehearse(tmp_path, _raise(AssertionError()))
