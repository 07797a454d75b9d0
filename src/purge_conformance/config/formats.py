"""The formats that `--format` names, and the file that it names with one."""

from __future__ import annotations

import re
from pathlib import Path

from purge_conformance.config.value_types import ValueType

GITHUB_SUMMARY, GITHUB_ANNOTATIONS = "github-summary", "github-annotations"
ALWAYS_WRITTEN = ("json", "html", "junit", "markdown")
FURTHER = ("sarif", "har", "ctrf", "surefire", GITHUB_SUMMARY, GITHUB_ANNOTATIONS, "gitlab")
NAMES = (*ALWAYS_WRITTEN, *FURTHER)
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # the variable with the file that GitHub shows as the summary of a step

# A comma separates two formats only before the name of one: the name of a file may contain commas.
_SEPARATOR = re.compile(rf",\s*(?=(?:{'|'.join(NAMES)})\s*(?:[=,]|$))")


def parse_format(text: str) -> tuple[str, Path | None]:
    """Return the format that `NAME` or `NAME=FILE` asks for, and its file, relative to the working directory.

    The text is one that `FORMATS` accepts.
    """
    name, _, file = text.partition("=")
    return name, Path(file) if file else None


def _is_format(text: object) -> bool:
    if not isinstance(text, str) or "\0" in text:
        return False
    name, separator, file = text.partition("=")
    return name in NAMES and bool(file) == bool(separator)


FORMATS = ValueType(
    f"NAME or NAME=FILE, where NAME is one of: {', '.join(NAMES)}",
    lambda value: isinstance(value, list) and all(map(_is_format, value)),
    lambda text: [part.strip() for part in _SEPARATOR.split(text)],
    is_repeatable=True,
    words=tuple(NAMES),
)
