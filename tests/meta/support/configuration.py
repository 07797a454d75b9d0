"""Options from a file, variables and flags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from purge_conformance.config.loader import FILE_NAME, merge

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options


def merge_sources(
    text: str = "", environ: dict[str, str] | None = None, *, flags: dict[str, Any] | None = None
) -> Options:
    """Return the merge of a file with this text, these variables and these flags."""
    Path(FILE_NAME).write_text(text, encoding="utf-8")
    return merge(flags or {}, environ={f"PURGE_CONFORMANCE_{name}": value for name, value in (environ or {}).items()})
