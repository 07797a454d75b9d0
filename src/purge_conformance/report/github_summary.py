"""The summary of a GitHub step: summary.md, within the megabyte that GitHub takes of a step.

GitHub shows nothing of a larger one. Sections are left out from the end on, and the last line says that they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.report import markdown

if TYPE_CHECKING:
    from purge_conformance.report.model import Run

FILE_NAME = "github-summary.md"
MAX_BYTES = 1024 * 1024
REST = "\n\nThe rest is left out, as GitHub shows at most 1 MiB: summary.md has all of it.\n"


def render(run: Run, room: int = MAX_BYTES) -> str:
    """Return the run as Markdown.

    Args:
        run: a judged run.
        room: how many bytes it may have at most; the other steps of a job have their own.
    """
    text = markdown.render(run)
    if len(text.encode()) < room:
        return text
    kept, size = [], len(REST.encode())
    for part in text.split("\n## "):
        size += len(part.encode()) + len("\n## ")
        if size >= room:
            break
        kept.append(part)
    return "\n## ".join(kept) + REST if kept else ""
