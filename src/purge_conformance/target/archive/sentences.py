"""What users read about an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.target.archive.files import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECENT_S = 300.0  # a billing consumer may not have read a newer event yet


def describe(summary: Mapping[str, Any], *, is_allowed: bool = False) -> Iterator[str]:
    """Yield what a reader of the report must know about an archive; an old run's summary may lack members.

    Args:
        summary: the members of an `ArchiveSummary`.
        is_allowed: whether the user allowed to purge although the archive is incomplete.
    """
    if not summary["complete"]:
        reason = summary.get("reason") or "The list could not be read to its end."
        given = f"{ALLOW_INCOMPLETE_ARCHIVE} was given, and the" if is_allowed else "The"
        yield f"{given} archive is incomplete. {reason}"
    if summary["complete"]:
        yield f"{summary['events']} events existed before the first purge; {FILE_NAME} holds them."
    elif not summary["events"]:
        yield f"{FILE_NAME} holds no event; how many existed before the first purge is not known."
    else:
        yield f"{FILE_NAME} holds {summary['events']} of the events that existed before the first purge."
    if last := summary.get("last"):
        yield f"The newest recorded one, without the suite's own apps: {last['guid']} of {last['created_at']}."
        yield from recency_warning(summary.get("age"))


def recency_warning(age: float | None) -> Iterator[str]:
    """Yield a warning if the newest event, `age` seconds old, may not have reached the billing system yet."""
    if age is not None and age < RECENT_S:
        yield (
            f"That event was {max(0.0, age):.0f} s old. A billing consumer that reads every few minutes may not have "
            "read it yet."
        )
