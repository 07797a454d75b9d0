"""The archive: the existing events in a file, which is whole and verified before anything destroys them.

`archive.jsonl.gz` has one event per line, as the target lists it. `archive.jsonl.gz.json` beside it is written last and
has the number of events, the SHA-256 of their lines, and whether they are all.
"""

from __future__ import annotations

from purge_conformance.target.archive.files import FILE_NAME, require_unused
from purge_conformance.target.archive.gaps import describe_additions
from purge_conformance.target.archive.growing import GrowingArchive
from purge_conformance.target.archive.list_check import MAX_WALKS, Extent, ListCheck, after_walks, check_pages
from purge_conformance.target.archive.sentences import RECENT_S, describe, recency_warning
from purge_conformance.target.archive.verify import Verification, verify
from purge_conformance.target.archive.write import archive_target, write

__all__ = [
    "FILE_NAME",
    "MAX_WALKS",
    "RECENT_S",
    "Extent",
    "GrowingArchive",
    "ListCheck",
    "Verification",
    "after_walks",
    "archive_target",
    "check_pages",
    "describe",
    "describe_additions",
    "recency_warning",
    "require_unused",
    "verify",
    "write",
]
