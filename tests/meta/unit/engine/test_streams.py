"""Output streams that go away."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest

from purge_conformance.engine.streams import TolerantStream

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A stream on a full device."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        yield stream


def test_output_is_dropped_after_error(full: TextIO, capsys: pytest.CaptureFixture[str]) -> None:
    """The first error is reported once on standard error; all output is dropped, also what was buffered."""
    stream = TolerantStream(full)
    for _ in range(3):
        assert stream.write("line\n") == 5
        stream.flush()
    full.close()
    expected = "Warning: The output cannot be written (No space left on device); the command goes on without it.\n"
    assert capsys.readouterr().err == expected


def test_reader_that_went_away(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe without a reader is dropped as well, and keeps its other attributes."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w", encoding="utf-8") as pipe:
        stream = TolerantStream(pipe)
        stream.writelines(["one\n", "two\n"])
        stream.flush()
        assert stream.encoding == "utf-8"
    assert "(Broken pipe)" in capsys.readouterr().err


def test_error_of_both_streams(full: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard error cannot be written either, nothing is reported."""
    with Path("/dev/full").open("w", encoding="utf-8") as errors:
        monkeypatch.setattr(sys, "stderr", errors)
        stream = TolerantStream(full)
        stream.write("line\n")
        stream.flush()
        stream.flush()
        os.dup2(full.fileno(), errors.fileno())
