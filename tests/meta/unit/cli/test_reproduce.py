"""`reproduce`: what it says at its end, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta.support.invoke import ADMIN, invoke
from purge_conformance.cli.reproduce import _exit_code, _summary
from purge_conformance.engine.reproduce import Attempt, Ending

AGAIN, NO, UNTRIED, STOPPED = Ending.FAILED_AGAIN, Ending.DID_NOT_FAIL, Ending.NOT_TRIED, Ending.INTERRUPTED


@pytest.mark.parametrize(
    ("endings", "code", "words"),
    [
        ([NO, NO, NO], 0, "X-01 failed again in 0 of 3 tries. Reports: out"),
        ([NO, AGAIN, NO], 1, "X-01 failed again in 1 of 3 tries. Reports: out"),
        ([UNTRIED, AGAIN], 1, "X-01 failed again in 1 of 1 try; 1 more could not be judged. Reports: out"),
        ([UNTRIED, NO], 3, "X-01 failed again in 0 of 1 try; 1 more could not be judged. Reports: out"),
        ([AGAIN, STOPPED], 3, "X-01 failed again in 1 of 1 try; 1 more could not be judged. Reports: out"),
    ],
)
def test_end(endings: list[Ending], code: int, words: str) -> None:
    """The last line says how often the failure occurred again, of the tries that could be judged."""
    tried = [Attempt(each, Path("out/try-1")) for each in endings]
    assert (_exit_code(tried), _summary("X-01", tried)) == (code, words)


@pytest.mark.parametrize(
    ("flags", "words"), [(("--times=0",), "--times"), (("--times=21",), "--times"), ((), "has no report.json")]
)
def test_usage_errors(flags: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """The number of tries is bounded, and a folder without a report is refused."""
    result = invoke("reproduce", str(tmp_path), "SEED-01", ADMIN, *flags)
    assert (result.exit_code, words in result.output) == (2, True), result.output
