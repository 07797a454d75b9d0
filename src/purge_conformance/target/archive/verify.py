"""Checks an archive later, offline: whether it is whole and as it was written."""

from __future__ import annotations

import gzip
import hashlib
import json
import shlex
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purge_conformance.errors import BadSetting
from purge_conformance.target.archive.files import summary_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNREADABLE = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
)  # what reading a damaged gzip file raises; not what wrote it reads it
MAX_LINE_BYTES = 128 * 1024 * 1024  # a response has at most 16 MiB, of which JSON may escape each byte


@dataclass(frozen=True, slots=True)
class Verification:
    """What an archive holds.

    Attributes:
        events: how many lines it has.
        added_late: how many of them follow those that the summary describes: the run was killed after it added them.
        sha256: of the lines that the summary describes.
        problems: why the archive is not whole, one sentence each; empty if it is.
    """

    events: int
    added_late: int
    sha256: str
    problems: tuple[str, ...]


def verify(path: Path) -> Verification:
    """Check an archive: gzip, each line JSON, and the number, the digest and `complete` of its summary.

    Raises:
        BadSetting: there is no such file, or it cannot be opened.
    """
    archive = path.with_suffix("")
    if path == summary_path(archive) and path.is_file() and archive.is_file():
        raise BadSetting(
            f"{path} is the summary of an archive. Give the archive itself: "
            f"purge-conformance archive verify {shlex.quote(str(archive))}"
        )
    summary, problems = _read_summary(summary_path(path))
    described = summary.get("events")
    end = described if type(described) is int else None
    digest, count = hashlib.sha256(), 0
    try:
        for line in _lines(path):
            count += 1
            if end is None or count <= end:
                digest.update(line)
            if not _is_event(line):
                problems.append(f"Line {count} is not a JSON value with a line feed.")
                break
    except UNREADABLE as error:
        problems.append(f"After line {count} the file is cut off or damaged ({type(error).__name__}).")
    except OSError as error:
        raise BadSetting(
            f"{path} cannot be read: {error.strerror or error}. Give the path of an archive, usually *.jsonl.gz."
        ) from None
    problems += _differences(summary, count, digest.hexdigest())
    return Verification(count, max(0, count - (count if end is None else end)), digest.hexdigest(), tuple(problems))


def _read_summary(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the members of a summary, and why it cannot be read."""
    try:
        summary = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not valid JSON"
        return {}, [f"{path} cannot be read ({reason}), so the number and the digest of the events are unknown."]
    return (summary, []) if isinstance(summary, dict) else ({}, [f"{path} is not a JSON object."])


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            yield line


def _is_event(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return line.endswith(b"\n")


def _differences(summary: dict[str, Any], events: int, sha256: str) -> Iterator[str]:
    """Yield what the summary says, where that is not what the file holds, or where it is incomplete."""
    if not summary:
        return
    described, digest = summary.get("events"), summary.get("sha256")
    if type(described) is not int or events < described:
        yield f"The file has {events} events, and its summary says {described!r}."
    if digest != sha256:
        yield f"The SHA-256 of the events is {sha256}, and the summary says {digest!r}."
    if summary.get("complete") is not True:
        reason = summary.get("reason") or "The list could not be read to its end."
        yield f"The summary says that the archive is incomplete. {reason}"
